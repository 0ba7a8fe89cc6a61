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


def list_of_new(db: sa.Connection, *, by: Principal, since: int) -> list[WorkingCopy]:
    """Their copies of posts that were never saved, the last kept first."""
    mine = (_c.user_id == by.user_id, _c.post_id.is_(None), _c.saved_at >= since)
    rows = db.execute(sa.select(*_COPY).where(*mine).order_by(_c.saved_at.desc(), _c.key))
    return [copy for row in rows if (copy := _to_copy(row)) is not None]


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


def delete_surplus(db: sa.Connection, *, by: Principal, older_than: int, beyond: int) -> None:
    """Their copies that are too old, or too many: the oldest go."""
    newest = sa.select(_c.key).where(_c.user_id == by.user_id).order_by(_c.saved_at.desc(), _c.key).limit(beyond)
    surplus = sa.or_(_c.saved_at < older_than, _c.key.not_in(newest))
    db.execute(sa.delete(working_copies_table).where(_c.user_id == by.user_id, surplus))


def _to_copy(row: Any) -> WorkingCopy | None:
    if row is None:
        return None
    values = dict(row._mapping)
    values["fields"] = json.loads(row.fields)
    return WorkingCopy(**values)
