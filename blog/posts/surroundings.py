"""What pages depend on beside their texts, as it is now."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app

from auth.principal import principal
from blog.media.lookup import pictures_in
from blog.posts.content import Surroundings, render_in
from blog.posts.languages import normalise_language
from blog.posts.model import Post
from web.database import reading
from web.render import current_site
from web.site.queries import read_site


def current_surroundings(body_markdown: str, *, author_id: int | None = None) -> Surroundings:
    """For a text of that author, or of who asks. It reads, so that it is asked before any transaction."""
    site = current_site()
    with reading() as db:
        pictures = pictures_in(db, body_markdown, author_id=principal().user_id if author_id is None else author_id)
    return Surroundings(site.language, own_host_of(current_app.extensions["base_url"]), pictures)


def surroundings_after(changes: Mapping[str, Any], current: Post | None = None) -> Surroundings:
    """For the text that a post has after these changes, where they make its page anew."""
    body_markdown = changes.get("body")
    if body_markdown is None and current is not None and changes.get("lang") not in (None, current.lang):
        body_markdown = current.body
    return current_surroundings(body_markdown or "", author_id=None if current is None else current.author_id)


def render_here(body_markdown: str, lang: str = "", *, author_id: int | None = None) -> str:
    """The page of a text, as saving it now in that language would make it; in the site's for what is no language.

    The text is that author's, or of who asks.
    """
    around = current_surroundings(body_markdown, author_id=author_id)
    return render_in(body_markdown, around, lang=normalise_language(lang) or "")


def surroundings_of(
    db: sa.Connection, body_markdown: str, *, author_id: int | None, own_host: str | None
) -> Surroundings:
    """The same for a job or a command, which has no request."""
    return Surroundings(read_site(db).language, own_host, pictures_in(db, body_markdown, author_id=author_id))


def own_host_of(base_url: str) -> str | None:
    """The host of the site's own links, with its port where it has one of its own."""
    return urlsplit(base_url).netloc or None
