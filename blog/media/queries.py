"""Every statement about pictures. A stranger's row is not found."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import NamedTuple

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from blog.media.model import Media, Use, Variant, media_table, media_uses_table, media_variants_table
from storage import clock
from web.cursors import Cursor

_m, _u, _v = media_table.c, media_uses_table.c, media_variants_table.c
_MEDIA = [_m[name] for name in Media.__dataclass_fields__]
# Posts are kept by a floor above, which says what stands in each (`keep_uses`); unsaved texts by a neighbour.
_posts = sa.table(
    "posts",
    *(sa.column(name) for name in ("id", "slug", "title", "author_id", "status", "deleted_at", "updated_at")),
)
_copies = sa.table("working_copies", *(sa.column(name) for name in ("user_id", "fields", "saved_at")))
_p, _c = _posts.c, _copies.c
_MOST_USES = 20  # of each picture
# What was deleted so short a time ago can be taken out of the bin, and wants its pictures then.
IN_BIN = 30 * clock.DAY
COPIES_KEPT = 30 * clock.DAY  # what somebody typed and did not save


class Found(NamedTuple):
    """A file that may be served."""

    digest: str
    type: str


def find_own(
    db: sa.Connection, *, by: Principal, media_id: str | None = None, digest: str | None = None
) -> Media | None:
    """A picture of one's own."""
    is_this = _m.id == media_id if media_id is not None else _m.digest == digest
    row = db.execute(sa.select(*_MEDIA).where(_is_own(by), is_this)).one_or_none()
    return None if row is None else Media(**row._mapping)


def list_own(db: sa.Connection, *, by: Principal, limit: int, before: Cursor | None = None) -> list[Media]:
    """One's own pictures, the newest first."""
    query = sa.select(*_MEDIA).where(_is_own(by))
    if before is not None:
        query = query.where(sa.tuple_(_m.created_at, _m.id) < sa.tuple_(before.at, before.id))
    rows = db.execute(query.order_by(_m.created_at.desc(), _m.id.desc()).limit(limit))
    return [Media(**row._mapping) for row in rows]


def insert_media(db: sa.Connection, media: Media) -> None:
    """Store a picture; the person must not have it yet."""
    db.execute(sa.insert(media_table), asdict(media))


def update_description(db: sa.Connection, media_id: str, *, alt: str, is_decorative: bool) -> None:
    """Say what it shows."""
    db.execute(sa.update(media_table).where(_m.id == media_id).values(alt=alt, is_decorative=is_decorative))


def delete_media(db: sa.Connection, media_id: str) -> None:
    """Take a picture away from its person."""
    db.execute(sa.delete(media_table).where(_m.id == media_id))


def sum_sizes(db: sa.Connection, *, user_id: int) -> int:
    """How many bytes a person's pictures have."""
    total = db.execute(sa.select(sa.func.sum(_m.size_bytes)).where(_m.user_id == user_id)).scalar_one()
    return int(total or 0)


def find_any(db: sa.Connection, digest: str) -> Media | None:
    """Anybody's row of that file."""
    row = db.execute(sa.select(*_MEDIA).where(_m.digest == digest).limit(1)).one_or_none()
    return None if row is None else Media(**row._mapping)


def find_file(db: sa.Connection, digest: str, *, width: int | None = None) -> Found | None:
    """The file to serve for a picture, or for its variant of that width."""
    if width is None:
        row = db.execute(sa.select(_m.digest, _m.type).where(_m.digest == digest).limit(1)).one_or_none()
        return None if row is None else Found(row.digest, row.type)
    query = sa.select(_v.file_digest).where(_v.digest == digest, _v.width == width)
    file_digest = db.execute(query).scalar_one_or_none()
    return None if file_digest is None else Found(file_digest, "image/webp")


def list_variants(db: sa.Connection, digests: Iterable[str]) -> dict[str, list[Variant]]:
    """The variants of these pictures, the narrowest first."""
    query = sa.select(_v.digest, _v.width, _v.height).where(_v.digest.in_(list(digests)))
    found: dict[str, list[Variant]] = defaultdict(list)
    for row in db.execute(query.order_by(_v.digest, _v.width)):
        found[row.digest].append(Variant(row.digest, row.width, row.height))
    return found


def list_measures(
    db: sa.Connection, digests: list[str], *, author_id: int | None
) -> Sequence[sa.Row[str, int, int, str, int | None]]:
    """Digest, width, height, alt and a variant's width of these pictures: a row for each variant, or one without.

    How large a file is, is the same whosever it is. What it shows is what this author says of theirs; empty: nothing.
    """
    alt = sa.func.max(sa.case((_m.user_id == author_id, _m.alt), else_="")).label("alt")
    measures = (_m.digest, _m.width, _m.height, _v.width.label("variant_width"))
    query = (
        sa.select(*measures, alt)
        .select_from(media_table.outerjoin(media_variants_table, _v.digest == _m.digest))
        .where(_m.digest.in_(digests))
        .group_by(*measures)
        .order_by(_m.digest, _v.width)
    )
    return db.execute(query).all()


