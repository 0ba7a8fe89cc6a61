"""What readers see of posts: home, one post, one tag, one author, all tags."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Flask, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.permissions import Permission
from auth.principal import Principal, principal
from auth.users.profiles import find_author
from blog.posts.model import Held, Kind, PostLine, ShownPost
from blog.posts.pieces import init_pieces
from blog.posts.queries import lists, revisions
from blog.posts.reading import Readable, read_shown
from blog.posts.showing import Around, answer
from blog.tags.addresses import tag_path
from blog.tags.names import UnusableTags, normalise_tag, without_accents
from blog.tags.queries import find_present_tag
from storage import clock
from web.caching import shared
from web.current import this_app
from web.cursors import Cursor, cursor_of_page
from web.database import reading
from web.errors import NotFound
from web.paging import cut
from web.render import absolute_url, render_page

pages = Blueprint("posts", __name__)

_PER_PAGE = 10

# What a post is a part of, as its page shows it; None: nothing.
FindSeries = Callable[[sa.Connection, ShownPost, Principal], object]
# How somebody holds a post; None: not at all.
FindHolding = Callable[[sa.Connection, ShownPost, Principal], Held | None]


def init_post_pages(app: Flask, find_series: FindSeries, find_holding: FindHolding) -> None:
    """`find_series` gives the series that a post is a part of, as somebody sees it: a floor above knows.

    `find_holding` tells how somebody holds it in their library, for the buttons of those who are signed in.
    """
    app.add_template_filter(tag_path)
    init_pieces(app)
    app.extensions["find_series"] = find_series
    app.extensions["find_holding"] = find_holding


@pages.get("/")
@public
@shared("before")
def home() -> ResponseReturnValue:
    """The newest posts."""
    posts, older = _page_of_lines()
    return render_page("blog/posts/home.html", posts=posts, **_paging("/", older))


@pages.get("/tags/<tag>")
@public
@shared("before")
def tag(tag: str) -> ResponseReturnValue:
    """The newest posts under one tag; a tag that nothing readable bears is not there, a renamed one leads on."""
    try:
        name = normalise_tag(tag)
    except UnusableTags:
        raise NotFound from None
    posts, older = _page_of_lines(tag=name)
    if not posts:
        return _lead_on(name)
    return render_page("blog/posts/tag.html", tag=name, posts=posts, **_paging(tag_path(name), older))


def _lead_on(former: str) -> ResponseReturnValue:
    # Only to where this reader finds something: whether drafts bear a tag is nobody's business.
    with reading() as db:
        present = find_present_tag(db, former)
        found = present and lists.list_out(db, by=principal(), at=clock.now(), limit=1, tag=present)
    if present is None or not found:
        raise NotFound("Nothing is published under this tag.")
    return redirect(tag_path(present), code=301)


@pages.get("/authors/<username>")
@public
@shared("before")
def author(username: str) -> ResponseReturnValue:
    """What one person has published, and a few words about them."""
    with reading() as db:
        person = find_author(db, username)
    path = f"/authors/{person.username}"
    posts, older = _page_of_lines(author=person.username)
    return render_page("blog/posts/author.html", person=person, posts=posts, **_paging(path, older))


@pages.get("/posts/<slug>")
@public
@shared()
def show(slug: str) -> ResponseReturnValue:
    """One post."""
    return answer(*_read(slug), asked=f"/posts/{slug}")


@pages.get("/<page:slug>")
@public
@shared()
def page(slug: str) -> ResponseReturnValue:
    """One page beside the posts."""
    readable, around = _read(slug)
    with reading() as db:
        was_here = readable.post.kind == Kind.PAGE or revisions.was_page_at(db, readable.post.id, slug)
    if not was_here:
        # A post's address is another one, and nobody was ever told this one.
        raise NotFound
    return answer(readable, around, asked=f"/{slug}")


@pages.get("/tags")
@public
@shared()
def tags() -> ResponseReturnValue:
    """Every tag, and on how many posts this reader finds it."""
    with reading() as db:
        counted = lists.count_by_tag(db, by=principal(), at=clock.now())
    counted.sort(key=lambda each: without_accents(each[0]))
    return render_page("blog/posts/tags.html", counted=counted)


def _read(slug: str) -> tuple[Readable[ShownPost], Around]:
    find_series: FindSeries = this_app().extensions["find_series"]
    by, at = principal(), clock.now()
    with reading() as db:
        readable = read_shown(db, by=by, slug=slug)
        post = readable.post
        if readable.is_withheld:
            return readable, Around()
        series = find_series(db, post, by)
        held = _find_held(db, post, by)
        if post.kind == Kind.PAGE or not post.is_out(at):
            return readable, Around(series, held=held)
        return readable, Around(series, *lists.find_neighbours(db, post, by=by, at=at), held=held)


def _find_held(db: sa.Connection, post: ShownPost, by: Principal) -> str | None:
    """How its reader holds it; empty: not at all. None for visitors and programs, who have no buttons."""
    if not (by.has_session and by.may(Permission.CONVERSE)):
        return None
    find_holding: FindHolding = this_app().extensions["find_holding"]
    return find_holding(db, post, by) or ""


def _page_of_lines(**which: str) -> tuple[Sequence[PostLine], Cursor | None]:
    before = request.args.get("before")
    cursor = cursor_of_page(before)
    with reading() as db:
        posts = lists.list_out(db, by=principal(), at=clock.now(), limit=_PER_PAGE + 1, before=cursor, **which)
    shown, last = cut(posts, _PER_PAGE)
    return shown, None if last is None else Cursor(last.published_at or 0, last.id)


def _paging(path: str, older: Cursor | None) -> dict[str, Any]:
    is_first = "before" not in request.args
    return {
        "older_url": None if older is None else f"{path}?before={older}",
        "newer_url": None if is_first else path,
        "is_first_page": is_first,
        "canonical_url": absolute_url(path) if is_first else None,
    }
