"""Remembers: append-only events in the transaction of the change they record, intents before effects, and outcomes.

It may import `web` and `storage`, is told who does something (`by`), and knows no user and no post. Kinds of events are
declared by the packages that own them.

    append_event, events_since, list_past_sessions     log/appending.py, log/following.py
    encode_event, SCHEMA_VERSION                       log/encoding.py, log/model.py
    record_intent, record_outcome, orphan_intents      ledger/announcing.py; `operation` is the easy way
    apply_retention                                    retention/applying.py
    UnknownSession, OrphanIntents, SchemaMismatch      errors.py

What holds connections is the `Database` that is handed in; closing that releases everything.
"""
