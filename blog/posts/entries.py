"""The entries of lists of posts: kept, for when a list is made anew, most of what stands in it is as it was."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from flask import Flask
from markupsafe import Markup

from blog.posts.model import PostLine
from web.site.model import Site

# Those of the lists that are asked for most; an entry takes two kilobytes with what it was made from.
_KEPT = 256


def init_entries(app: Flask) -> None:
    """Templates write `entries(posts, site)`."""

    @lru_cache(_KEPT)
    def entry(post: PostLine, site: Site) -> Markup:
        macros: Any = app.jinja_env.get_template("blog/posts/entries.html").module
        written: Markup = macros.entry(post, site)
        return written

    def entries(posts: Iterable[PostLine], site: Site) -> Markup:
        # What an entry is written with; the rest of the site may change.
        of_site = Site(language=site.language, time_zone=site.time_zone)
        return Markup().join(entry(post, of_site) for post in posts)

    app.jinja_env.globals["entries"] = entries
