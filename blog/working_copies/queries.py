"""Every statement about working copies. Whose they are is a condition of each: nobody finds another's."""

import json
from typing import Any

import sqlalchemy as sa

from auth.principal import Principal
from blog.working_copies.model import WorkingCopy, working_copies_table

_c = working_copies_table.c
_COPY = [_c[name] for name in WorkingCopy.__dataclass_fields__]


def find_copy(db: sa.Connection, key: str, *, by: Principal) -> WorkingCopy | None:
    """The copy with that key, if it is theirs."""
    return _to_copy(db.execute(sa.select(*_COPY).where(_c.user_id == by.user_id, _c.key == key)).one_or_none())


def find_copy_and_count(db: sa.Connection, key: str, *, by: Principal, since: int) -> tuple[WorkingCopy | None, int]:
    """Their copy with that key, and how many they have, in one statement."""
    always = sa.select(sa.literal(1).label("always")).subquery()
    is_it = sa.and_(_c.user_id == by.user_id, _c.key == key, _c.saved_at >= since)
    count = _count(by, since).scalar_subquery().label("count")
    query = sa.select(*_COPY, count).select_from(always.outerjoin(working_copies_table, is_it))
    *copy, count_there = db.execute(query).one()
    if copy[0] is None:
        return None, count_there
    values = dict(zip(WorkingCopy.__dataclass_fields__, copy, strict=True))
    return WorkingCopy(**values | {"fields": json.loads(values["fields"])}), count_there


def list_of_new(db: sa.Connection, *, by: Principal, since: int) -> list[WorkingCopy]:
    """Their copies of posts that were never saved, the last kept first."""
    mine = (_c.user_id == by.user_id, _c.post_id.is_(None), _c.saved_at >= since)
    rows = db.execute(sa.select(*_COPY).where(*mine).order_by(_c.saved_at.desc(), _c.key))
    return [copy for row in rows if (copy := _to_copy(row)) is not None]


def list_copies(db: sa.Connection, *, by: Principal, since: int) -> list[WorkingCopy]:
    """All their copies, the last kept first."""
    mine = (_c.user_id == by.user_id, _c.saved_at >= since)
    rows = db.execute(sa.select(*_COPY).where(*mine).order_by(_c.saved_at.desc(), _c.key))
    return [copy for row in rows if (copy := _to_copy(row)) is not None]


def count_copies(db: sa.Connection, *, by: Principal, since: int) -> int:
    """How many copies they have."""
    return int(db.execute(_count(by, since)).scalar_one())


def put_copy(db: sa.Connection, copy: WorkingCopy, *, by: Principal) -> None:
    """Store a copy in the place of the one that was there."""
    delete_copy(db, copy.key, by=by)
    values = {name: getattr(copy, name) for name in WorkingCopy.__dataclass_fields__}
    values["fields"] = json.dumps(copy.fields, ensure_ascii=False)
    db.execute(sa.insert(working_copies_table).values(user_id=by.user_id, **values))


def delete_copy(db: sa.Connection, key: str, *, by: Principal) -> None:
    """Their copy with that key, if there is one."""
    db.execute(sa.delete(working_copies_table).where(_c.user_id == by.user_id, _c.key == key))


def delete_typed_into(db: sa.Connection, submission: str, *, by: Principal) -> None:
    """Their copies of what was typed into that very form."""
    db.execute(sa.delete(working_copies_table).where(_c.user_id == by.user_id, _c.submission == submission))


def delete_old(db: sa.Connection, *, by: Principal, before: int) -> None:
    """Their copies that are too old."""
    db.execute(sa.delete(working_copies_table).where(_c.user_id == by.user_id, _c.saved_at < before))


def _count(by: Principal, since: int) -> sa.Select[Any]:
    return sa.select(sa.func.count(_c.key)).where(_c.user_id == by.user_id, _c.saved_at >= since)


def _to_copy(row: Any) -> WorkingCopy | None:
    if row is None:
        return None
    values = dict(row._mapping)
    values["fields"] = json.loads(row.fields)
    return WorkingCopy(**values)
