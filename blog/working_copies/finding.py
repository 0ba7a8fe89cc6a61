"""What working copies are told about posts, which they do not know: `app.py` hands in how it is found."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from auth.principal import Principal


class Saved(NamedTuple):
    """What is saved under a key: the id of the post, what its form shows, where. Nothing for a new post."""

    key: str
    editor_path: str
    post_id: str | None = None
    fields: dict[str, str] | None = None
    sent: dict[str, str] | None = None  # as the very form that is asked about has saved it already


class FindSaved(Protocol):
    """How to find it. Raises NotFound, Gone and Forbidden as a change of the post does."""

    def __call__(
        self,
        db: sa.Connection,
        key: str,
        *,
        by: Principal,
        typed: Mapping[str, str] | None = None,
        submission: str = "",
    ) -> Saved:
        """What is saved under that key; a form of a new post that was saved meanwhile leads to its post.

        `typed`: what to compare it with, times being told in the same zone; `submission`: of which form that is.
        """
