"""Every statement of the desk. It lists what `by` may know the drafts of; a stranger's post is not found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from blog.posts.events import POST_DELETED, about
from blog.posts.model import PostLine, Status, posts_table, revisions_table
from blog.posts.queries.conditions import is_editable
from blog.posts.queries.rows import FROM, LINE, to_line
from blog.tags.queries import bears_tag
from eventlog.log.model import events_table
from storage.folding import folded

_p = posts_table.c


class State(StrEnum):
    """What a post is waiting for."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"


class Sort(StrEnum):
    """What stands first."""

    CHANGED = "changed"  # drafts before the others, the last changed first
    PUBLISHED = "published"  # the newest first, what was never out last
    TITLE = "title"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which posts, in which order."""

    state: State | None = None
    tag: str | None = None
    text: str = ""
    sort: Sort = Sort.CHANGED
    is_everybodys: bool = False


class Position(NamedTuple):
    """The post that a page of the list ended with: what it is sorted by, as text, and its id."""

    key: str
    id: str


def list_posts(
    db: sa.Connection, filters: Filters, *, by: Principal, at: int, limit: int, after: Position | None = None
) -> list[PostLine]:
    """One page of the list. Raises ValueError for a position that is none in this order."""
    conditions = [_p.deleted_at.is_(None), _is_listed(by, is_everybodys=filters.is_everybodys)]
    if filters.state is not None:
        conditions.append(_is_in(filters.state, at))
    if filters.tag is not None:
        conditions.append(bears_tag(filters.tag, _p.id))
    if filters.text:
        text = folded(filters.text) or ""
        found = (sa.func.folded(each, type_=sa.Text) for each in (_p.title, _p.body))
        conditions.append(sa.or_(*(each.contains(text, autoescape=True) for each in found)))
    if after is not None:
        conditions.append(_is_behind(filters.sort, after))
    query = sa.select(*LINE).select_from(FROM).where(*conditions).order_by(*_order(filters.sort)).limit(limit)
    return [to_line(row, at) for row in db.execute(query)]


def position_of(line: PostLine, sort: Sort) -> Position:
    """Where a page that ends with this post ended."""
    key = {
        Sort.CHANGED: f"{line.status}~{line.updated_at}",
        Sort.PUBLISHED: str(_EARLIEST if line.published_at is None else line.published_at),
        Sort.TITLE: line.title,
    }
    return Position(key[sort], line.id)


def list_chosen(db: sa.Connection, post_ids: Iterable[str], *, by: Principal, at: int) -> list[PostLine]:
    """Those of these posts that `by` may change, by title."""
    these = sa.and_(_p.id.in_(list(post_ids)), _p.deleted_at.is_(None), is_editable(by))
    query = sa.select(*LINE).select_from(FROM).where(these).order_by(*_order(Sort.TITLE))
    return [to_line(row, at) for row in db.execute(query)]


def is_saved_by(db: sa.Connection, post_id: str, version: int, *, by: Principal) -> bool:
    """Whether that version of a post is a save of theirs."""
    r = revisions_table.c
    query = sa.select(r.number).where(r.post_id == post_id, r.number == version, r.user_id == by.user_id)
    return db.execute(query).first() is not None


def is_deleted_by(db: sa.Connection, post_id: str, *, by: Principal) -> bool:
    """Whether the last thing that became of a post is that they have deleted it."""
    e = events_table.c
    query = sa.select(e.kind, e.actor).where(e.subject == about(post_id)).order_by(e.id.desc()).limit(1)
    last = db.execute(query).one_or_none()
    return last is not None and (last.kind, last.actor) == (POST_DELETED.name, by.log_name)


_EARLIEST = -(2**62)  # sorts what was never out behind everything that was
_published_at = sa.func.coalesce(_p.published_at, sa.literal(_EARLIEST))


def _order(sort: Sort) -> list[sa.ColumnElement[object]]:
    if sort == Sort.TITLE:
        return [sa.func.lower(_p.title), _p.id]
    if sort == Sort.PUBLISHED:
        return [_published_at.desc(), _p.id.desc()]
    return [_p.status, _p.updated_at.desc(), _p.id.desc()]  # `draft` before `published`


def _is_behind(sort: Sort, after: Position) -> sa.ColumnElement[bool]:
    if sort == Sort.TITLE:
        return sa.tuple_(sa.func.lower(_p.title), _p.id) > sa.tuple_(sa.func.lower(after.key), after.id)
    if sort == Sort.PUBLISHED:
        return sa.tuple_(_published_at, _p.id) < sa.tuple_(_moment(after.key), after.id)
    text, _, moment = after.key.partition("~")
    status = Status(text)
    is_older = sa.tuple_(_p.updated_at, _p.id) < sa.tuple_(_moment(moment), after.id)
    return sa.or_(_p.status > status, sa.and_(_p.status == status, is_older))


def _moment(text: str) -> int:
    if not (text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 21 and abs(int(text)) < 2**63):
        raise ValueError("This is no moment.")
    return int(text)


def _is_in(state: State, at: int) -> sa.ColumnElement[bool]:
    if state == State.DRAFT:
        return _p.status == Status.DRAFT
    is_later = _p.published_at > at
    return sa.and_(_p.status == Status.PUBLISHED, is_later if state == State.SCHEDULED else _p.published_at <= at)


def _is_listed(by: Principal, *, is_everybodys: bool) -> sa.ColumnElement[bool]:
    if is_everybodys and by.may(Permission.EDIT_ANY_POST):
        return sa.true()
    return _p.author_id == by.user_id if by.may(Permission.READ_OWN_DRAFTS) else sa.false()
