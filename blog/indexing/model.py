"""The tables of the search index.

`post_words` is a table of SQLite's FTS5. It is not in the house's metadata, because Alembic must leave it alone, and
with it the tables `post_words_…` that SQLite keeps behind it.
"""

import sqlalchemy as sa

from storage import clock
from storage.schema import metadata

# Which post an entry of the index is of. The number says when it came out, so that the newest have the highest.
indexed_posts_table = sa.Table(
    "indexed_posts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("published_at", sa.Integer, nullable=False),
)

post_words_table = sa.table(
    "post_words",
    sa.column("rowid", sa.Integer),
    sa.column("title", sa.Text),
    sa.column("tags", sa.Text),
    sa.column("body", sa.Text),
    sa.column("keys", sa.Text),
    sa.column("name", sa.Text),
)


def number_of(published_at: int) -> int:
    """The number that an entry has, or is near to when another one has it: seconds, and never below nought.

    Seconds, because the distances between the numbers of entries are written once for each word of each.
    """
    return (published_at - clock.EARLIEST) // clock.SECOND
