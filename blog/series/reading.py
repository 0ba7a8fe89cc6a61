"""What readers find of a series: only posts that are out for them."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.model import ShownPost
from blog.series import queries
from blog.series.model import Part, Place, Series
from storage import clock
from web.errors import NotFound


def read_series(db: sa.Connection, slug: str, *, by: Principal) -> tuple[Series, list[Part]]:
    """The series and its parts. Raises NotFound when nothing of it is out: plans are their author's secret."""
    series = queries.find_series(db, slug)
    parts = [] if series is None else queries.list_parts_out(db, series.id, by=by, at=clock.now())
    if series is None or not parts:
        raise NotFound("There is no such series.")
    return series, parts


def find_place(db: sa.Connection, post: ShownPost, by: Principal) -> Place | None:
    """Where a post stands in its series, counted among those that `by` finds; None when it is in none."""
    found = queries.list_around(db, post, by=by, at=clock.now())
    if found is None:
        return None
    slug, title, parts = found
    index = next((n for n, part in enumerate(parts) if part.post_id == post.id), None)
    if index is None:
        return None
    following = parts[index + 1] if index + 1 < len(parts) else None
    return Place(title, f"/series/{slug}", index + 1, len(parts), parts[index - 1] if index else None, following)
