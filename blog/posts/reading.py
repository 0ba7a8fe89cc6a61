"""Who may read what, one post at a time."""

from collections.abc import Callable
from typing import Generic, NamedTuple, NoReturn, TypeVar

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from blog.posts.model import Post, ShownPost, Visibility
from blog.posts.queries import finding
from storage import clock
from web.errors import Forbidden, Gone, NotFound, Unauthenticated

_P = TypeVar("_P", bound=ShownPost)


class Readable(NamedTuple, Generic[_P]):
    """What somebody gets who asks for a post."""

    post: _P
    is_moved: bool = False  # asked for under a former address
    is_withheld: bool = False  # for members, and the asker is a visitor: title and written excerpt only


def read_post(
    db: sa.Connection, *, by: Principal, slug: str | None = None, post_id: str | None = None
) -> Readable[Post]:
    """The post for this asker, whole. Raises Gone when it was deleted, NotFound when it is not theirs to know of."""
    post = finding.find_post(db, slug=slug, post_id=post_id)
    return _judge(db, post, finding.find_by_former_slug, by=by, slug=slug)


def read_shown(
    db: sa.Connection, *, by: Principal, slug: str | None = None, post_id: str | None = None
) -> Readable[ShownPost]:
    """As `read_post`, without its Markdown, and what else only a change needs."""
    post = finding.find_shown(db, slug=slug, post_id=post_id)
    return _judge(db, post, finding.find_shown_by_former_slug, by=by, slug=slug)


def _judge(
    db: sa.Connection,
    post: _P | None,
    find_by_former_slug: Callable[[sa.Connection, str], _P | None],
    *,
    by: Principal,
    slug: str | None,
) -> Readable[_P]:
    is_moved = False
    if post is None and slug is not None:
        post = find_by_former_slug(db, slug)
        is_moved = post is not None
    if post is None:
        raise NotFound
    at = clock.now()
    is_for_them = post.visibility != Visibility.GRANTED or _is_granted(db, post, by=by)
    if post.deleted_at is not None:
        was_theirs = post.was_out(at) and is_for_them
        raise Gone if was_theirs or may_know_drafts(post, by=by) else NotFound
    if may_know_drafts(post, by=by):
        return Readable(post, is_moved)
    if not (post.is_out(at) and is_for_them):
        raise NotFound
    is_withheld = post.visibility == Visibility.MEMBERS and not by.may(Permission.READ_MEMBERS_POSTS)
    return Readable(post, is_moved, is_withheld)


def _is_granted(db: sa.Connection, post: ShownPost, *, by: Principal) -> bool:
    if not by.may(Permission.READ_MEMBERS_POSTS):
        return False
    return post.author_id == by.user_id or finding.is_granted(db, post.id, user_id=by.user_id)


def refuse_to_members_only(*, by: Principal) -> NoReturn:
    """Raise Unauthenticated for a visitor, Forbidden for a token whose scopes do not let it read."""
    if by.is_authenticated:
        raise Forbidden("This token's scopes do not allow it.", error_code="insufficient_scope")
    raise Unauthenticated("This post is for members: sign in, or send a Bearer token.")


def may_know_drafts(post: ShownPost, *, by: Principal) -> bool:
    """Whether a draft of this post is theirs to know of."""
    is_own = post.author_id == by.user_id and by.may(Permission.READ_OWN_DRAFTS)
    return is_own or by.may(Permission.READ_ANY_DRAFT)


def may_edit(post: ShownPost, *, by: Principal) -> bool:
    """Whether they may change it; the same rule stands in the statement that loads a post for a change."""
    is_own = post.author_id == by.user_id and by.may(Permission.WRITE_POSTS)
    return is_own or by.may(Permission.EDIT_ANY_POST)
