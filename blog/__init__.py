"""What is written: posts and all that readers and authors do with them.

It may import `auth`, `web` and `storage`. Who may do what is asked of the principal, never decided anew here.
"""
