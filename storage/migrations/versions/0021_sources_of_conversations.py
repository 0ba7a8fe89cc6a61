"""Of which posts the preview and the summary of a conversation were made."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table. Of what is there nobody knows which answers it was made of: all that were quoted count."""
    op.create_table(
        "conversation_sources",
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_conversation_sources_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_conversation_sources_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("conversation_id", "part", "post_id", name=op.f("pk_conversation_sources")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_conversation_sources_post_id"), "conversation_sources", ["post_id"])
    op.execute(
        "INSERT INTO conversation_sources (conversation_id, part, post_id)"
        " SELECT DISTINCT messages.conversation_id, parts.part, posts.id"
        " FROM messages, json_each(messages.passages) AS quoted,"
        " (SELECT 'preview' AS part UNION SELECT 'summary') AS parts"
        " JOIN posts ON posts.id = json_extract(quoted.value, '$.post')"
    )
