"""Conversations: a reader asks a post that they hold, and is answered with the passages that say so."""
