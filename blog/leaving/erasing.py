"""All that one person has written goes, and does not stay in a bin: nobody is there to take it out again."""

import sqlalchemy as sa

from blog.indexing.queries import delete_entry
from blog.leaving import queries
from blog.media.queries import delete_media, delete_variants, find_any
from blog.media.variants import SWEEP
from blog.posts.hiding import hide
from storage import clock
from storage.engine import Database
from storage.jobs import enqueue
from web.site.queries import touch

_AT_ONCE = 25
_ANSWERS_AT_ONCE = 200


def withdraw(db: sa.Connection, user_id: int) -> None:
    """Take it from readers at once. Its addresses answer 404, and 410 as soon as `erase_some` has come to them."""
    hide(db, user_id, True)
    queries.delete_series(db, author_id=user_id)
    touch(db)


def erase_some(database: Database, user_id: int) -> bool:
    """Erase the next few posts, or when there are none any more the next few pictures; whether there may be more.

    What others were answered from a post goes before it. A picture that stands in what others have written is theirs
    from then on.
    """
    with database.reading() as db:
        post_ids = queries.list_unerased(db, author_id=user_id, limit=_AT_ONCE)
        quoting = queries.list_quoting(db, post_ids, limit=_ANSWERS_AT_ONCE) if post_ids else []
    with database.transaction() as db:
        if post_ids:
            if not _erase_answers(db, post_ids, quoting):
                _erase_posts(db, post_ids)
            return True
        pictures = queries.list_pictures(db, user_id=user_id, limit=_AT_ONCE)
        for picture in pictures:
            _part_with(db, picture, user_id=user_id)
    return bool(pictures)


def _erase_answers(db: sa.Connection, post_ids: list[str], quoting: list[str]) -> bool:
    """The next few answers, or names of conversations, that say something of these posts; whether there were any.

    None that quotes them is stored any more since their author left: `conversations.concluding` sees to that.
    """
    if answers := quoting or queries.list_answers_about(db, post_ids, limit=_ANSWERS_AT_ONCE):
        queries.erase_answers(db, answers)
        return True
    return queries.erase_names(db, post_ids, limit=_ANSWERS_AT_ONCE)


def _erase_posts(db: sa.Connection, post_ids: list[str]) -> None:
    for post_id in post_ids:
        delete_entry(db, post_id)
    queries.erase_posts(db, post_ids, at=clock.now())
    touch(db)


def _part_with(db: sa.Connection, picture: queries.Picture, *, user_id: int) -> None:
    heir = queries.find_needing(db, picture.digest, other_than=user_id)
    if heir is not None:
        queries.give_picture(db, picture.id, to_id=heir)
        return
    delete_media(db, picture.id)
    if find_any(db, picture.digest) is None:
        digests = [picture.digest, *delete_variants(db, picture.digest)]
        enqueue(db, SWEEP, {"digests": digests}, run_at=clock.now())
