"""What pages depend on beside their texts, as it is now."""

from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app

from blog.media.lookup import pictures_in
from blog.posts.content import Surroundings, render_in
from web.database import reading
from web.render import current_site
from web.site.queries import read_site


def current_surroundings(body_markdown: str) -> Surroundings:
    """For the text of this request. It reads, so that it is asked before any transaction."""
    site = current_site()
    with reading() as db:
        pictures = pictures_in(db, body_markdown)
    return Surroundings(site.language, own_host_of(current_app.extensions["base_url"]), pictures)


def render_here(body_markdown: str) -> str:
    """The page of a text, as saving it now would make it."""
    return render_in(body_markdown, current_surroundings(body_markdown))


def surroundings_of(db: sa.Connection, body_markdown: str, *, own_host: str | None) -> Surroundings:
    """The same for a job or a command, which has no request."""
    return Surroundings(read_site(db).language, own_host, pictures_in(db, body_markdown))


def own_host_of(base_url: str) -> str | None:
    """The host of the site's own links, with its port where it has one of its own."""
    return urlsplit(base_url).netloc or None
