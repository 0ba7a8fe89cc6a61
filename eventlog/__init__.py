"""Remembers: append-only events in the transaction of the change they record, intents before effects, and outcomes.

It may import `web` and `storage`, is told who does something (`by`), and knows no user and no post. Kinds of events are
declared by the packages that own them.
"""
