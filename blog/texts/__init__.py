"""Texts beside each other: merged and compared. Pure functions of lines and words."""
