"""Revisions: every save of a post, to look at, to compare, and to go back to."""
