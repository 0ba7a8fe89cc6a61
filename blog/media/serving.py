"""Pictures for everybody: their addresses change with their content, so that they may be kept for ever."""

import re

from flask import Blueprint, Response, current_app, g, send_file

from auth.guards import public
from auth.principal import principal
from blog.media import queries
from storage.files import Files
from web.database import reading
from web.errors import NotFound

pages = Blueprint("media", __name__)

_FOR_EVER = "public, max-age=31536000, immutable"
_POLICY = "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; sandbox"
_WIDTH = re.compile(r"[1-9][0-9]{1,5}", re.ASCII)


@pages.get("/media/<digest>")
@public
def show(digest: str) -> Response:
    """One picture, as it was cleaned."""
    return _send(digest, width=None)


@pages.get("/media/<digest>/<width>.webp")
@public
def show_variant(digest: str, width: str) -> Response:
    """A smaller one made of it."""
    if not _WIDTH.fullmatch(width):
        raise NotFound
    return _send(digest, width=int(width))


def current_files() -> Files:
    """Where the running application keeps its pictures."""
    files = current_app.extensions["media_files"]
    assert isinstance(files, Files)
    return files


def _send(digest: str, *, width: int | None) -> Response:
    # Only a row makes a file a picture: what lies in the folder without one is served to nobody.
    with reading() as db:
        found = queries.find_file(db, digest, width=width)
    if found is None or not current_files().holds(found.digest):
        raise NotFound
    response = send_file(
        current_files().path_of(found.digest), mimetype=found.type, etag=found.digest, last_modified=None
    )
    response.headers["Cache-Control"] = _FOR_EVER
    response.headers["Content-Security-Policy"] = _POLICY
    # Readers of feeds show it on pages of their own.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if principal().is_authenticated:
        # Anybody gets the same, whoever asks; an answer that takes a dead cookie away is for one browser alone.
        g.is_private = False
    return response
