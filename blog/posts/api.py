"""Posts as JSON, for programs."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from auth.guards import public, requires
from auth.permissions import Permission
from auth.principal import principal
from blog.posts import content, languages
from blog.posts.deleting import delete as delete_post
from blog.posts.model import Kind, Origin, Post, Status, Visibility
from blog.posts.queries import lists
from blog.posts.reading import read_post, refuse_to_members_only
from blog.posts.surroundings import surroundings_after
from blog.posts.writing import change, check_may_publish, check_version, find_editable, write
from blog.tags import names
from storage import clock
from storage.ids import parse_id
from web.csrf import check_header_token
from web.cursors import Cursor, cursor_before
from web.database import reading, transaction
from web.errors import Invalid, NotFound, Stale
from web.json_body import JsonBody, Moment, read_body
from web.paging import answer_page, asked_limit, cut
from web.render import absolute_url

api = Blueprint("posts_api", __name__)


# What the description says of texts; the rules themselves stand in `content`.
_LINE = r"[^\x00-\x1f\x7f-\x9f]"
_TITLE: JsonDict = {
    "minLength": 1,
    "maxLength": content.LONGEST_TITLE,
    "pattern": rf"^{_LINE}*[^\x00-\x20\x7f-\xa0]{_LINE}*$",
}
_SLUG: JsonDict = {"maxLength": content.LONGEST_SLUG, "pattern": f"^({content.SLUG.pattern})?$"}
_BODY: JsonDict = {"maxLength": content.LONGEST_BODY_BYTES, "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"}
_EXCERPT: JsonDict = {
    "maxLength": content.LONGEST_EXCERPT,
    "pattern": r"^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]*$",
}
_LANG: JsonDict = {"maxLength": languages.LONGEST, "pattern": f"^ *({languages.PATTERN})? *$"}
_TAG: JsonDict = {"type": "string", "minLength": 1, "maxLength": names.LONGEST, "pattern": r'^[^,/\\?#"<>]*$'}
_TAGS: JsonDict = {"maxItems": names.MOST, "items": _TAG}


class PostBody(JsonBody):
    """What an author may decide about a post. That there must be a title is a rule of `content`, as all others are."""

    model_config = ConfigDict(json_schema_extra={"required": ["title"]})

    title: str = Field("", json_schema_extra=_TITLE)
    slug: str = Field("", description="Empty: made from the title.", json_schema_extra=_SLUG)
    body: str = Field("", description="Markdown, up to 1 MiB of UTF-8.", json_schema_extra=_BODY)
    excerpt: str = Field("", description="For lists. Empty: made from the text.", json_schema_extra=_EXCERPT)
    tags: list[str] = Field([], json_schema_extra=_TAGS)
    status: str = Field("draft", json_schema_extra={"enum": list(Status)})
    visibility: str = Field("public", json_schema_extra={"enum": list(Visibility)})
    kind: str = Field("post", json_schema_extra={"enum": list(Kind)}, description="A page stands at /<slug>.")
    lang: str = Field("", description="A BCP 47 tag. Empty: the site's language.", json_schema_extra=_LANG)
    publish_at: Moment | None = Field(None, description="Public from then on. Absent: now.")


class PostChanges(PostBody):
    """What a PATCH may name; what it does not name stays."""

    model_config = ConfigDict(json_schema_extra={"required": []})

    version: int | None = Field(None, description="The version that the change was made from.")


@api.get("/v1/posts")
@public
def index() -> Response:
    """What the asker may know of, the last begun first."""
    limit = asked_limit()
    before = request.args.get("before")
    with reading() as db:
        posts = lists.list_known(db, by=principal(), at=clock.now(), limit=limit + 1, before=cursor_before(before))
    shown, last = cut(posts, limit)
    following = None if last is None else f"/v1/posts?limit={limit}&before={Cursor(last.created_at, last.id)}"
    return answer_page([as_json(post) for post in shown], following)


@api.post("/v1/posts")
@requires(Permission.WRITE_POSTS)
def create() -> Response:
    """Store a new post: 201."""
    check_header_token()
    changes, faults = _read_changes(PostBody)
    check_may_publish(None, changes.get("status"), by=principal())
    around = surroundings_after(changes)
    prepared = content.prepare(changes, parse_faults=faults, surroundings=around)
    with transaction() as db:
        post = write(db, prepared, by=principal(), origin=Origin.API)
    response = _answer(post)
    response.status_code = 201
    response.headers["Location"] = absolute_url(f"/v1/posts/{post.id}")
    return response


@api.get("/v1/posts/<post_id>")
@public
def show(post_id: str) -> Response:
    """One post."""
    with reading() as db:
        readable = read_post(db, by=principal(), post_id=_known(post_id))
    if readable.is_withheld:
        refuse_to_members_only(by=principal())
    return _answer(readable.post)


@api.patch("/v1/posts/<post_id>")
@requires(Permission.WRITE_POSTS)
def patch(post_id: str) -> Response:
    """Change what the body names."""
    post = _find(post_id)
    check_header_token()
    changes, faults = _read_changes(PostChanges)
    check_may_publish(post, changes.get("status"), by=principal())
    check_version(post, asked_version(post, changes.pop("version", None)))
    around = surroundings_after(changes, post)
    prepared = content.prepare(changes, current=post, parse_faults=faults, surroundings=around)
    try:
        with transaction() as db:
            return _answer(change(db, post.id, prepared, by=principal(), version=post.version, origin=Origin.API))
    except Stale:
        # Somebody saved since we looked: the change is made to what is there now, or refused if it asked for a version.
        return patch(post_id)


@api.delete("/v1/posts/<post_id>")
@requires(Permission.WRITE_POSTS)
def delete(post_id: str) -> Response:
    """Delete: 204."""
    post = _find(post_id)
    check_header_token()
    named, faults = read_body(Deletion) if request.content_length else ({}, {})
    version = asked_version(post, named.get("version"))
    if faults:
        raise Invalid(faults)
    with transaction() as db:
        delete_post(db, post.id, by=principal(), version=version)
    return Response(status=204)


class Deletion(JsonBody):
    """What a DELETE may name."""

    version: int | None = None


def as_json(post: Post) -> dict[str, Any]:
    """A post in the words of the API."""
    return {
        "id": post.id,
        "slug": post.slug,
        "url": absolute_url(post.path),
        "title": post.title,
        "body": post.body,
        "html": post.html,
        "excerpt": post.summary,
        "tags": post.tags,
        "status": post.status,
        "visibility": post.visibility,
        "kind": post.kind,
        "lang": post.lang,
        "version": post.version,
        "author": post.author_username,
        "created_at": clock.to_rfc3339(post.created_at),
        "updated_at": clock.to_rfc3339(post.updated_at),
        "published_at": None if post.published_at is None else clock.to_rfc3339(post.published_at),
    }


def _answer(post: Post) -> Response:
    response = jsonify(as_json(post))
    response.headers["ETag"] = f'"{post.version}"'
    return response


def _read_changes(model: type[PostBody]) -> tuple[dict[str, Any], dict[str, str]]:
    changes, faults = read_body(model)
    if changes.get("publish_at") is not None:
        changes["publish_at"] = clock.from_datetime(changes["publish_at"])
    return changes, faults


def _find(post_id: str) -> Post:
    with reading() as db:
        return find_editable(db, by=principal(), post_id=_known(post_id))


def _known(post_id: str) -> str:
    known = parse_id(post_id)
    if known is None:
        raise NotFound
    return known


def asked_version(post: Post, in_body: int | None) -> int | None:
    """The version that the change was made from, by If-Match (RFC 9110, 13.1.1) or the body; None asks for nothing."""
    if "If-Match" not in request.headers:
        return in_body
    if request.if_match.star_tag or request.if_match.contains(str(post.version)):
        return post.version
    raise Stale(post.version)
