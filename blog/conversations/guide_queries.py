"""Every statement about guides."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from blog.conversations.model import Guide, Scope, guides_table
from web.cursors import Cursor

_g = guides_table.c
_GUIDE = [_g[name] for name in Guide.__dataclass_fields__]


def find_guide(db: sa.Connection, guide_id: str) -> Guide | None:
    """The guide of that id, if it can be chosen."""
    row = db.execute(sa.select(*_GUIDE).where(_g.id == guide_id, _g.retired_at.is_(None))).one_or_none()
    return None if row is None else _to_guide(row)


def find_any_guide(db: sa.Connection, guide_id: str) -> Guide | None:
    """The guide of that id, also one that is retired: conversations that began with it go on with it."""
    row = db.execute(sa.select(*_GUIDE).where(_g.id == guide_id)).one_or_none()
    return None if row is None else _to_guide(row)


def list_guides(db: sa.Connection) -> list[Guide]:
    """All that can be chosen, the eldest first."""
    rows = db.execute(sa.select(*_GUIDE).where(_g.retired_at.is_(None)).order_by(_g.created_at, _g.id))
    return [_to_guide(row) for row in rows]


def list_retired_guides(db: sa.Connection, *, limit: int, before: Cursor | None = None) -> list[Guide]:
    """Those that cannot be chosen, the last retired first."""
    query = sa.select(*_GUIDE).where(_g.retired_at.is_not(None))
    if before is not None:
        query = query.where(sa.tuple_(_g.retired_at, _g.id) < sa.tuple_(before.at, before.id))
    return [_to_guide(row) for row in db.execute(query.order_by(_g.retired_at.desc(), _g.id.desc()).limit(limit))]


def insert_guide(db: sa.Connection, guide: Guide, *, at: int) -> None:
    """Store a new one."""
    values = {name: getattr(guide, name) for name in Guide.__dataclass_fields__}
    db.execute(sa.insert(guides_table).values(**values, created_at=at))


def update_guide(db: sa.Connection, guide: Guide) -> None:
    """Store what it is now."""
    values = {name: getattr(guide, name) for name in Guide.__dataclass_fields__ if name != "id"}
    db.execute(sa.update(guides_table).where(_g.id == guide.id).values(values))


def set_retired(db: sa.Connection, guide_id: str, *, at: int | None) -> None:
    """Let nobody choose it any more; None: let it be chosen again."""
    changed = {"retired_at": at, "version": _g.version + 1}
    db.execute(sa.update(guides_table).where(_g.id == guide_id).values(changed))


def _to_guide(row: Sequence[Any]) -> Guide:
    values = dict(zip(Guide.__dataclass_fields__, row, strict=True))
    return Guide(**values | {"scope": Scope(values["scope"])})
