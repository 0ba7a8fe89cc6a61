"""The tables of posts, and what is true of one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from storage import clock
from storage.schema import metadata

KEPT_IN_BIN = 30 * clock.DAY  # from its deletion on; after that nobody can take a post out again


class Status(StrEnum):
    """Whether the author has let it out."""

    DRAFT = "draft"
    PUBLISHED = "published"


class Visibility(StrEnum):
    """Who may read what is published."""

    PUBLIC = "public"
    MEMBERS = "members"  # whoever is signed in
    GRANTED = "granted"  # whoever was granted it, one by one; it stands in no list


class Kind(StrEnum):
    """Whether it is one of many, or stands by itself."""

    POST = "post"
    PAGE = "page"  # at `/<slug>`, in no list and no feed


class Held(StrEnum):
    """How somebody came to hold a post."""

    SAVED = "saved"
    GRANTED = "granted"  # by its author: a gift, or a purchase
    OWN = "own"  # they wrote it; no row says so


class Origin(StrEnum):
    """How a revision came about."""

    FORM = "form"
    API = "api"
    IMPORT = "import"
    RESTORE = "restore"
    MERGE = "merge"
    RENAME = "rename"  # of a tag, on every post that bore it


posts_table = sa.Table(
    "posts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUID
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("author_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # Markdown, lines end with \n
    sa.Column("html", sa.Text, nullable=False),  # made from the body and sanitised, on save
    sa.Column("renderer_version", sa.Integer, nullable=False),
    sa.Column("excerpt", sa.Text, nullable=False),  # written by the author; empty: none
    sa.Column("summary", sa.Text, nullable=False),  # what lists show: the excerpt, or one made from the text
    sa.Column("tags", sa.Text, nullable=False),  # separated by commas, in the author's order
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("publish_at", sa.Integer),  # the moment the author chose; NULL: none chosen
    sa.Column("published_at", sa.Integer),  # public from then on; NULL: never published
    sa.Column("version", sa.Integer, nullable=False),  # 1, 2, 3 …: one for each save
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.Integer, nullable=False),
    sa.Column("deleted_at", sa.Integer),  # NULL: not deleted
    sa.Column("kind", sa.Text, nullable=False, server_default=Kind.POST),
    sa.Column("lang", sa.Text, nullable=False, server_default=sa.text("''")),  # BCP 47; empty: the site's language
    # For readers it is as if it were not published: its author is blocked, with all that they have written.
    sa.Column("is_hidden", sa.Boolean, nullable=False, server_default=sa.text("0")),
    # With all that decides who finds a post, so that counting them reads no text. What is hidden stands apart, so that
    # no list walks over it.
    sa.Index("ix_posts_reading", "status", "is_hidden", "published_at", "id", "visibility", "kind", "deleted_at"),
    sa.Index("ix_posts_created_at_id", "created_at", "id"),
    sa.Index("ix_posts_bin", "author_id", "deleted_at"),
    sa.Index("ix_posts_desk", "author_id", "status", "updated_at", "id"),
)

# Addresses that a post had before; they lead to where it is now.
former_slugs_table = sa.Table(
    "former_slugs",
    metadata,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), nullable=False, index=True),
)

# Every save, whole. A revision's number is the version that it made.
revisions_table = sa.Table(
    "revisions",
    metadata,
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("made_at", sa.Integer, nullable=False),
    sa.Column("submission", sa.Text),  # what the form carried; NULL: not saved by a form
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("excerpt", sa.Text, nullable=False),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("publish_at", sa.Integer),
    sa.Column("kind", sa.Text, nullable=False, server_default=Kind.POST),
    sa.Column("origin", sa.Text, nullable=False, server_default=Origin.FORM),
    sa.Column("lang", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.UniqueConstraint("user_id", "submission"),
)

# What readers hold. Here, because a grant decides who may read a post.
library_table = sa.Table(
    "library",
    metadata,
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("created_at", sa.Integer, nullable=False),
    # By themself, and from then on, also while a grant stands over it; NULL: they did not.
    sa.Column("saved_at", sa.Integer),
    sa.Index("ix_library_listed", "user_id", "created_at", "post_id"),
)


@dataclass(slots=True)
class ShownPost:
    """One post as its readers get it, with what decides who may read it.

    Not frozen: making a frozen one costs four times as much, and a feed makes twenty.
    """

    id: str
    slug: str
    author_id: int
    author_username: str
    author_name: str
    title: str
    html: str
    excerpt: str
    summary: str
    tags: list[str]
    status: Status
    visibility: Visibility
    published_at: int | None
    version: int
    updated_at: int
    deleted_at: int | None
    kind: Kind
    lang: str
    is_hidden: bool

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"/{self.slug}" if self.kind == Kind.PAGE else f"/posts/{self.slug}"

    def is_out(self, at: int) -> bool:
        """Whether readers may find it at that moment, members-only or not."""
        published = self.status == Status.PUBLISHED and self.published_at is not None and self.published_at <= at
        return published and self.deleted_at is None and not self.is_hidden

    def is_scheduled(self, at: int) -> bool:
        """Whether it will come out by itself."""
        return self.status == Status.PUBLISHED and self.published_at is not None and self.published_at > at

    def was_out(self, at: int) -> bool:
        """Whether readers may have seen it before it was taken away."""
        return self.published_at is not None and self.published_at <= (self.deleted_at or at)


@dataclass(slots=True)
class Post(ShownPost):
    """One post, whole: also with its Markdown, and what else only a change needs."""

    body: str
    renderer_version: int
    publish_at: int | None
    created_at: int


class PostLine(NamedTuple):
    """A post as lists show it."""

    id: str
    slug: str
    title: str
    excerpt: str
    author_name: str
    tags: tuple[str, ...]
    status: Status
    visibility: Visibility
    published_at: int | None
    updated_at: int
    version: int
    kind: Kind
    lang: str
    is_hidden: bool
    is_scheduled: bool

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"/{self.slug}" if self.kind == Kind.PAGE else f"/posts/{self.slug}"
