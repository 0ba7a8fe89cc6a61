"""Pieces of the pages of posts: kept, for when a page is made anew, most of what stands in it is as it was."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from flask import Flask
from markupsafe import Markup

from blog.posts.model import Kind, PostLine, ShownPost
from blog.posts.queries.lists import Neighbour
from web.render import render_macro
from web.site.model import Site

# Those of the pages that are asked for most; a piece takes two kilobytes with what it was made from.
_KEPT = 256


class _Heading(NamedTuple):
    """All that stands above a text."""

    title: str
    path: str
    is_page: bool
    author_username: str
    author_name: str
    published_at: int | None
    updated_at: int
    version: int
    visibility: str
    excerpt: str
    lang: str


class _Following(NamedTuple):
    """All that stands below it, and leads on."""

    before: Neighbour | None
    after: Neighbour | None
    author_username: str
    author_name: str
    lang: str


def init_pieces(app: Flask) -> None:
    """Templates write `posts|entries(site)`, `tags|tag_list`, `post|heading(…)` and `post|following(…)`.

    As filters: a call of a global is looked at more closely, and costs a dozen of them.
    """
    app.jinja_env.filters.update(entries=_entries, tag_list=_tag_list, heading=_heading, following=_following)


def _entries(posts: Iterable[PostLine], site: Site) -> Markup:
    of_site = _as_dates_need(site)
    return Markup().join(_entry(post, of_site) for post in posts)


def _tag_list(tags: Iterable[str]) -> Markup:
    return _tags(tuple(tags))


def _heading(post: ShownPost, minutes: int, site: Site, time_zone: str | None) -> Markup:
    """`time_zone`: of whoever reads, in which they see when a draft was changed."""
    shown = _Heading(
        post.title,
        post.path,
        post.kind == Kind.PAGE,
        post.author_username,
        post.author_name,
        post.published_at,
        post.updated_at,
        post.version,
        post.visibility,
        post.excerpt,
        post.lang,
    )
    return _above(shown, minutes, _as_dates_need(site), None if post.published_at else time_zone)


def _following(post: ShownPost, before: Neighbour | None, after: Neighbour | None, site: Site) -> Markup:
    shown = _Following(before, after, post.author_username, post.author_name, post.lang)
    return _below(shown, _as_dates_need(site))


def _as_dates_need(site: Site) -> Site:
    # What a piece is written with; the rest of the site may change.
    return Site(language=site.language, time_zone=site.time_zone)


@lru_cache(_KEPT)
def _entry(post: PostLine, site: Site) -> Markup:
    return render_macro("blog/posts/entries.html", "entry", post, site)


@lru_cache(_KEPT)
def _tags(tags: tuple[str, ...]) -> Markup:
    return render_macro("blog/posts/entries.html", "tags", tags)


@lru_cache(_KEPT)
def _above(post: _Heading, minutes: int, site: Site, time_zone: str | None) -> Markup:
    return render_macro("blog/posts/frame.html", "heading", post, minutes, site, time_zone)


@lru_cache(_KEPT)
def _below(post: _Following, site: Site) -> Markup:
    return render_macro("blog/posts/frame.html", "following", post, site)
