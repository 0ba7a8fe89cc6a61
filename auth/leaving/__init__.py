"""Leaving: the end of an account. What was private is erased, and the name stays taken."""
