"""Feeds of the site, of a tag and of an author: Atom, RSS and JSON, whole texts, the newest first."""

from typing import Any

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.principal import principal
from auth.users.profiles import find_author
from blog.feeds.links import with_whole_links
from blog.posts.model import ShownPost
from blog.posts.queries.lists import list_shown_out
from blog.tags.addresses import tag_path
from blog.tags.names import UnusableTags, normalise_tag
from storage import clock
from web.caching import shared
from web.database import reading
from web.errors import NotFound
from web.render import absolute_url, current_site, render_feed

pages = Blueprint("feeds", __name__)

_MOST = 20


@pages.get("/feed.xml")
@public
@shared()
def atom() -> ResponseReturnValue:
    """Atom (RFC 4287) of the site."""
    return _atom("/feed.xml", "/", None)


@pages.get("/rss.xml")
@public
@shared()
def rss() -> ResponseReturnValue:
    """RSS 2.0 of the site."""
    return render_feed("blog/feeds/rss.xml", mimetype="application/rss+xml", **_feed("/rss.xml", "/", None))


@pages.get("/feed.json")
@public
@shared()
def json_feed() -> Response:
    """JSON Feed 1.1 of the site."""
    feed, site = _feed("/feed.json", "/", None), current_site()
    items = [
        {
            "id": f"urn:uuid:{post['id']}",
            "url": post["url"],
            "title": post["title"],
            "content_html": post["html"],
            "summary": post["excerpt"],
            "date_published": clock.to_rfc3339(post["published_at"]),
            "date_modified": clock.to_rfc3339(post["updated_at"]),
            "authors": [{"name": post["author_name"]}],
            "tags": post["tags"],
            **({"language": post["lang"]} if post["lang"] else {}),
        }
        for post in feed["posts"]
    ]
    response = jsonify(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": site.name,
            "home_page_url": feed["home_url"],
            "feed_url": feed["feed_url"],
            **({"description": site.tagline} if site.tagline else {}),
            "language": site.language,
            "items": items,
        }
    )
    response.mimetype = "application/feed+json"
    return response


@pages.get("/tags/<tag>/feed.xml")
@public
@shared()
def tag_atom(tag: str) -> ResponseReturnValue:
    """Atom of one tag; a tag that nothing readable bears has no feed."""
    try:
        name = normalise_tag(tag)
    except UnusableTags:
        raise NotFound from None
    path = tag_path(name)
    return _atom(f"{path}/feed.xml", path, name, tag=name)


@pages.get("/authors/<username>/feed.xml")
@public
@shared()
def author_atom(username: str) -> ResponseReturnValue:
    """Atom of one author."""
    with reading() as db:
        person = find_author(db, username)
    path = f"/authors/{person.username}"
    return _atom(f"{path}/feed.xml", path, person.display_name, author=person.username)


def _atom(path: str, home: str, about: str | None, **which: str) -> ResponseReturnValue:
    feed = _feed(path, home, about, **which)
    if "tag" in which and not feed["posts"]:
        raise NotFound("Nothing is published under this tag.")
    return render_feed("blog/feeds/atom.xml", mimetype="application/atom+xml", **feed)


def _feed(path: str, home: str, about: str | None, **which: str) -> dict[str, Any]:
    with reading() as db:
        posts = list_shown_out(db, by=principal(), at=clock.now(), limit=_MOST, **which)
    return {
        "about": about,
        "posts": [_entry(post) for post in posts],
        "feed_url": absolute_url(path),
        "home_url": absolute_url(home),
        "updated_at": max((_updated_at(post) for post in posts), default=0),
    }


def _entry(post: ShownPost) -> dict[str, Any]:
    url = absolute_url(post.path)
    names = ("id", "title", "author_name", "tags", "published_at", "lang")
    entry: dict[str, Any] = {name: getattr(post, name) for name in names}
    return entry | {
        "url": url,
        "html": with_whole_links(post.html, url),
        "excerpt": post.summary,
        "updated_at": _updated_at(post),
    }


def _updated_at(post: ShownPost) -> int:
    """An entry is not older than the moment it came out, whenever it was written."""
    return max(post.updated_at, post.published_at or 0)
