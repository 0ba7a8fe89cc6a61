"""Statements that are written once: the same answers as SQLAlchemy's, in the same transaction, with the same refusals."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.engine import Database
from storage.errors import Busy, Damaged
from storage.prepared import Prepared
from storage.upgrading import upgrade
from storage.watching import forbid_statements

_METADATA = sa.MetaData()
_THINGS = sa.Table(
    "things",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text),
    sa.Column("is_new", sa.Boolean),
)


class _Kind(StrEnum):
    PLAIN, ODD = "plain", "odd"


_OF_A_KIND = sa.select(_THINGS.c.id, _THINGS.c.is_new).where(
    _THINGS.c.kind == _Kind.ODD, _THINGS.c.id > sa.bindparam("id")
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    upgrade(tmp_path / "byline.db")
    made = Database(tmp_path / "byline.db", readers=1, watch_statements=True)
    with made.transaction() as db:
        _METADATA.create_all(db)
        rows = [(1, _Kind.ODD, True), (2, _Kind.PLAIN, True), (3, _Kind.ODD, False), (4, _Kind.ODD, None)]
        db.execute(sa.insert(_THINGS), [dict(zip(("id", "kind", "is_new"), row, strict=True)) for row in rows])
    yield made
    made.close()


def test_it_answers_as_sqlalchemy_does_with_the_types_of_python(database: Database) -> None:
    prepared = Prepared(_OF_A_KIND.order_by(_THINGS.c.id))
    with database.reading() as db:
        rows = prepared.all(db, id=0)
        assert rows == db.execute(_OF_A_KIND.order_by(_THINGS.c.id), {"id": 0}).all()
        assert rows[0][1] is True
        assert rows[1][1] is False
        assert prepared.first(db, id=3) == (4, None)
        assert prepared.first(db, id=4) is None
        assert prepared.all(db, id=None) == []


def test_it_sees_what_its_transaction_wrote_and_no_other_does(database: Database) -> None:
    prepared = Prepared(_OF_A_KIND)
    with database.transaction() as db:
        db.execute(sa.update(_THINGS).values(kind=_Kind.PLAIN))
        assert prepared.all(db, id=0) == []
        with database.reading() as other:
            assert len(prepared.all(other, id=0)) == 3


def test_a_value_that_is_missing_is_no_null(database: Database) -> None:
    prepared = Prepared(_OF_A_KIND)
    with database.reading() as db:
        for values in ({}, {"identity": 0}):
            with pytest.raises(TypeError, match="Not given: id"):
                prepared.all(db, **values)
        assert len(prepared.all(db, id=0, more=1)) == 3


def test_a_list_of_values_cannot_be_prepared() -> None:
    with pytest.raises(ValueError, match="cannot be prepared"):
        Prepared(sa.select(_THINGS.c.id).where(_THINGS.c.id.in_([1, 2])))


def test_it_is_refused_while_a_page_is_built(database: Database) -> None:
    with database.reading() as db:
        with (
            pytest.raises(RuntimeError, match="issued while a page was built: SELECT"),
            forbid_statements("while a page was built"),
        ):
            Prepared(_OF_A_KIND).all(db, id=0)
        assert len(Prepared(_OF_A_KIND).all(db, id=0)) == 3


def test_what_the_driver_says_is_said_in_the_words_of_this_floor(tmp_path: Path, database: Database) -> None:
    prepared = Prepared(_OF_A_KIND)
    size = (tmp_path / "byline.db").stat().st_size
    database.empty_log(wait_seconds=1)
    database.close()
    with (tmp_path / "byline.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    damaged = Database(tmp_path / "byline.db", readers=1)
    with pytest.raises(Damaged), damaged.reading() as db:
        prepared.all(db, id=0)
    damaged.close()


def test_a_transaction_that_does_not_get_its_turn_is_busy(tmp_path: Path, database: Database) -> None:
    other = Database(tmp_path / "byline.db", readers=1)
    with database.transaction(), pytest.raises(Busy), other.transaction(wait_seconds=0):
        pass
    other.close()


def test_it_is_prepared_once_whatever_the_values(database: Database) -> None:
    ordered = sa.select(_THINGS.c.id).where(_THINGS.c.kind > sa.bindparam("kind")).order_by(_THINGS.c.kind)
    prepared, looked_at = Prepared(ordered.limit(sa.bindparam("most"))), list[object]()
    with database.transaction() as db:
        db.exec_driver_sql("CREATE INDEX ix_things_kind ON things (kind)")
        # With statistics SQLite would have a closer look at values.
        db.exec_driver_sql("ANALYZE")
    with database.reading() as db:
        connection = db.connection.dbapi_connection
        assert connection is not None
        # Asked whenever a statement is prepared, and then for each column.
        connection.set_authorizer(lambda *what: looked_at.append(what) or 0)
        assert prepared.all(db, kind=_Kind.ODD.value, most=1) == [(2,)]
        assert looked_at
        looked_at.clear()
        for kind, most, found in (("a", 4, 4), ("a", 2, 2), ("p", 9, 1), ("z", 9, 0)):
            assert len(prepared.all(db, kind=kind, most=most)) == found
        assert not looked_at
        connection.set_authorizer(None)
