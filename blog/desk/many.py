"""One thing done to many posts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from blog.desk import queries
from blog.posts.content import prepare
from blog.posts.deleting import delete
from blog.posts.model import Post, Status
from blog.posts.publishing import publish, unpublish
from blog.posts.queries.revisions import find_revision, is_numbered
from blog.posts.reading import read_post
from blog.posts.writing import change, check_version, find_editable
from web.errors import Forbidden, Gone, Invalid, NotFound, Stale

MOST = 50


class What(StrEnum):
    """What can be done to many posts at once."""

    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    DELETE = "delete"
    ADD_TAG = "tag"
    REMOVE_TAG = "untag"


class Chosen(NamedTuple):
    """A post, and the version of it that the person saw when they chose it."""

    id: str
    version: int


class Left(NamedTuple):
    """A post that nothing was done to, and why."""

    title: str | None  # None: not theirs to know
    path: str | None
    reason: str


@dataclass(slots=True)
class Outcome:
    """What became of them."""

    done: int = 0
    unchanged: int = 0  # they were so already
    left: list[Left] = field(default_factory=list)


def do_to_many(db: sa.Connection, what: What, chosen: Iterable[Chosen], *, by: Principal, tag: str = "") -> Outcome:
    """Do it to each that can be done to, in one transaction: each gets its own event and its own revision.

    A post that somebody saved meanwhile, that is gone, or that is not theirs to change is left as it is, and named
    where they may know of it. What was done to it before it was refused is taken back. What the same person has done
    to it already, by a double click, counts as done.
    """
    outcome = Outcome()
    for each in chosen:
        post: Post | None = None
        try:
            with db.begin_nested():
                post = read_post(db, by=by, post_id=each.id).post
                post = find_editable(db, by=by, post_id=each.id)
                check_version(post, each.version)
                if _do(db, what, post, by=by, tag=tag):
                    outcome.done += 1
                else:
                    outcome.unchanged += 1
        except (NotFound, Gone):
            if what == What.DELETE and queries.is_deleted_by(db, each.id, by=by):
                outcome.done += 1
            else:
                outcome.left.append(Left(None, None, "One that is not there, or no longer, or not yours to see."))
        except Forbidden as refusal:
            outcome.left.append(_left(post, refusal.detail or "It is not yours to change."))
        except Stale:
            if post is not None and _is_repeated(db, what, post, each.version, by=by, tag=tag):
                outcome.done += 1
                continue
            outcome.left.append(_left(post, "Somebody saved it since you opened the list."))
        except Invalid as refusal:
            outcome.left.append(_left(post, " ".join(refusal.fields.values())))
    return outcome


def _do(db: sa.Connection, what: What, post: Post, *, by: Principal, tag: str) -> bool:
    """Whether that has changed anything."""
    if what == What.DELETE:
        delete(db, post.id, by=by, version=post.version)
        return True
    if what == What.PUBLISH:
        saved = publish(db, post.id, by=by)
    elif what == What.UNPUBLISH:
        saved = unpublish(db, post.id, by=by)
    else:
        others = [each for each in post.tags if each != tag]
        tags = [*others, tag] if what == What.ADD_TAG else others
        if what == What.ADD_TAG and tag in post.tags:
            return False
        saved = change(db, post.id, prepare({"tags": tags}, current=post), by=by, version=post.version)
    return saved.version != post.version


def _is_repeated(db: sa.Connection, what: What, post: Post, seen: int, *, by: Principal, tag: str) -> bool:
    """Whether the one save since the version that they saw is theirs, and has done just this."""
    if post.version != seen + 1 or not queries.is_saved_by(db, post.id, post.version, by=by):
        return False
    before = find_revision(db, post, is_numbered(seen))
    return before is not None and _is_so(what, post, tag) and not _is_so(what, before, tag)


def _is_so(what: What, post: Post, tag: str) -> bool:
    """Whether nothing is left to do."""
    return {
        What.PUBLISH: post.status == Status.PUBLISHED,
        What.UNPUBLISH: post.status == Status.DRAFT,
        What.ADD_TAG: tag in post.tags,
        What.REMOVE_TAG: tag not in post.tags,
    }.get(what, False)


def _left(post: Post | None, reason: str) -> Left:
    return Left(None, None, reason) if post is None else Left(post.title, post.path, reason)
