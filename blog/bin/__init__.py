"""The bin: what was deleted can be taken out again for 30 days."""
