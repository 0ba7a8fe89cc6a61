"""Links to drafts, for somebody whom the author asks to read before."""
