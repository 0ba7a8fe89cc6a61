"""Posts: writing, changing, publishing, deleting, reading. One folder, one file for each ability."""
