"""Every statement about posts. What somebody may see or change is a condition here: a stranger's row is not found."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from auth.users.model import users_table
from blog.posts.content import Content
from blog.posts.model import (
    Held,
    Kind,
    Origin,
    Post,
    PostLine,
    Status,
    Visibility,
    former_slugs_table,
    library_table,
    posts_table,
    revisions_table,
)
from blog.tags.model import post_tags_table
from blog.tags.queries import bears_tag
from web.cursors import Cursor

_p = posts_table.c
_AUTHOR = {"author_username": users_table.c.username, "author_name": users_table.c.display_name}
_POST = [_AUTHOR[name].label(name) if name in _AUTHOR else _p[name] for name in Post.__dataclass_fields__]
LINE = [
    _p.id,
    _p.slug,
    _p.title,
    _p.summary,
    users_table.c.display_name,
    _p.tags,
    _p.status,
    _p.visibility,
    _p.published_at,
    _p.updated_at,
    _p.version,
    _p.kind,
    _p.lang,
    _p.is_hidden,
]
_REVISED = ("slug", "title", "body", "excerpt", "tags", "status", "visibility", "publish_at", "kind", "lang")
_IN_ONE_STATEMENT = 500
# When the first post comes out after the moment `at`.
NEXT_PUBLICATION = sa.select(sa.func.min(_p.published_at)).where(
    _p.status == Status.PUBLISHED,
    _p.is_hidden == sa.false(),
    _p.published_at > sa.bindparam("at"),
    _p.deleted_at.is_(None),
)
FROM = posts_table.join(users_table, users_table.c.id == _p.author_id)
# What pages for readers are made of, built once: building a statement costs five times what asking it does.
_POSTS = sa.select(*_POST).select_from(FROM)
_BY_SLUG = _POSTS.where(_p.slug == sa.bindparam("slug"))
_BY_ID = _POSTS.where(_p.id == sa.bindparam("post_id"))
_FORMER = sa.select(former_slugs_table.c.post_id).where(former_slugs_table.c.slug == sa.bindparam("slug"))
_BY_FORMER_SLUG = _POSTS.where(_p.id == _FORMER.scalar_subquery())


class Neighbour(NamedTuple):
    """A post that another one leads to."""

    path: str
    title: str
    lang: str


class RevisionLine(NamedTuple):
    """A revision as lists show it."""

    number: int
    username: str
    name: str
    made_at: int
    origin: str
    status: str
    size_bytes: int


def find_post(db: sa.Connection, *, slug: str | None = None, post_id: str | None = None) -> Post | None:
    """The post with that slug or id, whatever its state; the caller decides who may know."""
    query, asked = (_BY_ID, {"post_id": post_id}) if slug is None else (_BY_SLUG, {"slug": slug})
    return _to_post(db.execute(query, asked).one_or_none())


def find_by_former_slug(db: sa.Connection, slug: str) -> Post | None:
    """The post that had that slug once."""
    return _to_post(db.execute(_BY_FORMER_SLUG, {"slug": slug}).one_or_none())


def is_granted(db: sa.Connection, post_id: str, *, user_id: int | None) -> bool:
    """Whether that person was granted that post, and still is."""
    h = library_table.c
    is_this = sa.and_(h.user_id == user_id, h.post_id == post_id, h.source == Held.GRANTED)
    return db.execute(sa.select(h.post_id).where(is_this)).first() is not None


def find_editable(db: sa.Connection, post_id: str, *, by: Principal) -> Post | None:
    """The post, if `by` may change it."""
    query = sa.select(*_POST).select_from(FROM).where(_p.id == post_id, _p.deleted_at.is_(None), is_editable(by))
    return _to_post(db.execute(query).one_or_none())


def find_by_submission(db: sa.Connection, submission: str, *, by: Principal) -> Post | None:
    """The post that this very form has made or changed already."""
    made = sa.select(revisions_table.c.post_id).where(came_with(submission, by=by))
    query = sa.select(*_POST).select_from(FROM).where(_p.id.in_(made))
    return _to_post(db.execute(query).one_or_none())


def find_revision(db: sa.Connection, post: Post, *conditions: sa.ColumnElement[bool]) -> Post | None:
    """The post as it was in the one revision that meets the conditions."""
    r = revisions_table.c
    query = sa.select(*(r[name] for name in _REVISED), r.number).where(r.post_id == post.id, *conditions)
    row = db.execute(query).one_or_none()
    if row is None:
        return None
    values = {name: getattr(row, name) for name in _REVISED}
    values |= {"tags": _split_tags(row.tags), "status": Status(row.status), "visibility": Visibility(row.visibility)}
    values["kind"] = Kind(row.kind)
    return replace(post, version=row.number, **values)


def was_page_at(db: sa.Connection, post_id: str, slug: str) -> bool:
    """Whether that post was a page under that slug once."""
    r = revisions_table.c
    query = sa.select(r.number).where(r.post_id == post_id, r.slug == slug, r.kind == Kind.PAGE).limit(1)
    return db.execute(query).first() is not None


def is_numbered(number: int | None) -> sa.ColumnElement[bool]:
    """The condition that a revision has that number."""
    return revisions_table.c.number == number


def came_with(submission: str | None, *, by: Principal) -> sa.ColumnElement[bool]:
    """The condition that a revision was made by this very form of this person."""
    return sa.and_(revisions_table.c.submission == submission, revisions_table.c.user_id == by.user_id)


def list_out(
    db: sa.Connection,
    *,
    by: Principal,
    at: int,
    limit: int,
    before: Cursor | None = None,
    tag: str | None = None,
    author: str | None = None,
) -> list[PostLine]:
    """What `by` finds as a reader, the newest first; under one tag, or by one author."""
    query = _lines_out(sees_members_posts(by), tag is not None, author is not None, before is not None)
    cursor = {} if before is None else {"before_at": before.at, "before_id": before.id}
    # The earlier bound is where the walk along the index begins: not with the newest post.
    bound = at if before is None else min(at, before.at)
    rows = db.execute(query, {"at": bound, "tag": tag, "author": author, "most": limit, **cursor})
    return [to_line(row, at) for row in rows]


def list_whole_out(
    db: sa.Connection, *, by: Principal, at: int, limit: int, tag: str | None = None, author: str | None = None
) -> list[Post]:
    """The same with their texts, for feeds."""
    query = _newest_out(sees_members_posts(by), tag is not None, author is not None).with_only_columns(*_POST)
    rows = db.execute(query, {"at": at, "tag": tag, "author": author, "most": limit})
    return [post for row in rows if (post := _to_post(row)) is not None]


@cache
def _lines_out(sees_members_posts: bool, has_tag: bool, has_author: bool, has_cursor: bool) -> sa.Select[Any]:
    query = _newest_out(sees_members_posts, has_tag, has_author).with_only_columns(*LINE)
    if has_cursor:
        place = sa.tuple_(sa.bindparam("before_at", type_=sa.Integer), sa.bindparam("before_id", type_=sa.Text))
        query = query.where(sa.tuple_(_p.published_at, _p.id) < place)
    return query


@cache
def _newest_out(sees_members_posts: bool, has_tag: bool, has_author: bool) -> sa.Select[Any]:
    at = sa.bindparam("at", type_=sa.Integer)
    query = sa.select(_p.id).select_from(FROM).where(is_out_for(sees_members_posts, at), _p.kind == Kind.POST)
    if has_tag:
        query = query.where(bears_tag(sa.bindparam("tag", type_=sa.Text), _p.id))
    if has_author:
        query = query.where(users_table.c.username == sa.bindparam("author"))
    return query.order_by(_p.published_at.desc(), _p.id.desc()).limit(sa.bindparam("most", type_=sa.Integer))


def find_neighbours(
    db: sa.Connection, post: Post, *, by: Principal, at: int
) -> tuple[Neighbour | None, Neighbour | None]:
    """The posts that came out before and after one that is out, of those that `by` finds as a reader."""
    asked = {"at": at, "here_at": post.published_at, "here_id": post.id}
    rows = db.execute(_neighbours(sees_members_posts(by)), asked)
    sides = {row.side: Neighbour(f"/posts/{row.slug}", row.title, row.lang) for row in rows}
    return sides.get("before"), sides.get("after")


@cache
def _neighbours(sees_members_posts: bool) -> sa.CompoundSelect[Any]:
    at, here_at = (sa.bindparam(name, type_=sa.Integer) for name in ("at", "here_at"))
    here, place = sa.tuple_(here_at, sa.bindparam("here_id", type_=sa.Text)), sa.tuple_(_p.published_at, _p.id)

    def first(side: str, *conditions: sa.ColumnElement[bool], order: Sequence[Any]) -> sa.Select[Any]:
        query = sa.select(sa.literal(side).label("side"), _p.slug, _p.title, _p.lang)
        query = query.where(_p.kind == Kind.POST, *conditions)
        return sa.select(query.order_by(*order).limit(1).subquery())

    # What came out before a post that is out is out by now. Bounded by `at`, the search would begin with the newest.
    out_by_then, out = is_out_for(sees_members_posts, here_at), is_out_for(sees_members_posts, at)
    before = first("before", out_by_then, place < here, order=(_p.published_at.desc(), _p.id.desc()))
    return before.union_all(first("after", out, place > here, order=(_p.published_at, _p.id)))


def count_by_tag(db: sa.Connection, *, by: Principal, at: int) -> list[tuple[str, int]]:
    """Every tag of what `by` finds as a reader, and on how many posts it stands, by name."""
    t = post_tags_table.c
    query = sa.select(t.tag, sa.func.count()).join(posts_table, _p.id == t.post_id)
    query = query.where(is_out(by, at), _p.kind == Kind.POST).group_by(t.tag).order_by(t.tag)
    return [(row[0], row[1]) for row in db.execute(query)]


def list_known(db: sa.Connection, *, by: Principal, at: int, limit: int, before: Cursor | None = None) -> list[Post]:
    """Everything that `by` may know of, the last begun first."""
    query = sa.select(*_POST).select_from(FROM).where(_p.deleted_at.is_(None), is_known(by, at))
    if before is not None:
        query = query.where(sa.tuple_(_p.created_at, _p.id) < sa.tuple_(before.at, before.id))
    rows = db.execute(query.order_by(_p.created_at.desc(), _p.id.desc()).limit(limit))
    return [post for row in rows if (post := _to_post(row)) is not None]


def list_readable(
    db: sa.Connection, post_ids: Sequence[str], *, by: Principal, at: int, with_held: bool = False
) -> list[Post]:
    """Those of these posts that `by` finds as a reader, whole; `with_held`: or holds, see `is_out_or_held`."""
    found = is_out_or_held(by, at) if with_held else is_out(by, at)
    query = sa.select(*_POST).select_from(FROM).where(_p.id.in_(post_ids), found)
    return [post for row in db.execute(query) if (post := _to_post(row)) is not None]


def list_indexed(db: sa.Connection, *, limit: int, after: str = "") -> list[Post]:
    """What is out or will come out by itself, for everybody or for members, by id."""
    is_there = sa.and_(_p.status == Status.PUBLISHED, _p.published_at.is_not(None), _p.deleted_at.is_(None))
    rows = db.execute(sa.select(*_POST).select_from(FROM).where(is_there, _p.id > after).order_by(_p.id).limit(limit))
    return [post for row in rows if (post := _to_post(row)) is not None]


def count_indexed(db: sa.Connection) -> int:
    """How many there are."""
    is_there = sa.and_(_p.status == Status.PUBLISHED, _p.published_at.is_not(None), _p.deleted_at.is_(None))
    return int(db.execute(sa.select(sa.func.count()).select_from(posts_table).where(is_there)).scalar_one())


def find_in_bin(db: sa.Connection, post_id: str, *, by: Principal, since: int) -> Post | None:
    """A post that was deleted since a moment, if `by` may change it."""
    is_there = sa.and_(_p.id == post_id, _p.deleted_at >= since, is_editable(by), _is_somebodys())
    return _to_post(db.execute(sa.select(*_POST).select_from(FROM).where(is_there)).one_or_none())


def list_bin(db: sa.Connection, *, by: Principal, since: int, limit: int, before: Cursor | None = None) -> list[Post]:
    """What `by` may take out of the bin, the last deleted first."""
    query = sa.select(*_POST).select_from(FROM).where(_p.deleted_at >= since, is_editable(by), _is_somebodys())
    if before is not None:
        query = query.where(sa.tuple_(_p.deleted_at, _p.id) < sa.tuple_(before.at, before.id))
    rows = db.execute(query.order_by(_p.deleted_at.desc(), _p.id.desc()).limit(limit))
    return [post for row in rows if (post := _to_post(row)) is not None]


def mark_restored(db: sa.Connection, post: Post, *, at: int) -> None:
    """Take it out of the bin, as a draft; what was deleted before its moment came has never been out."""
    out_at = post.published_at if post.was_out(at) else None
    values = {"deleted_at": None, "status": Status.DRAFT, "version": post.version + 1, "updated_at": at}
    values["published_at"] = out_at
    db.execute(sa.update(posts_table).where(_p.id == post.id).values(**values))


def list_revisions(db: sa.Connection, post_id: str, *, limit: int, before: int | None = None) -> list[RevisionLine]:
    """The revisions of a post, the newest first; `before`: below that number."""
    r = revisions_table.c
    size = sa.func.octet_length(r.body)
    query = sa.select(r.number, users_table.c.username, users_table.c.display_name, r.made_at, r.origin, r.status, size)
    query = query.join(users_table, users_table.c.id == r.user_id).where(r.post_id == post_id)
    if before is not None:
        query = query.where(r.number < before)
    return [RevisionLine(*row) for row in db.execute(query.order_by(r.number.desc()).limit(limit))]


def is_slug_taken(db: sa.Connection, slug: str, *, by_other_than: str | None) -> bool:
    """Whether another post, also a deleted one, has or had that slug."""
    has = sa.select(_p.id).where(_p.slug == slug)
    had = sa.select(former_slugs_table.c.post_id).where(former_slugs_table.c.slug == slug)
    return any(row[0] != by_other_than for row in db.execute(has.union(had)))


def is_slug_in_bin(db: sa.Connection, slug: str, *, by: Principal, since: int) -> bool:
    """Whether a post that `by` may take out of the bin has or had that slug."""
    query = sa.select(_p.id).where(_has_or_had(slug), _p.deleted_at >= since, is_editable(by), _is_somebodys())
    return db.execute(query).first() is not None


def release_slug(db: sa.Connection, slug: str, *, deleted_before: int) -> None:
    """Take that slug from a post that was deleted before a moment and never published: nobody was led there by it."""
    r, former = revisions_table.c, former_slugs_table.c
    published = sa.select(r.number).where(r.post_id == _p.id, r.status == Status.PUBLISHED).exists()
    # What went with its author has no revisions any more.
    was_published = sa.or_(published, _p.published_at.is_not(None))
    is_over = sa.and_(_p.deleted_at < deleted_before, sa.not_(was_published))
    given_up = list(db.execute(sa.select(_p.id).where(_has_or_had(slug), is_over)).scalars())
    db.execute(sa.delete(former_slugs_table).where(former.slug == slug, former.post_id.in_(given_up)))
    # No slug that anybody can choose begins like this.
    gone = sa.update(posts_table).where(_p.slug == slug, _p.id.in_(given_up))
    db.execute(gone.values(slug=sa.literal("~").concat(_p.id)))


def _is_somebodys() -> sa.ColumnElement[bool]:
    """The condition that the author of a post is still here: what went with them comes back to nobody."""
    return _p.author_id.not_in(sa.select(users_table.c.id).where(users_table.c.deleted_at.is_not(None)))


def _has_or_had(slug: str) -> sa.ColumnElement[bool]:
    had = sa.select(former_slugs_table.c.post_id).where(former_slugs_table.c.slug == slug)
    return sa.or_(_p.slug == slug, _p.id.in_(had))


def insert_post(
    db: sa.Connection,
    post_id: str,
    content: Content,
    *,
    author_id: int,
    published_at: int | None,
    created_at: int,
    updated_at: int,
) -> None:
    """Store a new post, version 1. Its slug must be free."""
    db.execute(
        sa.insert(posts_table).values(
            id=post_id,
            author_id=author_id,
            # Also what an import brings of somebody whose posts are hidden.
            is_hidden=sa.select(users_table.c.has_hidden_posts).where(users_table.c.id == author_id).scalar_subquery(),
            published_at=published_at,
            version=1,
            created_at=created_at,
            updated_at=updated_at,
            **_values(content),
        )
    )


def update_post(db: sa.Connection, post: Post, content: Content, *, published_at: int | None, at: int) -> None:
    """Store what a save makes of a post: the next version."""
    db.execute(
        sa.update(posts_table)
        .where(_p.id == post.id)
        .values(
            published_at=published_at,
            version=post.version + 1,
            updated_at=at,
            **_values(content),
        )
    )


def set_hidden(db: sa.Connection, *, author_id: int, is_hidden: bool) -> None:
    """Hide every post of an author from readers, or show them; no save of theirs, and no other version."""
    is_other = sa.and_(_p.author_id == author_id, _p.is_hidden == sa.literal(not is_hidden))
    db.execute(sa.update(posts_table).where(is_other).values(is_hidden=is_hidden))


def count_of(db: sa.Connection, *, author_id: int) -> int:
    """How many posts an author has that are not deleted."""
    these = sa.and_(_p.author_id == author_id, _p.deleted_at.is_(None))
    return int(db.execute(sa.select(sa.func.count()).where(these)).scalar_one())


def mark_deleted(db: sa.Connection, post: Post, *, at: int) -> None:
    """Take it away; its address will say so."""
    db.execute(sa.update(posts_table).where(_p.id == post.id).values(deleted_at=at, version=post.version + 1))


def insert_revision(db: sa.Connection, post: Post, *, user_id: int, submission: str | None, origin: Origin) -> None:
    """Keep what the post is now as the revision of its version."""
    values: dict[str, Any] = {name: getattr(post, name) for name in _REVISED}
    values |= {"post_id": post.id, "number": post.version, "made_at": post.updated_at, "tags": ",".join(post.tags)}
    db.execute(sa.insert(revisions_table).values(**values, user_id=user_id, submission=submission, origin=origin))


def keep_former_slug(db: sa.Connection, post_id: str, *, former: str, current: str) -> None:
    """Let the former slug lead to the post; the current one is no former one (any more)."""
    db.execute(sa.delete(former_slugs_table).where(former_slugs_table.c.slug == current))
    db.execute(sa.insert(former_slugs_table).values(slug=former, post_id=post_id))


def list_stale(db: sa.Connection, *, renderer: int, limit: int) -> list[Post]:
    """Posts whose pages an older renderer has made, also deleted ones."""
    query = sa.select(*_POST).select_from(FROM).where(_p.renderer_version < renderer).limit(limit)
    return [post for row in db.execute(query) if (post := _to_post(row)) is not None]


def replace_html(db: sa.Connection, post: Post, *, html: str, summary: str, renderer: int) -> bool:
    """Store another page of the same text, unless that was changed meanwhile; returns whether it was stored."""
    is_same = sa.and_(_p.id == post.id, _p.version == post.version)
    values = {"html": html, "summary": summary, "renderer_version": renderer}
    return db.execute(sa.update(posts_table).where(is_same).values(**values)).rowcount == 1


def mark_all_stale(db: sa.Connection) -> None:
    """Let every page be made anew."""
    db.execute(sa.update(posts_table).values(renderer_version=0))


def mark_stale(db: sa.Connection, post_ids: Sequence[str]) -> None:
    """Let the pages of these posts be made anew."""
    for start in range(0, len(post_ids), _IN_ONE_STATEMENT):
        these = _p.id.in_(post_ids[start : start + _IN_ONE_STATEMENT])
        db.execute(sa.update(posts_table).where(these).values(renderer_version=0))


def is_out(by: Principal, at: "int | sa.BindParameter[int]") -> sa.ColumnElement[bool]:
    """The condition that `by` finds a post as a reader."""
    return is_out_for(sees_members_posts(by), at)


def is_out_or_held(by: Principal, at: int) -> sa.ColumnElement[bool]:
    """The condition that `by` finds a post as a reader, or that it is out for whom it was granted, and that is them."""
    h, holds = library_table.c, list[sa.ColumnElement[bool]]()
    if by.may(Permission.READ_MEMBERS_POSTS):
        is_granted = sa.exists().where(h.user_id == by.user_id, h.post_id == _p.id, h.source == Held.GRANTED)
        holds.append(is_granted.correlate(posts_table))
    if by.may(Permission.READ_OWN_DRAFTS):
        holds.append(_p.author_id == by.user_id)
    return sa.or_(is_out(by, at), sa.and_(has_come_out(at), sa.or_(sa.false(), *holds)))


def is_known(by: Principal, at: int) -> sa.ColumnElement[bool]:
    """The condition that `by` finds a post as a reader, or may know a draft of it."""
    return sa.or_(is_out(by, at), _is_visible_draft(by))


def is_granted_and_out(by: Principal, at: int) -> sa.ColumnElement[bool]:
    """The condition that a post, joined with their row of the library, is out and was granted to `by` or is theirs."""
    is_granted = sa.or_(library_table.c.source == Held.GRANTED, _p.author_id == by.user_id)
    return sa.and_(has_come_out(at), is_granted) if sees_members_posts(by) else sa.false()


def sees_members_posts(by: Principal) -> bool:
    """Whether what is for members is for them."""
    return by.may(Permission.READ_MEMBERS_POSTS)


def is_out_for(sees_members_posts: bool, at: "int | sa.BindParameter[int]") -> sa.ColumnElement[bool]:
    """The same condition, for statements that are built once."""
    visible = [Visibility.PUBLIC, *([Visibility.MEMBERS] if sees_members_posts else [])]
    return sa.and_(has_come_out(at), _p.visibility.in_(visible))


def has_come_out(at: "int | sa.BindParameter[int]") -> sa.ColumnElement[bool]:
    """The condition that a post is out at that moment, for whomever it is."""
    return sa.and_(
        _p.status == Status.PUBLISHED,
        _p.is_hidden == sa.false(),
        _p.published_at <= at,
        _p.deleted_at.is_(None),
    )


def _is_visible_draft(by: Principal) -> sa.ColumnElement[bool]:
    if by.may(Permission.READ_ANY_DRAFT):
        return sa.true()
    return _p.author_id == by.user_id if by.may(Permission.READ_OWN_DRAFTS) else sa.false()


def is_editable(by: Principal) -> sa.ColumnElement[bool]:
    """The condition that `by` may change a post."""
    if by.may(Permission.EDIT_ANY_POST):
        return sa.true()
    return _p.author_id == by.user_id if by.may(Permission.WRITE_POSTS) else sa.false()


def _values(content: Content) -> dict[str, Any]:
    names = (
        "slug",
        "title",
        "body",
        "html",
        "excerpt",
        "summary",
        "status",
        "visibility",
        "publish_at",
        "kind",
        "lang",
        "renderer_version",
    )
    return {**{name: getattr(content, name) for name in names}, "tags": ",".join(content.tags)}


def _split_tags(text: str) -> list[str]:
    return text.split(",") if text else []


def _to_post(row: Any) -> Post | None:
    if row is None:
        return None
    values = dict(row._mapping)
    values |= {
        "tags": _split_tags(row.tags),
        "status": Status(row.status),
        "visibility": Visibility(row.visibility),
        "kind": Kind(row.kind),
    }
    return Post(**values)


def to_line(row: Sequence[Any], at: int) -> PostLine:
    """A row of `LINE` as lists show it."""
    post_id, slug, title, summary, author, tags, status, visibility, published_at, *rest = row
    updated_at, version, kind, lang, is_hidden = rest
    return PostLine(
        id=post_id,
        slug=slug,
        title=title,
        excerpt=summary,
        author_name=author,
        tags=_split_tags(tags),
        status=Status(status),
        visibility=Visibility(visibility),
        published_at=published_at,
        updated_at=updated_at,
        version=version,
        kind=Kind(kind),
        lang=lang,
        is_hidden=is_hidden,
        is_scheduled=status == Status.PUBLISHED and published_at is not None and published_at > at,
    )
