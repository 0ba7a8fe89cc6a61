"""Every statement about all that one person has written."""

from typing import NamedTuple

import sqlalchemy as sa

from auth.users.model import users_table
from blog.conversations.model import Role, State, conversations_table, messages_table
from blog.indexing.model import indexed_posts_table, post_words_table
from blog.indexing.words import key_of_author
from blog.media.model import media_table, media_uses_table
from blog.posts.model import Status, posts_table, revisions_table
from blog.previews.model import preview_links_table
from blog.series.model import series_posts_table, series_table
from blog.tags.model import post_tags_table

_p, _m, _u, _s = posts_table.c, media_table.c, media_uses_table.c, series_table.c
_c, _said, _r = conversations_table.c, messages_table.c, revisions_table.c
_i, _w = indexed_posts_table.c, post_words_table.c
# What belongs to a post and says something of its text.
_ABOUT_POSTS = (
    (revisions_table, revisions_table.c.post_id),
    (post_tags_table, post_tags_table.c.post_id),
    (media_uses_table, _u.post_id),
    (preview_links_table, preview_links_table.c.post_id),
    (series_posts_table, series_posts_table.c.post_id),
)
# Empty, once a post is erased. Its row and its addresses stay, which answer that it is gone.
_TEXTS = ("title", "body", "html", "excerpt", "summary", "tags")
# What an answer says, and what a conversation keeps of its answers.
_ANSWER = {"content": "", "html": "", "passages": "[]", "state": State.ERASED}
_LONGEST_TITLE = 200


class Picture(NamedTuple):
    """A row of somebody's, by its file."""

    id: str
    digest: str


def give_posts(db: sa.Connection, *, author_id: int, to_id: int, at: int) -> None:
    """Make all posts of one person, drafts and deleted ones too, those of another; no other version of any.

    What is hidden becomes a draft: readers find it when its new author lets it out, and not because it was given away.
    """
    status = sa.case((_p.is_hidden, sa.literal(Status.DRAFT)), else_=_p.status)
    # A draft has no moment to come at which it would be out.
    out_at = sa.case((sa.and_(_p.is_hidden, _p.published_at > at), sa.null()), else_=_p.published_at)
    given = sa.update(posts_table).where(_p.author_id == author_id)
    db.execute(given.values(author_id=to_id, status=status, published_at=out_at, is_hidden=False))


def give_series(db: sa.Connection, *, author_id: int, to_id: int) -> None:
    """Make all series of one person those of another."""
    db.execute(sa.update(series_table).where(_s.author_id == author_id).values(author_id=to_id, version=_s.version + 1))


def give_pictures(db: sa.Connection, *, user_id: int, to_id: int) -> None:
    """Make all pictures of one person those of another; of a file that both have, the other's own row stays."""
    theirs = media_table.alias("theirs")
    both = sa.select(theirs.c.digest).where(theirs.c.user_id == to_id)
    words = sa.select(theirs.c.alt).where(theirs.c.user_id == user_id, theirs.c.digest == _m.digest).scalar_subquery()
    has_none = sa.and_(_m.user_id == to_id, _m.alt == "", _m.is_decorative == sa.false())
    also = _m.digest.in_(sa.select(theirs.c.digest).where(theirs.c.user_id == user_id))
    db.execute(sa.update(media_table).where(has_none, also).values(alt=words))
    db.execute(sa.delete(media_table).where(_m.user_id == user_id, _m.digest.in_(both)))
    db.execute(sa.update(media_table).where(_m.user_id == user_id).values(user_id=to_id))


def delete_series(db: sa.Connection, *, author_id: int) -> None:
    """Take all series of a person away; the posts of others that stand in them stay."""
    db.execute(sa.delete(series_table).where(_s.author_id == author_id))


def list_indexed_as(db: sa.Connection, username: str, *, limit: int) -> list[str]:
    """The ids of some posts that the search index holds as written by somebody of that name."""
    fits = sa.literal_column("post_words").op("MATCH", is_comparison=True)(f'keys:"{key_of_author(username)}"')
    joined = post_words_table.join(indexed_posts_table, _i.id == _w.rowid)
    return list(db.execute(sa.select(_i.post_id).select_from(joined).where(fits).limit(limit)).scalars())


def list_unerased(db: sa.Connection, *, author_id: int, limit: int) -> list[str]:
    """The ids of some posts of a person whose texts are still there."""
    # Every post has a revision from its first save on.
    has_text = sa.exists().where(revisions_table.c.post_id == _p.id)
    return list(db.execute(sa.select(_p.id).where(_p.author_id == author_id, has_text).limit(limit)).scalars())


