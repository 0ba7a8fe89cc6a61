"""Every statement of the search. FTS5 is SQLite's own; who may read what is the same condition as everywhere."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from blog.indexing.model import indexed_posts_table, post_words_table
from blog.posts.model import PostLine, ShownPost, Status, posts_table
from blog.posts.queries.conditions import is_out, is_out_or_held
from blog.posts.queries.lists import list_readable
from blog.posts.queries.rows import FROM, LINE, POSTS_SHOWN, to_all_shown, to_line
from blog.search.language import Question, Word

_p = posts_table.c
_i = indexed_posts_table.c
_w = post_words_table.c
_INDEX: sa.ColumnClause[str] = sa.literal_column("post_words")
# How much a word weighs in the title, the tags and the text; what filters look for weighs nothing, and the whole
# title as much as a word of it.
_WEIGHTS = (10.0, 5.0, 1.0, 0.0, 10.0)
# Of a longer text no more is looked through for the words to show.
_LOOKED_THROUGH = 100_000
# What is out or will come out by itself, for everybody or for members.
_IS_INDEXED = sa.and_(_p.status == Status.PUBLISHED, _p.published_at.is_not(None), _p.deleted_at.is_(None))


class Hit(NamedTuple):
    """An entry of the index that fits."""

    number: int
    score: float  # the lower, the better


class Found(NamedTuple):
    """A post that fits, with its text as the index holds it."""

    line: PostLine
    text: str


def list_hits(
    db: sa.Connection, question: Question, *, by: Principal, at: int, limit: int, with_held: bool = False
) -> list[Hit]:
    """The newest entries that fit and that `by` may read, the best first, and of equally good ones the newest.

    `with_held`: also what stands in no list, but was granted to them.
    """
    if question.wanted:
        # The index is walked from its newest entry on; each is looked up, and only those that may be read are ranked.
        query = sa.select(_w.rowid, sa.func.bm25(_INDEX, *map(_number, _WEIGHTS)))
        query = query.where(_fits(question), _is_readable(_w.rowid, by, at, with_held)).order_by(_w.rowid.desc())
    else:
        unwanted = sa.select(_w.rowid).where(_INDEX.op("MATCH")(question.unwanted))
        query = sa.select(_i.id, _number(0)).where(_i.id.not_in(unwanted), _is_readable(_i.id, by, at, with_held))
        query = query.order_by(_i.id.desc())
    hits = [Hit(*row) for row in db.execute(query.limit(limit))]
    return sorted(hits, key=lambda hit: (hit.score, -hit.number))


def list_found(db: sa.Connection, numbers: Sequence[int], *, by: Principal, at: int) -> list[Found]:
    """What stands behind these entries, in their order."""
    text = sa.func.substr(_w.body, 1, _LOOKED_THROUGH)
    query = sa.select(_i.id, text, *LINE).select_from(
        FROM.join(indexed_posts_table, _i.post_id == _p.id).join(post_words_table, _w.rowid == _i.id)
    )
    rows = db.execute(query.where(_i.id.in_(numbers), _is_readable(_i.id, by, at)))
    found = {number: Found(to_line(line, at), text) for number, text, *line in rows}
    return [found[number] for number in numbers if number in found]


def count_holding(db: sa.Connection, word: Word | None = None, *, most: int) -> int:
    """How many entries hold a word, or how many there are, whoever may read them; counted up to a bound."""
    query = sa.select(_i.id) if word is None else sa.select(_w.rowid).where(_fits(Question((word,))))
    entries = query.limit(most)
    return int(db.execute(sa.select(sa.func.count()).select_from(entries.subquery())).scalar_one())


def list_posts_behind(
    db: sa.Connection, numbers: Sequence[int], *, by: Principal, at: int, with_held: bool = False
) -> list[ShownPost]:
    """The posts behind these entries, with their texts, in their order."""
    ids = db.execute(sa.select(_i.id, _i.post_id).where(_i.id.in_(numbers)))
    post_ids = dict(map(tuple, ids))
    posts = {post.id: post for post in list_readable(db, list(post_ids.values()), by=by, at=at, with_held=with_held)}
    return [posts[post_ids[number]] for number in numbers if post_ids.get(number) in posts]


def list_indexed(db: sa.Connection, *, limit: int, after: str = "") -> list[ShownPost]:
    """What is out or will come out by itself, for everybody or for members, by id."""
    rows = db.execute(POSTS_SHOWN.where(_IS_INDEXED, _p.id > after).order_by(_p.id).limit(limit))
    return to_all_shown(rows)


def count_indexed(db: sa.Connection) -> int:
    """How many there are."""
    return int(db.execute(sa.select(sa.func.count()).select_from(posts_table).where(_IS_INDEXED)).scalar_one())


def _is_readable(
    number: sa.ColumnElement[int], by: Principal, at: int, with_held: bool = False
) -> sa.ColumnElement[bool]:
    """The condition that an entry's post may be read; a question of its own, or SQLite would begin with all posts."""
    indexed = indexed_posts_table.alias("readable")
    joined = indexed.join(posts_table, _p.id == indexed.c.post_id)
    found = is_out_or_held(by, at) if with_held else is_out(by, at)
    readable = sa.exists().select_from(joined).where(indexed.c.id == number, found)
    return readable.correlate_except(indexed, posts_table)


def _fits(question: Question) -> sa.ColumnElement[bool]:
    unwanted = question.unwanted
    expression = f"({question.wanted}) NOT ({unwanted})" if unwanted else question.wanted
    return _INDEX.op("MATCH", is_comparison=True)(expression)


def _number(value: float) -> sa.ColumnElement[float]:
    return sa.literal_column(str(value), sa.Float)
