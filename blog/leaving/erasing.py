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


def withdraw(db: sa.Connection, user_id: int) -> None:
    """Take it from readers at once. Its addresses answer 404, and 410 as soon as `erase_some` has come to them."""
    hide(db, user_id, True)
    queries.delete_series(db, author_id=user_id)
    touch(db)


def erase_some(database: Database, user_id: int) -> bool:
    """Erase the next few posts, or when there are none any more the next few pictures; whether there may be more.

    A picture that stands in what others have written is theirs from then on.
    """
    at = clock.now()
    with database.transaction() as db:
        post_ids = queries.list_unerased(db, author_id=user_id, limit=_AT_ONCE)
        if post_ids:
            for post_id in post_ids:
                delete_entry(db, post_id)
            queries.erase_posts(db, post_ids, at=at)
            touch(db)
            return True
        pictures = queries.list_pictures(db, user_id=user_id, limit=_AT_ONCE)
        for picture in pictures:
            _part_with(db, picture, user_id=user_id)
    return bool(pictures)


def _part_with(db: sa.Connection, picture: queries.Picture, *, user_id: int) -> None:
    heir = queries.find_needing(db, picture.digest, other_than=user_id)
    if heir is not None:
        queries.give_picture(db, picture.id, to_id=heir)
        return
    delete_media(db, picture.id)
    if find_any(db, picture.digest) is None:
        digests = [picture.digest, *delete_variants(db, picture.digest)]
        enqueue(db, SWEEP, {"digests": digests}, run_at=clock.now())
