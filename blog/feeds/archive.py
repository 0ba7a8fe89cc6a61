"""The archive: the months in which something came out, and what came out in each."""

from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from auth.principal import Principal
from blog.feeds import queries
from blog.feeds.months import Month, backwards, month_of
from blog.feeds.queries import Title
from web.cursors import Cursor

# Counted in one statement.
_MONTHS_AT_ONCE = 240


class Counted(NamedTuple):
    """A month, a moment in it for its name, how many posts came out in it, and them if they are shown."""

    month: Month
    at: int
    post_count: int
    titles: list[Title]


class Page(NamedTuple):
    """A page of what came out in a month, where the next one begins, and the months beside it."""

    titles: list[Title]
    next: Cursor | None
    earlier: Month | None
    later: Month | None


def count_months(db: sa.Connection, *, by: Principal, at: int, zone: ZoneInfo) -> list[Counted]:
    """Every month in which posts came out that `by` finds as a reader, the newest first."""
    counted: list[Counted] = []
    newest = queries.find_newest(db, by=by, at=at)
    while newest is not None:
        # Years without a post are leapt over, however many there are.
        by_start = {month.start(zone): month for month in islice(backwards(month_of(newest, zone)), _MONTHS_AT_ONCE)}
        bounds = [(start, month.end(zone)) for start, month in by_start.items()]
        counts = dict(queries.count_within(db, bounds, by=by, at=at))
        some = (Counted(month, month.middle(zone), counts[start], []) for start, month in by_start.items())
        counted += [each for each in some if each.post_count]
        newest = queries.find_newest(db, by=by, at=min(by_start) - 1)
    return counted


def with_titles(db: sa.Connection, counted: list[Counted], *, by: Principal, at: int) -> list[Counted]:
    """The same months with what came out in them: for few posts."""
    titles = iter(queries.list_titles(db, by=by, at=at, limit=sum(each.post_count for each in counted)))
    return [each._replace(titles=list(islice(titles, each.post_count))) for each in counted]


def read_month(
    db: sa.Connection, month: Month, *, by: Principal, at: int, zone: ZoneInfo, limit: int, after: Cursor | None
) -> Page:
    """What came out in a month, the newest first, from a place on; nothing: there is no such page."""
    start, end = month.start(zone), month.end(zone)
    found = queries.list_titles(db, by=by, at=min(at, end - 1), limit=limit + 1, start=start, after=after)
    titles = found[:limit]
    last = Cursor(titles[-1].published_at, titles[-1].id) if len(found) > limit else None
    beside = (
        queries.find_newest(db, by=by, at=min(at, start - 1)),
        queries.find_oldest(db, by=by, at=at, since=end),
    )
    return Page(titles, last, *(None if moment is None else month_of(moment, zone) for moment in beside))
