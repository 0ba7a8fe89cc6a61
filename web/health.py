"""For whoever watches over the process: is it alive, and can it serve?"""

from flask import Blueprint, Response

from web.database import reading
from web.site.queries import read_site

pages = Blueprint("health", __name__)


@pages.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return _plain("ok\n")


@pages.get("/readyz")
def ready() -> Response:
    """The database answers too; if not, the answer is 503."""
    with reading() as db:
        read_site(db)
    return _plain("ready\n")


def _plain(text: str) -> Response:
    return Response(text, mimetype="text/plain", headers={"Cache-Control": "no-store"})
