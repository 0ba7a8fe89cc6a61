"""The ledger: what leaves the database is announced before and concluded after, and a crash leaves a question."""
