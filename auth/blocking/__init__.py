"""Blocking: somebody is nobody from their next request on, everywhere, until it is lifted."""
