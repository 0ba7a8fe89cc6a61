"""Keeps things: the database and its transactions, migrations, ids, the clock, the data folder, backups.

The lowest floor: it imports nothing of ours, knows no HTTP and no subject, is handed what it needs to know, and raises
errors of its own (`Busy`, `Full`, `FolderInUse`, `SchemaNewer`, `Damaged`), which the floors above put into words.
"""
