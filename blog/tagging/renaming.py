"""Renaming a tag on every post that bears it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from auth.rechecking import may_still
from blog.posts.indexing import index_post
from blog.posts.queries.finding import find_post
from blog.tagging import queries
from blog.tagging.events import TAG_RENAMED, TAG_RENAMING_STOPPED
from blog.tags.names import UnusableTags, normalise_tag
from blog.tags.queries import find_present_tag, is_borne, keep_former_tag
from eventlog.actors import server
from eventlog.log.appending import append_event
from storage import clock
from storage.engine import Database
from storage.jobs import enqueue
from web.errors import Conflict, Forbidden, Invalid, NotFound
from web.site.queries import touch

RENAME = "tags.rename"
# Among 100,000 posts each takes 20 ms, nearly all of it to take its former words out of the search index for good.
_AT_ONCE = 25


def new_name(name: str) -> str:
    """The name as a tag has it. Raises Invalid."""
    try:
        return normalise_tag(name)
    except UnusableTags as fault:
        raise Invalid({"name": str(fault)}) from None


def rename_tag(db: sa.Connection, former: str, name: str, *, by: Principal, may_merge: bool = False) -> int:
    """Call a tag something else, everywhere; returns how many posts bear it, deleted ones too.

    It is one change and one event. Each post gets its next version and a revision all the same: an editor that is open
    with the former tags would else save them again unnoticed, and a version without its revision could not be merged
    with. The first few posts are changed at once and the others by a job, so that no transaction lasts long; until
    it has come to them they are found under the former name. The former address leads to the present one.

    Raises NotFound when no post bears the tag, Invalid for a name that no tag can have, Conflict when another tag has
    it already and `may_merge` does not say that the two shall be one.
    """
    if not by.may(Permission.EDIT_ANY_POST) or by.user_id is None:
        raise Forbidden
    present = new_name(name)
    count = queries.count_posts(db, former)
    if not count:
        raise NotFound("No post carries this tag, or no longer.")
    if present == former:
        return count
    if is_borne(db, present) and not may_merge:
        raise Conflict("There is such a tag already.")
    at = clock.now()
    keep_former_tag(db, former, present=present)
    if _move(db, former, present, user_id=by.user_id, at=at):
        enqueue(db, RENAME, {"tag": former, "user_id": by.user_id}, run_at=at)
    append_event(
        db, TAG_RENAMED, by=by, subject=f"tag:{present}", payload={"from": former, "to": present, "count": count}
    )
    touch(db)
    return count


def rename_rest(database: Database, payload: Mapping[str, Any]) -> int | None:
    """Take the next few posts to what the tag is called now, and say whether there are more.

    Where the tag was given its former name again meanwhile, nothing is left to do: so two renamings never chase each
    other. Where whoever renamed it may do so no longer, the other posts keep the former name, and the log says so;
    somebody else may rename them.
    """
    former, user_id = str(payload["tag"]), int(payload["user_id"])
    with database.transaction() as db:
        present = find_present_tag(db, former)
        if present is None:
            return None
        if not may_still(db, user_id, Permission.EDIT_ANY_POST):
            left = {"from": former, "to": present, "count": queries.count_posts(db, former)}
            append_event(db, TAG_RENAMING_STOPPED, by=server(), subject=f"tag:{present}", payload=left)
            return None
        at = clock.now()
        has_more = _move(db, former, present, user_id=user_id, at=at)
        touch(db)
    return at if has_more else None


def _move(db: sa.Connection, former: str, present: str, *, user_id: int, at: int) -> bool:
    post_ids = queries.list_posts(db, former, limit=_AT_ONCE)
    if post_ids:
        queries.replace_tag(db, post_ids, former=former, present=present, user_id=user_id, at=at)
    for post_id in post_ids:
        post = find_post(db, post_id=post_id)
        assert post is not None
        index_post(db, post)
    return len(post_ids) == _AT_ONCE
