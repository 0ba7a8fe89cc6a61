"""Whether the index holds what it must, and making it anew."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa
from sqlalchemy import exc

from blog.indexing.queries import count_entries, empty_index, find_entry, find_faults
from blog.posts.indexing import entry_of, index_post
from blog.posts.model import ShownPost
from blog.search.queries import count_indexed, list_indexed
from storage.engine import Database
from storage.errors import Damaged
from web.site.queries import touch

# Told how many posts are done, and how many there are.
Progress = Callable[[int, int], object]

_AT_ONCE = 100
_ADVICE = "Run `byline doctor --rebuild-search`, which may be done while the site is running."


def check_index(database: Database, progress: Progress) -> tuple[bool, str]:
    """Compare every entry with its post. It only reads, a hundred posts at a time, so that nobody waits for it."""
    wrong = 0

    def compare(db: sa.Connection, post: ShownPost) -> None:
        nonlocal wrong
        wrong += find_entry(db, post.id) != entry_of(post)

    try:
        with database.reading() as db:
            faults, (known, entries), posts = find_faults(db), count_entries(db), count_indexed(db)
        if faults:
            return False, f"The search index is damaged: {' '.join(faults[0].split())}. {_ADVICE}"
        _walk(posts, database.reading, compare, progress)
    except Damaged as error:
        return False, f"The search index cannot be read: {error} {_ADVICE}"
    except exc.OperationalError as error:
        return False, f"The search index is not there, or not whole: {error.orig}. {_ADVICE}"
    if wrong or known != posts or entries != posts:
        return False, (
            f"The search index has {entries:,} entries for {posts:,} posts, and {wrong:,} that it holds otherwise or "
            f"not at all. {_ADVICE}"
        )
    return True, f"The search index is whole: {posts:,} posts"


def rebuild_index(database: Database, progress: Progress) -> None:
    """Make it anew, a hundred posts in each transaction; until it is done, search finds a part of them."""
    with database.transaction() as db:
        empty_index(db)
        posts = count_indexed(db)
    _walk(posts, database.transaction, index_post, progress)
    with database.transaction() as db:
        # Pages of results that were kept meanwhile, or before, found what the index held then.
        touch(db)


def _walk(
    count: int,
    opened: Callable[[], AbstractContextManager[sa.Connection]],
    act: Callable[[sa.Connection, ShownPost], object],
    progress: Progress,
) -> None:
    after, done = "", 0
    while True:
        with opened() as db:
            posts = list_indexed(db, after=after, limit=_AT_ONCE)
            for post in posts:
                act(db, post)
        if not posts:
            return
        after, done = posts[-1].id, done + len(posts)
        progress(done, max(done, count))
