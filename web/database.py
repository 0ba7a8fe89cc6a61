"""The database of the running application, and the transaction that a handler owns."""

from contextlib import AbstractContextManager

from sqlalchemy import Connection

from storage.engine import Database
from web.current import this_app


def current_database() -> Database:
    """The database of the running application."""
    database = this_app().extensions["database"]
    assert isinstance(database, Database)
    return database


def reading() -> AbstractContextManager[Connection]:
    """One snapshot to read from; leave it before the answer's bytes leave."""
    return current_database().reading()


def transaction() -> AbstractContextManager[Connection]:
    """One transaction to write in; when the block has ended, what it wrote is committed and synced."""
    return current_database().transaction()
