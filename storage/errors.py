"""What can go wrong when things are kept. Each message is a sentence that an operator can act on."""


class Busy(Exception):
    """Somebody else held the database, or too many writers waited; nothing was written."""


class Full(Exception):
    """The disk or the folder takes no more; nothing was written."""


class Damaged(Exception):
    """The database file is not whole."""


class SchemaNewer(Exception):
    """The database was written by a newer version of the program."""


class FolderUnusable(Exception):
    """The data folder is missing, cannot be written, or is held by another server."""
