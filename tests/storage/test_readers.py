"""Connections to read from: open between transactions, never more than were allowed, and none that went wrong."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage.engine import Database, translated_errors
from storage.errors import Busy, Full
from storage.readers import Readers

PATIENCE_SECONDS = 30.0
ONE = sa.text("SELECT 1")


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    made = Database(path, readers=2)
    yield made
    made.close()


def opened_by(engine: sa.Engine) -> list[object]:
    """Every connection of the driver's that the engine opens from now on."""
    opened: list[object] = []
    sa.event.listen(engine, "connect", lambda connection, _record: opened.append(connection))
    return opened


def test_one_connection_serves_all_who_read_after_each_other(database: Database) -> None:
    opened, used = opened_by(database.read_engine), []
    for _again in range(5):
        with database.reading() as db:
            used.append(db)
            driver_connection: Any = db.connection.dbapi_connection
            assert driver_connection.in_transaction
        assert not driver_connection.in_transaction
    assert len(set(map(id, used))) == len(opened) == 1


def test_a_connection_on_which_something_went_wrong_goes_back_to_the_pool(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.reading() as failed:
        raise ZeroDivisionError
    assert failed.closed
    with database.reading() as db:
        assert db is not failed
        assert db.execute(ONE).scalar_one() == 1


def test_who_comes_when_all_read_waits_until_one_gives_back(database: Database) -> None:
    read = threading.Event()

    def read_too() -> None:
        with database.reading() as db:
            db.execute(ONE)
            read.set()

    waiting = threading.Thread(target=read_too)
    with ExitStack() as stack:
        for _place in range(2):
            stack.enter_context(database.reading())
        waiting.start()
        assert not read.wait(0.1)
    assert read.wait(PATIENCE_SECONDS)
    waiting.join(PATIENCE_SECONDS)


def test_who_waits_too_long_is_told_and_takes_nobodys_place(database: Database) -> None:
    readers = Readers(database.read_engine, most=1, wait_seconds=0.05)
    taken = readers.take()
    for _again in range(3):
        with pytest.raises(Busy):
            readers.take()
    readers.give_back(taken)
    assert readers.take() is taken
    readers.give_back(taken)
    readers.close()
    assert taken.closed


def test_a_place_is_free_again_when_no_connection_could_be_opened(database: Database, tmp_path: Path) -> None:
    nowhere = Database(tmp_path / "nowhere" / "byline.db", readers=1)
    for _again in range(3):
        with pytest.raises(Full), nowhere.reading():
            pytest.fail("there is nothing to read")
    readers = Readers(nowhere.read_engine, most=1, wait_seconds=0.05)
    for _again in range(3):
        with pytest.raises(Full), translated_errors():
            readers.take()
