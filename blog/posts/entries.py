"""The entries of lists of posts, and the tags of one: kept, for when a page is made anew, most in it is as it was."""

from collections.abc import Iterable
from functools import lru_cache

from flask import Flask
from markupsafe import Markup

from blog.posts.model import PostLine
from web.render import render_macro
from web.site.model import Site

# Those of the lists that are asked for most; an entry takes two kilobytes with what it was made from.
_KEPT = 256


def init_entries(app: Flask) -> None:
    """Templates write `entries(posts, site)` and `tag_list(tags)`."""
    app.jinja_env.globals.update(entries=_entries, tag_list=_tag_list)


def _entries(posts: Iterable[PostLine], site: Site) -> Markup:
    # What an entry is written with; the rest of the site may change.
    of_site = Site(language=site.language, time_zone=site.time_zone)
    return Markup().join(_entry(post, of_site) for post in posts)


def _tag_list(tags: Iterable[str]) -> Markup:
    return _tags(tuple(tags))


@lru_cache(_KEPT)
def _entry(post: PostLine, site: Site) -> Markup:
    return render_macro("blog/posts/entries.html", "entry", post, site)


@lru_cache(_KEPT)
def _tags(tags: tuple[str, ...]) -> Markup:
    return render_macro("blog/posts/entries.html", "tags", tags)
