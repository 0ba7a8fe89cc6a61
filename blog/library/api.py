"""The library as JSON, for programs: what one holds, saving, and what authors grant."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import Field

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.library.holding import find_post, grant, remove, save, withdraw
from blog.library.queries import Holding, list_held
from blog.posts.model import Held, ShownPost
from storage import clock
from storage.ids import parse_id
from web.csrf import check_header_token
from web.cursors import Cursor, cursor_before
from web.database import reading, transaction
from web.errors import Invalid, NotFound
from web.json_body import JsonBody, read_body
from web.paging import answer_page, asked_limit, cut
from web.render import absolute_url

api = Blueprint("library_api", __name__)


class LibraryBody(JsonBody):
    """What is said to put a post into a library."""

    post: str = Field("", description="Its id or slug.", json_schema_extra={"minLength": 1})
    user: str = Field(
        "", description="Whom its author grants it to. Absent: one's own library.", json_schema_extra={"minLength": 1}
    )


@api.get("/v1/library")
@requires(Permission.CONVERSE)
def index() -> Response:
    """What one has saved or was granted, the newest first."""
    limit, before = asked_limit(), cursor_before(request.args.get("before"))
    with reading() as db:
        held = list_held(db, by=principal(), at=clock.now(), limit=limit + 1, before=before)
    shown, last = cut(held, limit)
    following = None if last is None else f"/v1/library?limit={limit}&before={Cursor(last.created_at, last.line.id)}"
    return answer_page([_as_json(each) for each in shown], following)


@api.post("/v1/library")
@requires(Permission.CONVERSE)
def put() -> Response:
    """Save a post, or grant one's own to somebody: 201, and again 200."""
    who = principal()
    check_header_token()
    asked, faults = read_body(LibraryBody)
    name, user = asked.get("post", "").strip(), _user(asked.get("user"), faults)
    if "post" not in faults and not name:
        faults["post"] = "Name a post by its id or slug."
    if faults:
        raise Invalid(faults)
    with transaction() as db:
        post, held, is_new = grant(db, name, user, by=who) if user else save(db, name, by=who)
    response = jsonify(_put_as_json(post, held, user))
    response.status_code = 201 if is_new else 200
    return response


@api.delete("/v1/library/<post_id>")
@requires(Permission.CONVERSE)
def take_out(post_id: str) -> Response:
    """Take a post out, or with `?user=` a grant back: 204."""
    who, known, faults = principal(), parse_id(post_id), dict[str, str]()
    if known is None:
        raise NotFound("There is no post of that id.")
    if user := _user(request.args.get("user"), faults):
        with reading() as db:
            find_post(db, known, by=who)
    check_header_token()
    if faults:
        raise Invalid(faults)
    with transaction() as db:
        if user:
            withdraw(db, known, user, by=who)
        else:
            remove(db, known, by=who)
    return Response(status=204)


def _user(text: str | None, faults: dict[str, str]) -> str:
    """Whom it is granted to, trimmed; empty: it is about one's own library, which a name of nothing is not."""
    user = (text or "").strip()
    if text is not None and not user:
        faults["user"] = "Name somebody, or leave it out."
    return user


def _as_json(held: Holding) -> dict[str, Any]:
    return {
        "post": held.line.id,
        "slug": held.line.slug,
        "title": held.line.title,
        "url": absolute_url(held.line.path),
        "source": held.source,
        "created_at": clock.to_rfc3339(held.created_at),
    }


def _put_as_json(post: ShownPost, held: Held, user: str) -> dict[str, Any]:
    told = {"post": post.id, "slug": post.slug, "title": post.title, "url": absolute_url(post.path), "source": held}
    return told | ({"user": user.lower()} if user else {})
