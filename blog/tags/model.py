"""The tables that find posts by tag. What a list shows of a post's tags stands with the post."""

import sqlalchemy as sa

from storage.schema import metadata

post_tags_table = sa.Table(
    "post_tags",
    metadata,
    sa.Column("tag", sa.Text, primary_key=True),
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, index=True),
)

# Names that tags had before; each leads to the name that it has now, never to another former one.
former_tags_table = sa.Table(
    "former_tags",
    metadata,
    sa.Column("tag", sa.Text, primary_key=True),
    sa.Column("present", sa.Text, nullable=False, index=True),
)
