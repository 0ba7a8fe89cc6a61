"""Working copies: what somebody types and has not saved yet, kept every few seconds. Nobody else ever sees one.

A copy belongs to a person and a post, or to a person and one form of a new post. It knows no post: what is saved is
handed in, so that `posts` may offer copies and drop them.
"""
