"""Feeds: following the site without coming by."""
