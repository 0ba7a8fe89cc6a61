"""Pages made anew: when the renderer has changed, or what they depend on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from blog.media.queries import list_posts_with
from blog.media.uses import digests_in
from blog.posts.content import render_in
from blog.posts.indexing import index_post
from blog.posts.queries import stale
from blog.posts.surroundings import surroundings_of
from blog.rendering import RENDERER_VERSION, excerpt
from storage import clock
from storage.engine import Database
from storage.jobs import enqueue
from web.site.queries import touch

RERENDER = "posts.rerender"
_AT_ONCE = 20


def plan_rerendering(db: sa.Connection, *, everything: bool = False) -> None:
    """Let a job make the pages anew that an older renderer has made, or all of them."""
    if everything:
        stale.mark_all_stale(db)
    if stale.list_stale(db, renderer=RENDERER_VERSION, limit=1):
        enqueue(db, RERENDER, {}, run_at=clock.now())


def plan_rerendering_around(database: Database, address: str) -> None:
    """Let a job make the pages anew in whose texts that picture stands: what is known of it has changed."""
    with database.reading() as db:
        post_ids = [post_id for digest in digests_in(address) for post_id in list_posts_with(db, digest)]
    if post_ids:
        with database.transaction() as db:
            stale.mark_stale(db, post_ids)
            plan_rerendering(db)


def rerender(database: Database, _payload: Mapping[str, Any], *, own_host: str | None) -> int | None:
    """Make some pages anew, each in a transaction of its own, and say whether there are more.

    It makes no revision and no new version: what the author wrote is the same.
    """
    with database.reading() as db:
        posts = stale.list_stale(db, renderer=RENDERER_VERSION, limit=_AT_ONCE)
        around = [surroundings_of(db, post.body, author_id=post.author_id, own_host=own_host) for post in posts]
    was_changed = False
    for post, surroundings in zip(posts, around, strict=True):
        html = render_in(post.body, surroundings, lang=post.lang)
        with database.transaction() as db:
            summary = post.excerpt or excerpt(html)
            if stale.replace_html(db, post, html=html, summary=summary, renderer=RENDERER_VERSION):
                index_post(db, replace(post, html=html))
                touch(db)
            else:
                was_changed = True  # by a save that may have kept the text, and with it the older page
    return clock.now() if was_changed or len(posts) == _AT_ONCE else None
