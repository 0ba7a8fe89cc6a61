"""A post as the fields of a file, and what the fields of a file say about a post. Pure: no database.

Besides our own, the names are read that Hugo, Jekyll, Ghost and exports of WordPress use for the same.
"""

import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any

from blog.posts.content import LONGEST_SLUG, SLUG, slug_from
from blog.posts.model import Kind, Post, Status
from blog.transfer.front_matter import Fields, FrontMatterFault
from blog.transfer.values import list_in, moment_in, words_in
from storage import clock
from storage.ids import parse_id

_DATED = re.compile(r"(\d{4}-\d\d-\d\d)-(?=.)", re.ASCII)
# Of posts that bring no id: the same file again is the same post.
_NAMESPACE = uuid.UUID("5d2f6e0c-7a35-4f0e-9f0d-2b1f0c6f7a11")

_EXCERPT = ("excerpt", "custom_excerpt", "summary", "description")
_PUBLISHED = ("published_at", "date", "date_published", "publishDate", "pubDate", "published_date")
_CREATED = ("created_at", "date_created")
_UPDATED = ("updated_at", "lastmod", "date_updated", "last_modified_at", "modified", "updated")
_STATES = {
    "publish": "published",
    "future": "published",
    "scheduled": "published",
    "pending": "draft",
    "private": "draft",
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a file says about a post, in the types that `content.prepare` takes; nothing of it is checked there yet."""

    post_id: str
    changes: dict[str, Any]  # all but the text
    author: str | None
    created_at: int
    published_at: int | None
    is_dated: bool  # whether the file says when that was
    updated_at: int
    former_slugs: list[str]


def fields_of(post: Post, former_slugs: list[str]) -> Fields:
    """The fields, always in the same order."""
    return {
        "id": post.id,
        "title": post.title,
        "slug": post.slug,
        "kind": post.kind.value,
        "status": post.status.value,
        "visibility": post.visibility.value,
        "tags": post.tags,
        "excerpt": post.excerpt,
        "lang": post.lang,
        "publish_at": _as_time(post.publish_at),
        "published_at": _as_time(post.published_at),
        "created_at": _as_time(post.created_at),
        "updated_at": _as_time(post.updated_at),
        "author": post.author_username,
        "former_slugs": sorted(former_slugs),
    }


def read_fields(fields: Fields, path: str, *, zone: tzinfo, now: int) -> Incoming:
    """What the fields of the file at `path` say. Times without a zone are in `zone`. Raises FrontMatterFault."""
    own_id = parse_id(words_in(fields, "id"))
    stem = _stem(path)
    title = words_in(fields, "title") or " ".join(re.split(r"[-_\s]+", stem)).strip()
    slug = words_in(fields, "slug") or slug_from(stem)
    status = _status(fields)
    chosen, published = moment_in(fields, ("publish_at",), zone), moment_in(fields, _PUBLISHED, zone)
    if published is None and own_id is None and (dated := _DATED.match(PurePosixPath(path).name)):
        published = moment_in({"date": dated[1]}, ("date",), zone)
    named = published
    if published is not None and published > now:
        chosen, published = (published if chosen is None else chosen), None
    is_dated = published is not None
    if status == Status.PUBLISHED and published is None:
        published = now if chosen is None else chosen
    elif status == Status.DRAFT and own_id is None:
        published = None  # it never was public here
    created = moment_in(fields, _CREATED, zone)
    if created is None:
        created = now if published is None else min(now, published)
    updated = moment_in(fields, _UPDATED, zone)
    changes = {
        "title": title,
        "slug": slug,
        "kind": _kind(fields),
        "status": status,
        "visibility": words_in(fields, "visibility") or "public",
        "tags": _tags(fields),
        "excerpt": next((words for name in _EXCERPT if (words := words_in(fields, name))), ""),
        "lang": words_in(fields, "lang").replace("_", "-"),
        "publish_at": chosen,
    }
    return Incoming(
        post_id=own_id or _id_for(slug, title, named),
        changes=changes,
        author=_author(fields),
        created_at=created,
        published_at=published,
        is_dated=is_dated,
        updated_at=created if updated is None else updated,
        former_slugs=_former_slugs(fields),
    )


def _as_time(at: int | None) -> datetime | None:
    return None if at is None else clock.to_datetime(at)


def _id_for(slug: str, title: str, published: int | None) -> str:
    # Surrogates cannot be there: the file was read as UTF-8, and YAML refuses them.
    return str(uuid.uuid5(_NAMESPACE, json.dumps([slug, title, published])))


def _stem(path: str) -> str:
    """What a file is called: without the date that Jekyll begins with; of an `index.md`, its folder's name."""
    place = PurePosixPath(path)
    stem = place.parent.name if place.stem == "index" and place.parent.name else place.stem
    # Names of files may hold what is no character.
    return _DATED.sub("", stem, count=1).encode("utf-8", "replace").decode()


def _tags(fields: Fields) -> list[str]:
    found = [*list_in(fields, "tags"), *list_in(fields, "tag")]
    return found if fields.get("id") else [*found, *list_in(fields, "categories"), *list_in(fields, "category")]


def _status(fields: Fields) -> str:
    if status := words_in(fields, "status"):
        return _STATES.get(status, status)
    # What says nothing of itself is not put before readers.
    is_draft = fields.get("draft") is True or fields.get("published") is False or not fields
    return Status.DRAFT if is_draft else Status.PUBLISHED


def _kind(fields: Fields) -> str:
    if kind := words_in(fields, "kind"):
        return kind
    return Kind.PAGE if "page" in (fields.get("type"), fields.get("layout")) else Kind.POST


def _author(fields: Fields) -> str | None:
    names = (
        [words_in(fields, "author")] if not isinstance(fields.get("author"), dict | list) else list_in(fields, "author")
    )
    names += list_in(fields, "authors")
    return next((name.strip().lower() for name in names if name.strip()), None)


def _former_slugs(fields: Fields) -> list[str]:
    slugs = list_in(fields, "former_slugs")
    for slug in slugs:
        if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
            raise FrontMatterFault(f"{slug[:100]!r} in 'former_slugs' cannot be an address.")
    return list(dict.fromkeys(slugs))
