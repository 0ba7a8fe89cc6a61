"""Making a series, and deciding what stands in it, in which order.

A change says what it wants (this post at that place), not what to do (one up): sent twice, it is done once, and two
people who arrange one series at the same time both get what they asked for where that is possible.
"""

import secrets

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from blog.posts.content import Fault, check_slug, check_title, slug_from
from blog.posts.writing import find_editable as find_editable_post
from blog.series import queries
from blog.series.events import SERIES_CHANGED, SERIES_CREATED, SERIES_DELETED, about
from blog.series.model import Series
from eventlog.kinds import Kind
from eventlog.log.appending import append_event
from storage import clock
from storage.ids import new_id
from web.errors import Forbidden, Gone, Invalid, NotFound, Stale
from web.site.queries import touch

_NO_SERIES = "There is no such series, or no longer."
MOST_SERIES, MOST_PARTS = 500, 200


def find_editable(db: sa.Connection, series_id: str, *, by: Principal) -> Series:
    """The series, for a change. Raises NotFound when there is none, or none that `by` may change."""
    series = queries.find_editable(db, series_id, by=by)
    if series is None:
        raise NotFound(_NO_SERIES)
    return series


def create_series(db: sa.Connection, *, title: str, slug: str = "", by: Principal) -> Series:
    """Make one, with nothing in it; the title that one's own series has already leads to that one.

    Raises Invalid for a title or an address that cannot be, or is taken.
    """
    if not by.may(Permission.WRITE_POSTS) or by.user_id is None:
        raise Forbidden
    title, slug = _checked(title, slug.strip())
    if existing := queries.find_own_titled(db, title, by=by):
        return existing
    if queries.count_own(db, by=by) >= MOST_SERIES:
        raise Invalid({"title": f"You have {MOST_SERIES} series. Delete one first."})
    if slug and queries.is_slug_taken(db, slug):
        raise Invalid({"slug": "Another series has this address. Choose another one, or leave it empty."})
    series = Series(new_id(), slug or _free_slug(db, title), title, by.user_id, by.display_name, 1)
    queries.insert_series(db, series, at=clock.now())
    _record(db, SERIES_CREATED, series, by=by)
    return series


def rename_series(db: sa.Connection, series_id: str, *, title: str, by: Principal, version: int | None = None) -> None:
    """Give it another title; its address stays.

    Raises NotFound, Invalid; Stale when `version` is given and is not the current one.
    """
    series = find_editable(db, series_id, by=by)
    title, _slug = _checked(title, "")
    if title == series.title:
        return
    _check_version(series, version)
    queries.update_series(db, series, title=title)
    _record(db, SERIES_CHANGED, series, by=by, title=title, change="renamed")


def add_part(db: sa.Connection, series_id: str, *, slug: str, by: Principal) -> None:
    """Put a post at the end of the series; one that is in it already stays where it is.

    Raises NotFound for the series; Invalid for a post that is not there, or not theirs to change, or in another series.
    """
    series = find_editable(db, series_id, by=by)
    if not slug:
        raise Invalid({"post": "Choose a post, or write the address of one."})
    try:
        post = find_editable_post(db, by=by, slug=slug)
    except (NotFound, Gone, Forbidden):
        raise Invalid({"slug": "No post of yours stands at this address."}) from None
    other = queries.find_series_of(db, post.id)
    if other is not None and other.id == series.id:
        return
    if other is not None:
        raise Invalid({"slug": f"“{post.title}” is in the series “{other.title}”. Take it out there first."})
    order = queries.list_order(db, series.id)
    if len(order) >= MOST_PARTS:
        raise Invalid({"slug": f"A series has at most {MOST_PARTS} posts."})
    _arrange(db, series, [*order, post.id], by=by, change="added", slug=post.slug)


def move_part(db: sa.Connection, series_id: str, post_id: str, *, place: int, by: Principal) -> None:
    """Let a post be the first, second … of those that are not deleted. Raises NotFound."""
    series = find_editable(db, series_id, by=by)
    parts = [part.post_id for part in queries.list_parts(db, series.id, by=by, at=clock.now())]
    if post_id not in parts:
        raise NotFound("This post is not in the series, or no longer.")
    shown = [part for part in parts if part != post_id]
    shown.insert(max(place - 1, 0), post_id)
    if shown == parts:
        return
    deleted = [each for each in queries.list_order(db, series.id) if each not in set(parts)]
    _arrange(db, series, [*shown, *deleted], by=by, change="moved", post=post_id)


def remove_part(db: sa.Connection, series_id: str, post_id: str, *, by: Principal) -> None:
    """Take a post out of the series; one that is not in it stays out. Its own author may, whosever series it is.

    Raises NotFound for the series.
    """
    series = queries.find_holding(db, series_id, post_id, by=by) or queries.find_editable(db, series_id, by=by)
    if series is None and queries.is_own_post(db, post_id, by=by):
        return
    if series is None:
        raise NotFound(_NO_SERIES)
    order = queries.list_order(db, series.id)
    if post_id in order:
        _arrange(db, series, [each for each in order if each != post_id], by=by, change="removed", post=post_id)


def delete_series(db: sa.Connection, series_id: str, *, by: Principal, version: int | None = None) -> None:
    """Take it away; its posts stay. Raises NotFound; Stale when `version` is given and is not the current one."""
    series = find_editable(db, series_id, by=by)
    _check_version(series, version)
    queries.delete_series(db, series.id)
    _record(db, SERIES_DELETED, series, by=by)


def _arrange(db: sa.Connection, series: Series, post_ids: list[str], *, by: Principal, **what: str) -> None:
    queries.store_order(db, series.id, post_ids)
    queries.update_series(db, series, title=series.title)
    _record(db, SERIES_CHANGED, series, by=by, **what)


def _record(db: sa.Connection, kind: Kind, series: Series, *, by: Principal, **what: str) -> None:
    payload = {"title": series.title, "series": series.slug, **what}
    append_event(db, kind, by=by, subject=about(series.id), payload=payload)
    touch(db)


def _check_version(series: Series, version: int | None) -> None:
    if version is not None and version != series.version:
        raise Stale(series.version)


def _checked(title: str, slug: str) -> tuple[str, str]:
    faults, values = {}, []
    for name, given, check in (("title", title, check_title), ("slug", slug, check_slug)):
        try:
            values.append(check(given))
        except Fault as fault:
            faults[name] = str(fault)
    if faults:
        raise Invalid(faults)
    return values[0], values[1]


def _free_slug(db: sa.Connection, title: str) -> str:
    base = slug_from(title)
    for slug in (base, *(f"{base}-{number}" for number in range(2, 10))):
        if not queries.is_slug_taken(db, slug):
            return slug
    return f"{base}-{secrets.token_hex(4)}"
