"""The tables of series, and what is true of one."""

from dataclasses import dataclass

import sqlalchemy as sa

from blog.posts.model import Kind, Status
from storage.schema import metadata

series_table = sa.Table(
    "series",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUID
    sa.Column("slug", sa.Text, nullable=False, unique=True),  # never changed: its address stays
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("author_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),  # 1, 2, 3 …: one for each change
    sa.Column("created_at", sa.Integer, nullable=False),
)

# A post is in one series at most.
series_posts_table = sa.Table(
    "series_posts",
    metadata,
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("series_id", sa.Text, sa.ForeignKey("series.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),  # grows along the series, with gaps
    sa.Index("ix_series_posts_order", "series_id", "position"),
)


@dataclass(frozen=True, slots=True)
class Series:
    """One series, without its posts."""

    id: str
    slug: str
    title: str
    author_id: int
    author_name: str
    version: int

    @property
    def path(self) -> str:
        """Where readers find it."""
        return f"/series/{self.slug}"


@dataclass(frozen=True, slots=True)
class Part:
    """A post of a series."""

    post_id: str
    slug: str
    title: str
    summary: str
    status: Status
    published_at: int | None
    kind: Kind
    lang: str

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"/{self.slug}" if self.kind == Kind.PAGE else f"/posts/{self.slug}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a post stands in its series, among those that the same person finds."""

    title: str
    path: str
    number: int
    count: int
    previous: Part | None
    following: Part | None
