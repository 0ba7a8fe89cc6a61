"""The Atom feed of the site."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.principal import principal
from blog.posts.model import Post
from blog.posts.queries import list_whole_out
from storage import clock
from web.database import reading
from web.render import absolute_url, render_feed

pages = Blueprint("feeds", __name__)

_MOST = 20


@pages.get("/feed.xml")
@public
def atom() -> ResponseReturnValue:
    """Atom (RFC 4287), whole texts, the newest first."""
    with reading() as db:
        posts = list_whole_out(db, by=principal(), at=clock.now(), limit=_MOST)
    entries = [_entry(post) for post in posts]
    return render_feed(
        "blog/feeds/atom.xml",
        mimetype="application/atom+xml",
        posts=entries,
        feed_url=absolute_url("/feed.xml"),
        home_url=absolute_url("/"),
        updated_at=max((_updated_at(post) for post in posts), default=0),
    )


def _entry(post: Post) -> dict[str, object]:
    names = ("id", "title", "html", "author_name", "tags", "published_at")
    entry: dict[str, object] = {name: getattr(post, name) for name in names}
    return entry | {
        "url": absolute_url(post.path),
        "excerpt": post.summary,
        "updated_at": _updated_at(post),
    }


def _updated_at(post: Post) -> int:
    """An entry is not older than the moment it came out, whenever it was written."""
    return max(post.updated_at, post.published_at or 0)
