"""Knows who: the principal of a request, what it may do, and everything that makes somebody one.

It may import `web` and `storage`, and refuses to know what is written: posts are `blog`'s.
"""
