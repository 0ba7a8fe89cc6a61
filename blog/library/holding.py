"""Saving a post, granting one, and giving both back."""

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from auth.users.roles import find_person
from blog.library import queries
from blog.library.events import GRANT_DECLINED, GRANT_WITHDRAWN, POST_GRANTED, POST_REMOVED, POST_SAVED
from blog.posts.events import about
from blog.posts.model import Held, ShownPost, Visibility
from blog.posts.reading import read_shown, refuse_to_members_only
from blog.posts.writing import find_editable
from eventlog.log.appending import append_event
from storage import clock
from storage.ids import parse_id
from web.errors import Conflict, Forbidden, NotFound

NOT_FOR_FEW = (
    "More people than those whom you grant it may read this post. Choose “Only those whom you grant it” as its readers "
    "first."
)


def find_post(db: sa.Connection, name: str, *, by: Principal) -> ShownPost:
    """The post of that id or slug, if they may read it. Raises NotFound, Gone, Forbidden."""
    post_id = parse_id(name)
    readable = read_shown(db, by=by, post_id=post_id) if post_id else read_shown(db, by=by, slug=name)
    if readable.is_withheld:
        refuse_to_members_only(by=by)
    return readable.post


def save(db: sa.Connection, name: str, *, by: Principal) -> tuple[ShownPost, Held, bool]:
    """Put a post that they may read into their own library: the post, how they hold it now, and whether that is new.

    Raises as `find_post` does.
    """
    assert by.user_id is not None
    post = find_post(db, name, by=by)
    held = queries.find_source(db, post.id, user_id=by.user_id)
    if held is not None:
        return post, held, False
    queries.insert_holding(db, post.id, user_id=by.user_id, source=Held.SAVED, at=clock.now())
    append_event(db, POST_SAVED, by=by, subject=about(post.id), payload={"slug": post.slug})
    return post, Held.SAVED, True


def grant(db: sa.Connection, name: str, username: str, *, by: Principal) -> tuple[ShownPost, Held, bool]:
    """Let somebody read and ask a post of one's own, until it is taken back.

    Raises NotFound for a post that is not theirs to change, and for an unknown person; Conflict for its author, and for
    a post that others than those whom it was granted may read; Forbidden for whoever may only propose.
    """
    post, person = _find_own(db, name, by=by), find_person(db, username)
    held = queries.find_source(db, post.id, user_id=person.id)
    if held == Held.OWN:
        raise Conflict("Its author holds a post anyway.")
    if held == Held.GRANTED:
        return post, held, False
    if post.visibility != Visibility.GRANTED:
        raise Conflict(NOT_FOR_FEW)
    if held is None:
        queries.insert_holding(db, post.id, user_id=person.id, source=Held.GRANTED, at=clock.now())
    else:
        queries.set_granted(db, post.id, user_id=person.id, at=clock.now())
    payload = {"slug": post.slug, "to": person.username}
    append_event(db, POST_GRANTED, by=by, subject=about(post.id), payload=payload)
    return post, Held.GRANTED, True


def remove(db: sa.Connection, post_id: str, *, by: Principal) -> None:
    """Take a post out of one's own library; its conversations are closed by that. Raises NotFound.

    What was granted is declined with that: its author may grant it again.
    """
    assert by.user_id is not None
    held = queries.find_source(db, post_id, user_id=by.user_id)
    if not queries.delete_holding(db, post_id, user_id=by.user_id):
        raise NotFound("This post is not in your library.")
    append_event(db, GRANT_DECLINED if held == Held.GRANTED else POST_REMOVED, by=by, subject=about(post_id))


def withdraw(db: sa.Connection, post_id: str, username: str, *, by: Principal) -> None:
    """Take a grant back: they may not ask any more, from now on, what they had not saved themselves before.

    Raises NotFound, Forbidden.
    """
    post, person = _find_own(db, post_id, by=by), find_person(db, username)
    if not queries.delete_grant(db, post.id, user_id=person.id):
        raise NotFound("This person was not granted this post.")
    payload = {"slug": post.slug, "from": person.username}
    append_event(db, GRANT_WITHDRAWN, by=by, subject=about(post.id), payload=payload)


def _find_own(db: sa.Connection, name: str, *, by: Principal) -> ShownPost:
    post_id = parse_id(name)
    post = find_editable(db, by=by, post_id=post_id) if post_id else find_editable(db, by=by, slug=name)
    if not by.may(Permission.PUBLISH_POSTS):
        # Who reads it is more than a proposal.
        raise Forbidden("This token may propose drafts, not say who reads a post.", error_code="insufficient_scope")
    return post
