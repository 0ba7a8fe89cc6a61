"""Who finds or may change a post, as conditions of the statements that load it: a stranger's row is not found."""

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from auth.users.model import users_table
from blog.posts.model import Held, Status, Visibility, library_table, posts_table

_p = posts_table.c


def is_out(by: Principal, at: "int | sa.ColumnElement[int]") -> sa.ColumnElement[bool]:
    """The condition that `by` finds a post as a reader."""
    return is_out_for(sees_members_posts(by), at)


def is_out_or_held(by: Principal, at: int) -> sa.ColumnElement[bool]:
    """The condition that `by` finds a post as a reader, or that it is out for whom it was granted, and that is them."""
    h, holds = library_table.c, list[sa.ColumnElement[bool]]()
    if by.may(Permission.READ_MEMBERS_POSTS):
        is_granted = sa.exists().where(h.user_id == by.user_id, h.post_id == _p.id, h.source == Held.GRANTED)
        holds.append(is_granted.correlate(posts_table))
    if by.may(Permission.READ_OWN_DRAFTS):
        holds.append(_p.author_id == by.user_id)
    return sa.or_(is_out(by, at), sa.and_(has_come_out(at), sa.or_(sa.false(), *holds)))


def is_known(by: Principal, at: int) -> sa.ColumnElement[bool]:
    """The condition that `by` finds a post as a reader, or may know a draft of it."""
    return sa.or_(is_out(by, at), _is_visible_draft(by))


def is_granted_and_out(by: Principal, at: int) -> sa.ColumnElement[bool]:
    """The condition that a post, joined with their row of the library, is out and was granted to `by` or is theirs."""
    is_granted = sa.or_(library_table.c.source == Held.GRANTED, _p.author_id == by.user_id)
    return sa.and_(has_come_out(at), is_granted) if sees_members_posts(by) else sa.false()


def sees_members_posts(by: Principal) -> bool:
    """Whether what is for members is for them."""
    return by.may(Permission.READ_MEMBERS_POSTS)


def is_out_for(sees_members_posts: bool, at: "int | sa.ColumnElement[int]") -> sa.ColumnElement[bool]:
    """The same condition, for statements that are built once."""
    # Not `IN`: SQLAlchemy would write its list into the statement anew each time.
    visible = _p.visibility == Visibility.PUBLIC
    if sees_members_posts:
        visible = sa.or_(visible, _p.visibility == Visibility.MEMBERS)
    return sa.and_(has_come_out(at), visible)


def has_come_out(at: "int | sa.ColumnElement[int]") -> sa.ColumnElement[bool]:
    """The condition that a post is out at that moment, for whomever it is."""
    return sa.and_(
        _p.status == Status.PUBLISHED,
        _p.is_hidden == sa.false(),
        _p.published_at <= at,
        _p.deleted_at.is_(None),
    )


def is_editable(by: Principal) -> sa.ColumnElement[bool]:
    """The condition that `by` may change a post."""
    if by.may(Permission.EDIT_ANY_POST):
        return sa.true()
    return _p.author_id == by.user_id if by.may(Permission.WRITE_POSTS) else sa.false()


def is_somebodys() -> sa.ColumnElement[bool]:
    """The condition that the author of a post is still here: what went with them comes back to nobody."""
    return _p.author_id.not_in(sa.select(users_table.c.id).where(users_table.c.deleted_at.is_not(None)))


def _is_visible_draft(by: Principal) -> sa.ColumnElement[bool]:
    if by.may(Permission.READ_ANY_DRAFT):
        return sa.true()
    return _p.author_id == by.user_id if by.may(Permission.READ_OWN_DRAFTS) else sa.false()
