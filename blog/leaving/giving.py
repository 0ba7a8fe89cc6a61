"""All that one person has written becomes another's."""

import sqlalchemy as sa

from blog.leaving import queries
from blog.posts.indexing import index_post
from blog.posts.queries.finding import find_post
from storage import clock
from storage.engine import Database
from web.site.queries import touch

# Among 100,000 posts each takes 20 ms, nearly all of it to take its former words out of the search index for good.
_AT_ONCE = 25


def give(db: sa.Connection, user_id: int, to_id: int) -> None:
    """Give posts, series and pictures to another person, at once; who saved which revision stays as it was.

    What is hidden becomes a draft of theirs.
    """
    queries.give_posts(db, author_id=user_id, to_id=to_id, at=clock.now())
    queries.give_series(db, author_id=user_id, to_id=to_id)
    queries.give_pictures(db, user_id=user_id, to_id=to_id)
    touch(db)


def index_given(database: Database, username: str) -> bool:
    """Let the search find the next few posts under their present author, and say whether there are more."""
    with database.transaction() as db:
        post_ids = queries.list_indexed_as(db, username, limit=_AT_ONCE)
        for post_id in post_ids:
            post = find_post(db, post_id=post_id)
            assert post is not None
            index_post(db, post)
        if post_ids:
            touch(db)
    return len(post_ids) == _AT_ONCE
