"""The database of the running application, and the transaction that a handler owns."""

from contextlib import AbstractContextManager

from flask import current_app
from sqlalchemy import Connection

from storage.engine import Database


def current_database() -> Database:
    """The database of the running application."""
    database = current_app.extensions["database"]
    assert isinstance(database, Database)
    return database


def reading() -> AbstractContextManager[Connection]:
    """One snapshot to read from; leave it before the answer's bytes leave."""
    return current_database().reading()


def transaction() -> AbstractContextManager[Connection]:
    """One transaction to write in; when the block has ended, what it wrote is committed and synced."""
    return current_database().transaction()