def insert_variant(db: sa.Connection, variant: Variant, *, file_digest: str) -> None:
    """Store a variant, in the place of one of the same width."""
    db.execute(sa.delete(media_variants_table).where(_v.digest == variant.digest, _v.width == variant.width))
    db.execute(sa.insert(media_variants_table), asdict(variant) | {"file_digest": file_digest})


def delete_variants(db: sa.Connection, digest: str) -> list[str]:
    """Forget the variants of a picture; returns the digests of their files."""
    return list(
        db.execute(sa.delete(media_variants_table).where(_v.digest == digest).returning(_v.file_digest)).scalars()
    )


def is_file_used(db: sa.Connection, digest: str) -> bool:
    """Whether a row needs that file."""
    of_picture = sa.select(sa.literal(1)).where(_m.digest == digest)
    of_variant = sa.select(sa.literal(1)).where(_v.file_digest == digest)
    return db.execute(of_picture.union_all(of_variant).limit(1)).first() is not None


def replace_uses(db: sa.Connection, post_id: str, digests: Iterable[str]) -> None:
    """Let these pictures, and no others, stand in a post; the ones that did before stay in its earlier revisions."""
    db.execute(sa.update(media_uses_table).where(_u.post_id == post_id).values(is_current=False))
    rows = [{"post_id": post_id, "digest": digest, "is_current": True} for digest in digests]
    if rows:
        db.execute(sa.insert(media_uses_table).prefix_with("OR REPLACE"), rows)


def list_posts_with(db: sa.Connection, digest: str) -> list[str]:
    """The ids of the posts in whose texts a picture stands, deleted ones too."""
    return list(db.execute(sa.select(_u.post_id).where(_u.digest == digest, _u.is_current)).scalars())


def list_uses(db: sa.Connection, pictures: Sequence[Media], *, by: Principal) -> dict[str, list[Use]]:
    """The posts in whose text these pictures stand or stood, by digest, one's own first; for editors everybody's."""
    is_known = sa.true() if by.may(Permission.EDIT_ANY_POST) else _p.author_id == by.user_id
    is_own = (_p.author_id == by.user_id).label("is_own")
    order = (is_own.desc(), _u.is_current.desc(), _p.updated_at.desc(), _p.id)
    place = sa.func.row_number().over(partition_by=_u.digest, order_by=order).label("place")
    in_time = sa.or_(_p.deleted_at.is_(None), _p.deleted_at >= clock.now() - IN_BIN)
    ranked = (
        sa.select(_u.digest, _p.slug, _p.title, is_own, _u.is_current, place)
        .select_from(media_uses_table.join(_posts, _p.id == _u.post_id))
        .where(_u.digest.in_([picture.digest for picture in pictures]), is_known, in_time)
        .subquery()
    )
    found: dict[str, list[Use]] = defaultdict(list)
    for row in db.execute(sa.select(ranked).where(ranked.c.place <= _MOST_USES).order_by(ranked.c.place)):
        found[row.digest].append(Use(row.slug, row.title, row.is_own, row.is_current))
    return found


def list_needed_by_others(db: sa.Connection, pictures: Sequence[Media], *, by: Principal) -> set[str]:
    """Which of these stand in what others have published, or let come out later, and nobody else has the file of."""
    is_shared = sa.exists().where(_m.digest == _u.digest, _m.user_id != by.user_id)
    query = (
        sa.select(_u.digest)
        .distinct()
        .select_from(media_uses_table.join(_posts, _p.id == _u.post_id))
        .where(_u.digest.in_([picture.digest for picture in pictures]), _u.is_current, ~is_shared)
        .where(_p.author_id != by.user_id, _p.status == "published", _p.deleted_at.is_(None))
    )
    return set(db.execute(query).scalars())


def unsaved_texts(db: sa.Connection, *, by: Principal) -> Iterator[str]:
    """What one typed and did not save, as it is kept, one after the other: what names a picture."""
    names_one = (_c.saved_at >= clock.now() - COPIES_KEPT, _c.fields.contains("/media/"))
    yield from db.execute(sa.select(_c.fields).where(_c.user_id == by.user_id, *names_one)).scalars()


def _is_own(by: Principal) -> sa.ColumnElement[bool]:
    return _m.user_id == by.user_id if by.may(Permission.UPLOAD_MEDIA) else sa.false()
