"""The table of working copies, and what is true of one."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from storage.ids import parse_id
from storage.schema import metadata

# What the form of a post holds. `time_zone` is the one that the writer saw beside the time; `version` is the one that
# the writer began from, empty for a new post.
CONTENT = (
    "title",
    "slug",
    "body",
    "excerpt",
    "tags",
    "status",
    "publish_at",
    "publish_offset",
    "visibility",
    "kind",
    "lang",
)
FIELDS = (*CONTENT, "time_zone", "version")

_NEW = "new-"
_SUBMISSION = re.compile(r"[\x21-\x2e\x30-\x7e]{1,100}")

working_copies_table = sa.Table(
    "working_copies",
    metadata,
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # the post's id, or `new-` and the submission of the form
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), index=True),  # NULL: of a new post
    sa.Column("submission", sa.Text, nullable=False),  # the form that it was typed into
    sa.Column("fields", sa.Text, nullable=False),  # JSON: name → text, as the form has them
    sa.Column("saved_at", sa.Integer, nullable=False),
    sa.Index("ix_working_copies_user_id_saved_at", "user_id", "saved_at"),
)


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """One copy, whole."""

    key: str
    post_id: str | None
    submission: str
    fields: dict[str, str]
    saved_at: int


def is_submission(text: str) -> bool:
    """Whether a form may have carried this as its random number."""
    return _SUBMISSION.fullmatch(text) is not None


def key_of_new(submission: str) -> str:
    """The key of what is typed into a form of a new post."""
    return _NEW + submission


def submission_of(key: str) -> str | None:
    """The submission in the key of a new post; None for any other key."""
    rest = key.removeprefix(_NEW)
    return rest if rest != key and is_submission(rest) else None


def is_key(text: str) -> bool:
    """Whether this may be a key at all."""
    return submission_of(text) is not None or parse_id(text) == text
