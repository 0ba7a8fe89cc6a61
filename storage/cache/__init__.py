"""Caches that may forget: what one holds is a copy, and its reader knows which state of things it was made from."""
