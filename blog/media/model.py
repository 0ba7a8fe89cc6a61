"""The tables of pictures, and what is true of one."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage.schema import metadata

# One row for a picture and a person; the file is shared by whoever uploaded the same one.
media_table = sa.Table(
    "media",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUID
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), nullable=False),
    sa.Column("digest", sa.Text, nullable=False, index=True),  # SHA-256 of the cleaned file, which it names
    sa.Column("type", sa.Text, nullable=False),  # image/…
    sa.Column("width", sa.Integer, nullable=False),  # as it is shown
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("is_animated", sa.Boolean, nullable=False),
    sa.Column("label", sa.Text, nullable=False),  # the uploaded file's name, cleaned; opens nothing
    sa.Column("alt", sa.Text, nullable=False),
    sa.Column("is_decorative", sa.Boolean, nullable=False),  # needs no description
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.UniqueConstraint("user_id", "digest"),
    sa.Index("ix_media_user_id_created_at_id", "user_id", "created_at", "id"),
)

# Smaller WebP pictures made of one; there are none until the job has made them.
media_variants_table = sa.Table(
    "media_variants",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # of the picture
    sa.Column("width", sa.Integer, primary_key=True),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("file_digest", sa.Text, nullable=False, index=True),
)

# Which pictures stand in the text of which post, also where nobody has uploaded them (yet): in what its last save left,
# or only in an earlier revision.
media_uses_table = sa.Table(
    "media_uses",
    metadata,
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True, index=True),
    sa.Column("is_current", sa.Boolean, nullable=False, server_default=sa.text("1")),
)

VARIANT_TYPE = "image/webp"


@dataclass(frozen=True, slots=True)
class Media:
    """One picture of one person."""

    id: str
    user_id: int
    digest: str
    type: str
    width: int
    height: int
    size_bytes: int
    is_animated: bool
    label: str
    alt: str
    is_decorative: bool
    created_at: int

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/media/{self.digest}"

    @property
    def is_described(self) -> bool:
        """Whether somebody said what it shows, or that it shows nothing that matters."""
        return bool(self.alt) or self.is_decorative


@dataclass(frozen=True, slots=True)
class Variant:
    """A smaller picture made of one."""

    digest: str
    width: int
    height: int

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/media/{self.digest}/{self.width}.webp"


@dataclass(frozen=True, slots=True)
class Use:
    """A post in whose text a picture stands, or stood in an earlier revision."""

    slug: str
    title: str
    is_own: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one picture of somebody stands, as far as they may know."""

    uses: list[Use]
    earlier: list[Use]  # their own posts that show it in an earlier revision only
    is_needed_by_others: bool
    is_unsaved: bool  # in a text that they have not saved yet

    @property
    def is_needed(self) -> bool:
        """Whether something would lose it; a draft of somebody else's is no reason to keep it."""
        return any(use.is_own for use in self.uses) or self.is_needed_by_others or self.is_unsaved
