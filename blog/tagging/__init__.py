"""Renaming tags, and putting two of them together, on every post at once."""
