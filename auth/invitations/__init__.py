"""Somebody new, by invitation or, where the site is open, of their own accord."""
