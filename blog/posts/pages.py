"""What readers see of posts: home, one post, one tag, one author."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from flask import Blueprint, Flask, current_app, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from auth.guards import public
from auth.principal import Principal, principal
from auth.users.profiles import find_author
from blog.posts import queries
from blog.posts.model import Kind, Post, PostLine
from blog.posts.queries import Cursor
from blog.posts.reading import Readable, may_edit, read_post, refuse_to_members_only
from blog.rendering import contents
from blog.tags.names import UnusableTags, normalise_tag
from blog.tags.queries import find_present_tag
from storage import clock
from storage.ids import parse_id
from web.database import reading
from web.error_pages import challenge
from web.errors import NotFound
from web.negotiation import wants_json
from web.render import absolute_url, render_page

pages = Blueprint("posts", __name__)

_PER_PAGE = 10

# What a post is a part of, as its page shows it; None: nothing.
FindSeries = Callable[[sa.Connection, Post, Principal], object]


def init_post_pages(app: Flask, find_series: FindSeries) -> None:
    """`find_series` gives the series that a post is a part of, as somebody sees it: a floor above knows."""
    app.extensions["find_series"] = find_series


@pages.get("/")
@public
def home() -> ResponseReturnValue:
    """The newest posts."""
    posts, older = _page_of_lines()
    return render_page("blog/posts/home.html", posts=posts, **_paging("/", older))


@pages.get("/tags/<tag>")
@public
def tag(tag: str) -> ResponseReturnValue:
    """The newest posts under one tag; a tag that nothing readable bears is not there, a renamed one leads on."""
    try:
        name = normalise_tag(tag)
    except UnusableTags:
        raise NotFound from None
    posts, older = _page_of_lines(tag=name)
    if not posts:
        return _lead_on(name)
    return render_page("blog/posts/tag.html", tag=name, posts=posts, **_paging(request.path, older))


def _lead_on(former: str) -> ResponseReturnValue:
    # Only to where this reader finds something: whether drafts bear a tag is nobody's business.
    with reading() as db:
        present = find_present_tag(db, former)
        found = present and queries.list_out(db, by=principal(), at=clock.now(), limit=1, tag=present)
    if present is None or not found:
        raise NotFound("Nothing is published under this tag.")
    return redirect(f"/tags/{quote(present, safe='')}", code=301)


@pages.get("/authors/<username>")
@public
def author(username: str) -> ResponseReturnValue:
    """What one person has published, and a few words about them."""
    with reading() as db:
        person = find_author(db, username)
    posts, older = _page_of_lines(author=person.username)
    return render_page("blog/posts/author.html", person=person, posts=posts, **_paging(request.path, older))


@pages.get("/posts/<slug>")
@public
def show(slug: str) -> ResponseReturnValue:
    """One post."""
    return _answer(*_read(slug), asked=f"/posts/{slug}")


@pages.get("/<page:slug>")
@public
def page(slug: str) -> ResponseReturnValue:
    """One page beside the posts."""
    readable, series = _read(slug)
    with reading() as db:
        was_here = readable.post.kind == Kind.PAGE or queries.was_page_at(db, readable.post.id, slug)
    if not was_here:
        # A post's address is another one, and nobody was ever told this one.
        raise NotFound
    return _answer(readable, series, asked=f"/{slug}")


def _read(slug: str) -> tuple[Readable, object]:
    find_series: FindSeries = current_app.extensions["find_series"]
    with reading() as db:
        readable = read_post(db, by=principal(), slug=slug)
        series = None if readable.is_withheld else find_series(db, readable.post, principal())
    return readable, series


def _answer(readable: Readable, series: object, *, asked: str) -> ResponseReturnValue:
    who, post = principal(), readable.post
    if post.path != asked:
        return redirect(post.path, code=301)
    if readable.is_withheld:
        if who.is_authenticated or wants_json():
            refuse_to_members_only(by=who)
        return _withhold(post)
    return render_page("blog/posts/post.html", post=_shown(post), series=series, may_edit=may_edit(post, by=who))


def _withhold(post: Post) -> ResponseReturnValue:
    # Nothing but what the author wrote for everybody: an excerpt made from the text would give the text away.
    response = render_page(
        "blog/posts/members_only.html",
        status=401,
        title=post.title,
        excerpt=post.excerpt,
        sign_in_url=f"/login?next={post.path}",
    )
    response.headers["WWW-Authenticate"] = challenge()
    return response


def _shown(post: Post) -> dict[str, Any]:
    names = (
        "slug", "path", "kind", "title", "author_name", "author_username", "tags", "published_at", "updated_at",
        "visibility", "status", "version",
    )  # fmt: skip
    shown: dict[str, Any] = {name: getattr(post, name) for name in names}
    return shown | {
        "contents": contents(post.html),
        "html": Markup(post.html),  # noqa: S704 - sanitised when it was saved
        "excerpt": post.summary,
        "is_scheduled": post.is_scheduled(clock.now()),
    }


def _page_of_lines(**which: str) -> tuple[list[PostLine], Cursor | None]:
    before = request.args.get("before")
    cursor = None if before is None else _parse_cursor(before)
    with reading() as db:
        posts = queries.list_out(db, by=principal(), at=clock.now(), limit=_PER_PAGE + 1, before=cursor, **which)
    if len(posts) <= _PER_PAGE:
        return posts, None
    last = posts[_PER_PAGE - 1]
    return posts[:_PER_PAGE], Cursor(last.published_at or 0, last.id)


def _paging(path: str, older: Cursor | None) -> dict[str, Any]:
    is_first = "before" not in request.args
    return {
        "older_url": None if older is None else f"{path}?before={older.at}~{older.id}",
        "newer_url": None if is_first else path,
        "is_first_page": is_first,
        "canonical_url": absolute_url(path) if is_first else None,
    }


def _parse_cursor(text: str) -> Cursor:
    at, _, post_id = text.partition("~")
    known = parse_id(post_id)
    if known is None or len(at) > 18 or not at.removeprefix("-").isdecimal() or not at.isascii():
        raise NotFound("This is not a page of this list.")
    return Cursor(int(at), known)
