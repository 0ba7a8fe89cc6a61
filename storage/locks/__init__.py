"""Locks that end by themselves: taken only if free, held with a random token, let go only by whoever holds it.

A lock saves work. It is no fence: who was paused past its time finds out when they ask, and what they write until then
must be refused by what they write to.
"""
