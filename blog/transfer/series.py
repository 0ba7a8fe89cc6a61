"""The series of a folder: `series.json`, an object for each, with the ids of its posts in their order."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.content import SLUG
from blog.posts.queries import finding
from blog.series import arranging
from blog.series import queries as all_series
from blog.series.model import Series
from blog.transfer.beside import dump, load
from blog.transfer.queries import SeriesLine
from storage.ids import parse_id
from web.errors import Conflict, Invalid

PATH = "series.json"
MOST_BYTES = 64 * 1024 * 1024


def write(found: Sequence[SeriesLine]) -> str:
    """The file, the same for the same series; nothing when there are none."""
    return dump([line._asdict() for line in found]) if found else ""


def read(data: bytes) -> list[SeriesLine]:
    """What the file says. Raises ValueError for what is no such file."""
    found = load(data)
    if not isinstance(found, list):
        raise ValueError("not a list")
    return [_read_one(said) for said in found]


def take_in(db: sa.Connection, line: SeriesLine, *, by: Principal) -> list[str]:
    """Let `by` have that series, its posts first and in this order; returns a sentence for each that it lacks.

    What was put into it here stays, behind them; where all is so already, nothing is changed. Raises Conflict when the
    address is another person's series; Invalid for a title or an address that cannot be.
    """
    series = _find_or_make(db, line, by=by)
    if series.title != line.title:
        arranging.rename_series(db, series.id, title=line.title, by=by)
    lost, wanted = [], []
    for post_id in dict.fromkeys(line.posts):
        post = finding.find_post(db, post_id=post_id)
        if post is None or post.deleted_at is not None:
            lost.append(f"{line.slug}: the post {post_id} is not here.")
            continue
        try:
            arranging.add_part(db, series.id, slug=post.slug, by=by)
        except Invalid as refusal:
            lost.append(f"{line.slug}: {' '.join(refusal.fields.values())}")
        else:
            wanted.append(post_id)
    for place, post_id in enumerate(wanted, start=1):
        arranging.move_part(db, series.id, post_id, place=place, by=by)
    return lost


def _find_or_make(db: sa.Connection, line: SeriesLine, *, by: Principal) -> Series:
    series = all_series.find_series(db, line.slug)
    if series is None:
        # Two series of one person may have come to the same title, but are not made with it.
        is_free = all_series.find_own_titled(db, line.title, by=by) is None
        title = line.title if is_free else f"{line.title[:100]} ({line.slug})"
        series = arranging.create_series(db, title=title, slug=line.slug, by=by)
    if series.author_id != by.user_id or series.slug != line.slug:
        raise Conflict(f"Another series stands at {line.slug}.")
    return series


def _read_one(said: Any) -> SeriesLine:
    if not isinstance(said, dict):
        raise ValueError("not an object for each series")
    slug, title, author, post_ids = (said.get(name) for name in SeriesLine._fields)
    if not isinstance(slug, str) or not isinstance(title, str) or not isinstance(author, str):
        raise ValueError("a series without address, title or author")
    if (
        not SLUG.fullmatch(slug)
        or not isinstance(post_ids, list)
        or not all(isinstance(each, str) and parse_id(each) == each for each in post_ids)
    ):
        raise ValueError("a series whose address cannot be, or whose posts are no list of ids")
    return SeriesLine(slug, title, author, post_ids)
