"""Every statement that keeps the index. FTS5 is SQLite's own, so some of them are in its words."""

import secrets
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from blog.indexing.model import indexed_posts_table, number_of, post_words_table
from blog.indexing.words import Words
from storage.prepared import Prepared

_i = indexed_posts_table.c
_w = post_words_table.c
_FIND = Prepared(
    sa.select(*(_w[name] for name in Words._fields), _i.published_at)
    .join_from(indexed_posts_table, post_words_table, _w.rowid == _i.id)
    .where(_i.post_id == sa.bindparam("post_id"))
)
_TAKEN = Prepared(sa.select(_i.id).where(_i.id == sa.bindparam("number", type_=sa.Integer)))
_NUMBER = Prepared(sa.select(_i.id).where(_i.post_id == sa.bindparam("post_id", type_=sa.Text)))
_CREATE = (
    "CREATE VIRTUAL TABLE post_words USING fts5(title, tags, body, keys, name,"
    " tokenize = 'unicode61 remove_diacritics 2', prefix = '3')"
)
# From then on what is deleted is gone from the file, and not only marked (SQLite 3.42).
_ERASE = "INSERT INTO post_words(post_words, rank) VALUES ('secure-delete', 1)"
_ERASES_SINCE = (3, 42)


class Entry(NamedTuple):
    """What the index holds of one post."""

    words: Words
    published_at: int


def find_entry(db: sa.Connection, post_id: str) -> Entry | None:
    """The entry of a post, if it has one."""
    row = _FIND.first(db, post_id=post_id)
    return None if row is None else Entry(Words(*row[:-1]), row[-1])


def insert_entry(db: sa.Connection, post_id: str, entry: Entry) -> None:
    """Let a post be found that has no entry."""
    number = _free_number(db, number_of(entry.published_at))
    row = {"id": number, "post_id": post_id, "published_at": entry.published_at}
    db.execute(sa.insert(indexed_posts_table), row)
    db.execute(sa.insert(post_words_table), {"rowid": number, **entry.words._asdict()})


def delete_entry(db: sa.Connection, post_id: str) -> None:
    """Let a post be found no longer; whether it was does not matter."""
    if found := _NUMBER.first(db, post_id=post_id):
        (number,) = found
        db.execute(sa.delete(post_words_table).where(_w.rowid == number))
        db.execute(sa.delete(indexed_posts_table).where(_i.id == number))


def count_entries(db: sa.Connection) -> tuple[int, int]:
    """How many posts the index knows, and how many entries it has."""
    known = sa.select(sa.func.count()).select_from(indexed_posts_table).scalar_subquery()
    entries = sa.select(sa.func.count()).select_from(post_words_table).scalar_subquery()
    row = db.execute(sa.select(known, entries)).one()
    return row[0], row[1]


def find_faults(db: sa.Connection) -> list[str]:
    """What SQLite finds wrong in the index by itself, where it can tell without writing; nothing: it is whole."""
    found = db.exec_driver_sql("PRAGMA integrity_check('post_words')").scalars()
    return [str(fault) for fault in found if fault != "ok"]


def empty_index(db: sa.Connection) -> None:
    """Make the index anew, with nothing in it, whatever state it was in."""
    db.exec_driver_sql("DROP TABLE IF EXISTS post_words")
    db.execute(sa.delete(indexed_posts_table))
    db.exec_driver_sql(_CREATE)
    version = tuple(int(part) for part in db.exec_driver_sql("SELECT sqlite_version()").scalar_one().split("."))
    if version >= _ERASES_SINCE:
        db.exec_driver_sql(_ERASE)


def _free_number(db: sa.Connection, wanted: int) -> int:
    for number in _near(wanted):
        if _TAKEN.first(db, number=number) is None:
            return number
    raise AssertionError("never ends")


def _near(wanted: int) -> Iterator[int]:
    # An import may bring thousands of posts of one moment: not one after the other, but ever further away.
    yield wanted
    reach = 4
    while True:
        yield wanted + secrets.randbelow(reach)
        reach *= 2
