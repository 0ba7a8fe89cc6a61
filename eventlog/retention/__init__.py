"""Retention: details older than a limit are emptied, and their bytes erased."""
