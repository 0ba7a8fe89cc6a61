"""The desk: the list of one's posts, and what is done to many of them at once."""
