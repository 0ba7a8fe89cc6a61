"""Revisions as JSON."""

from typing import Any

from flask import Blueprint, Response, jsonify

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.posts.api import as_json, asked_version
from blog.posts.model import Post
from blog.posts.queries import revisions
from blog.posts.queries.revisions import RevisionLine
from blog.posts.writing import check_version, find_editable
from blog.revisions.restoring import find_with_revision, prepare_restore, read_revision, restore
from blog.texts.comparing import compare
from storage import clock
from storage.ids import parse_id
from web.csrf import check_header_token
from web.database import reading, transaction
from web.errors import NotFound
from web.paging import answer_page, asked_limit, asked_number, cut

api = Blueprint("revisions_api", __name__)

_LARGEST_NUMBER = 2**31 - 1


@api.get("/v1/posts/<post_id>/revisions")
@requires(Permission.WRITE_POSTS)
def index(post_id: str) -> Response:
    """All revisions, the newest first, without their texts."""
    limit, before = asked_limit(), asked_number("before", _LARGEST_NUMBER, 1, _LARGEST_NUMBER)
    with reading() as db:
        post = find_editable(db, by=principal(), post_id=_known(post_id))
        lines = revisions.list_revisions(db, post.id, limit=limit + 1, before=before)
    shown, last = cut(lines, limit)
    following = None if last is None else f"/v1/posts/{post.id}/revisions?limit={limit}&before={last.number}"
    return answer_page([_line(line) for line in shown], following)


@api.get("/v1/posts/<post_id>/revisions/<int:number>")
@requires(Permission.WRITE_POSTS)
def show(post_id: str, number: int) -> Response:
    """One revision, whole."""
    with reading() as db:
        _post, revision = find_with_revision(db, number, by=principal(), post_id=_known(post_id))
    return jsonify(_whole(revision))


@api.get("/v1/posts/<post_id>/revisions/<int:old>..<int:new>")
@requires(Permission.WRITE_POSTS)
def changes(post_id: str, old: int, new: int) -> Response:
    """What changed in the text from one revision to another."""
    with reading() as db:
        post, before = find_with_revision(db, old, by=principal(), post_id=_known(post_id))
        after = read_revision(db, post, new)
    found = [
        {
            "kind": change.kind,
            "old_count": change.old_count,
            "new_count": change.new_count,
            "pieces": [{"kind": piece.kind, "text": piece.text} for piece in change.pieces],
        }
        for change in compare(before.body, after.body)
    ]
    return jsonify({"old": old, "new": new, "changes": found})


@api.post("/v1/posts/<post_id>/revisions/<int:number>/restore")
@requires(Permission.WRITE_POSTS)
def go_back(post_id: str, number: int) -> Response:
    """Make the words of a revision the newest one: the post."""
    with reading() as db:
        post, revision = find_with_revision(db, number, by=principal(), post_id=_known(post_id))
    check_header_token()
    check_version(post, asked_version(post, None))
    content = prepare_restore(post, revision)
    with transaction() as db:
        saved = restore(db, post, content, by=principal())
    response = jsonify(as_json(saved))
    response.headers["ETag"] = f'"{saved.version}"'
    return response


def _line(line: RevisionLine) -> dict[str, Any]:
    return {
        "number": line.number,
        "author": line.username,
        "made_at": clock.to_rfc3339(line.made_at),
        "origin": line.origin,
        "status": line.status,
        "size_bytes": line.size_bytes,
    }


def _whole(revision: Post) -> dict[str, Any]:
    names = ("slug", "title", "body", "excerpt", "tags", "status", "visibility", "kind", "lang")
    return {"number": revision.version, **{name: getattr(revision, name) for name in names}}


def _known(post_id: str) -> str:
    known = parse_id(post_id)
    if known is None:
        raise NotFound
    return known
