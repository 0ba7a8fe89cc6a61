"""Pictures as JSON, for programs."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, request

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.media import queries
from blog.media.model import VARIANT_TYPE, Media, Variant
from blog.media.serving import current_files
from blog.media.storing import store
from web.csrf import check_header_token
from web.cursors import Cursor, cursor_before
from web.database import current_database, reading
from web.errors import Invalid
from web.paging import answer_page, asked_limit, cut
from web.render import absolute_url
from web.requests import MAX_UPLOAD_BYTES, takes_files

api = Blueprint("media_api", __name__)


@api.get("/v1/media")
@requires(Permission.UPLOAD_MEDIA)
def index() -> Response:
    """One's own pictures, the newest first."""
    limit, before = asked_limit(), cursor_before(request.args.get("before"))
    with reading() as db:
        found = queries.list_own(db, by=principal(), limit=limit + 1, before=before)
        pictures, last = cut(found, limit)
        variants = queries.list_variants(db, [media.digest for media in pictures])
    following = None if last is None else f"/v1/media?limit={limit}&before={Cursor(last.created_at, last.id)}"
    return answer_page([as_json(media, variants.get(media.digest, [])) for media in pictures], following)


@api.post("/v1/media")
@takes_files(MAX_UPLOAD_BYTES)
@requires(Permission.UPLOAD_MEDIA)
def upload() -> Response:
    """Take a picture in: 201; one that is there already: 200."""
    check_header_token()
    sent = request.files.getlist("file")
    if len(sent) != 1:
        raise Invalid({"file": "Send one picture in this field, as multipart/form-data."})
    if len(request.form.getlist("alt")) > 1:
        raise Invalid({"alt": "Send one description."})
    media, is_new = store(
        current_database(),
        current_files(),
        sent[0].stream,
        name=sent[0].filename,
        alt=request.form.get("alt", ""),
        by=principal(),
    )
    with reading() as db:
        variants = queries.list_variants(db, [media.digest])
    response = jsonify(as_json(media, variants.get(media.digest, [])))
    response.status_code = 201 if is_new else 200
    response.headers["Location"] = absolute_url(media.path)
    return response


def as_json(media: Media, variants: Sequence[Variant]) -> dict[str, Any]:
    """A picture in the words of the API."""
    return {
        "id": media.id,
        "url": absolute_url(media.path),
        "type": media.type,
        "width": media.width,
        "height": media.height,
        "alt": media.alt,
        "variants": [{"url": absolute_url(v.path), "width": v.width, "type": VARIANT_TYPE} for v in variants],
    }
