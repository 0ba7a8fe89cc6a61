"""What the block of an author means for their posts: they stay, or readers find none of them until it is lifted.

What is hidden is as if it were not published: its address answers 404, no list, count, feed or search knows it, and
its moment passes without its coming out. Editors find it on their desk and at its address.
"""

import sqlalchemy as sa

from blog.posts.queries import saving


def hide(db: sa.Connection, user_id: int, is_hidden: bool) -> None:
    """Hide all posts of a person, drafts and deleted ones too, or show them again: one statement for all of them.

    Whoever calls this lets pages grow older.
    """
    saving.set_hidden(db, author_id=user_id, is_hidden=is_hidden)


def count_posts(db: sa.Connection, user_id: int) -> int:
    """How many posts of a person are not deleted."""
    return saving.count_of(db, author_id=user_id)
