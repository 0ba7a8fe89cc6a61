"""Sign-in sessions: an id without a write, a row only by signing in, and nothing that comes back once ended."""