def has_any(db: sa.Connection, user_id: int) -> bool:
    """Whether a person has a post, also a deleted one, a series or a picture."""
    found = (sa.select(sa.literal(1)).where(key == user_id) for key in (_p.author_id, _s.author_id, _m.user_id))
    return db.execute(sa.union_all(*found).limit(1)).first() is not None


def erase_posts(db: sa.Connection, post_ids: list[str], *, at: int) -> None:
    """Empty these posts, and take away all that was kept of their texts. They count as deleted, if they did not."""
    for table, post_id in _ABOUT_POSTS:
        db.execute(sa.delete(table).where(post_id.in_(post_ids)))
    values = {**dict.fromkeys(_TEXTS, ""), "version": _p.version + 1, "deleted_at": sa.func.coalesce(_p.deleted_at, at)}
    db.execute(sa.update(posts_table).where(_p.id.in_(post_ids)).values(values))


def list_quoting(db: sa.Connection, post_ids: list[str], *, limit: int) -> list[str]:
    """The ids of some answers that quote one of these posts. Looks through all: not for where others wait to write."""
    quoted = sa.func.json_each(_said.passages).table_valued("value")
    post_id = sa.func.json_extract(quoted.c.value, "$.post")
    quotes = sa.select(sa.literal(1)).select_from(quoted).where(post_id.in_(post_ids)).exists()
    query = sa.select(_said.id).where(_said.role == Role.GUIDE, _said.passages != "[]", quotes)
    return list(db.execute(query.limit(limit)).scalars())


def list_answers_about(db: sa.Connection, post_ids: list[str], *, limit: int) -> list[str]:
    """The ids of some answers, not erased yet, of conversations about these posts."""
    query = sa.select(_said.id).join(conversations_table, _c.id == _said.conversation_id)
    query = query.where(_c.post_id.in_(post_ids), _said.role == Role.GUIDE, _said.state != State.ERASED)
    return list(db.execute(query.limit(limit)).scalars())


def erase_answers(db: sa.Connection, message_ids: list[str]) -> None:
    """Empty these answers, and what was kept of them with their conversations. What readers asked stays.

    An answer or a summary that is being made of them meanwhile comes too late.
    """
    touched = sa.select(_said.conversation_id).where(_said.id.in_(message_ids))
    values = {"preview": "", "summary": "", "summary_count": _c.message_count}
    values |= {"turn": _c.turn + 1, "version": _c.version + 1}
    db.execute(sa.update(conversations_table).where(_c.id.in_(touched)).values(values))
    db.execute(sa.update(messages_table).where(_said.id.in_(message_ids)).values(_ANSWER))


def erase_names(db: sa.Connection, post_ids: list[str], *, limit: int) -> bool:
    """Take the name from some conversations that are called as their post was, one of these; whether there were any."""
    called = sa.select(sa.func.substr(_r.title, 1, _LONGEST_TITLE)).where(_r.post_id == _c.post_id)
    named = sa.select(_c.id).where(_c.post_id.in_(post_ids), _c.title != "", _c.title.in_(called)).limit(limit)
    values = {"title": "", "version": _c.version + 1}
    return db.execute(sa.update(conversations_table).where(_c.id.in_(named)).values(values)).rowcount > 0


def list_pictures(db: sa.Connection, *, user_id: int, limit: int) -> list[Picture]:
    """Some pictures of a person."""
    return [Picture(*row) for row in db.execute(sa.select(_m.id, _m.digest).where(_m.user_id == user_id).limit(limit))]


def find_needing(db: sa.Connection, digest: str, *, other_than: int) -> int | None:
    """Somebody who has a post in which that picture stands or stood, but not the picture; None when nobody has."""
    has_it = sa.exists().where(_m.digest == digest, _m.user_id == _p.author_id)
    query = sa.select(_p.author_id).join(media_uses_table, _u.post_id == _p.id)
    query = query.join(users_table, users_table.c.id == _p.author_id).where(users_table.c.deleted_at.is_(None))
    return db.execute(
        query.where(_u.digest == digest, _p.author_id != other_than, ~has_it).order_by(_p.created_at).limit(1)
    ).scalar_one_or_none()


def give_picture(db: sa.Connection, media_id: str, *, to_id: int) -> None:
    """Make one picture somebody else's."""
    db.execute(sa.update(media_table).where(_m.id == media_id).values(user_id=to_id))
