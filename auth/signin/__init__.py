"""Signing in and out, the first owner, one's own password, and how often one may try."""
