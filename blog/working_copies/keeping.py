"""Keeping what somebody types, telling how it differs from what is saved, and dropping it.

A copy is no save: it makes no revision, raises no version and appends no event. It changes nothing that anybody else
can see, an event every two seconds of typing would bury the others, and the log is no place for words that their
writer may still take back; so the contract owes none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from auth.principal import Principal
from blog.working_copies import queries
from blog.working_copies.model import CONTENT, FIELDS, WorkingCopy
from storage import clock
from web.errors import Conflict, Invalid

MOST_COPIES = 50
LONGEST_KEPT = 30 * clock.DAY
LONGEST_BODY_BYTES = 1024 * 1024
LONGEST_FIELD = 10_000

_LABELS = {
    "title": "title",
    "slug": "address",
    "body": "text",
    "excerpt": "excerpt",
    "tags": "tags",
    "status": "state",
    "publish_at": "moment of publication",
    "visibility": "readers",
    "kind": "kind",
}
_BLANK = {"status": "draft", "visibility": "public", "kind": "post"}
_WORD = re.compile(r"\S+")
_TITLE_WORDS = 8


@dataclass(frozen=True, slots=True)
class Offer:
    """A copy as an editor offers it: when it was kept, and what differs from what is saved."""

    key: str
    title: str
    saved_at: int
    differing: list[str]  # labels of fields
    word_count: int
    saved_word_count: int | None  # None: nothing is saved
    is_behind: bool  # another version was saved since the writer began


def keep(
    db: sa.Connection,
    key: str,
    fields: Mapping[str, str],
    *,
    by: Principal,
    submission: str,
    post_id: str | None,
    saved: Mapping[str, str] | None,
) -> WorkingCopy | None:
    """Keep what was typed into the form with that submission, or drop what was kept when nothing differs any more.

    `saved` is what the form showed of what is there, None for a new post. Raises Invalid for a text over its limit,
    and Conflict when another form's text is kept there: it stays until it is continued or discarded.
    """
    kept = {name: _newlines(fields.get(name, "")) for name in FIELDS}
    _check(kept)
    there = queries.find_copy(db, key, by=by)
    if there is not None and there.submission != submission and differences(there.fields, saved):
        raise Conflict("Another text of yours is kept for this post. Continue with it or discard it first.")
    at = clock.now()
    copy = WorkingCopy(key, post_id, submission, kept, at) if differences(kept, saved) else None
    if copy is None:
        queries.delete_copy(db, key, by=by)
    else:
        queries.put_copy(db, copy, by=by)
    queries.delete_surplus(db, by=by, older_than=at - LONGEST_KEPT, beyond=MOST_COPIES)
    return copy


def find(db: sa.Connection, key: str, *, by: Principal) -> WorkingCopy | None:
    """Their copy with that key, unless it has grown too old."""
    copy = queries.find_copy(db, key, by=by)
    return copy if copy is not None and copy.saved_at >= clock.now() - LONGEST_KEPT else None


def list_of_new(db: sa.Connection, *, by: Principal) -> list[WorkingCopy]:
    """Their copies of posts that were never saved, the last kept first."""
    return queries.list_of_new(db, by=by, since=clock.now() - LONGEST_KEPT)


def drop(db: sa.Connection, submission: str | None, *, by: Principal) -> None:
    """Drop what became a save: in the transaction of that save. What was typed into another form stays."""
    if submission:
        queries.delete_typed_into(db, submission, by=by)


def discard(db: sa.Connection, key: str, *, by: Principal) -> None:
    """Drop what its writer does not want any more."""
    queries.delete_copy(db, key, by=by)


def offer(copy: WorkingCopy, saved: Mapping[str, str] | None) -> Offer | None:
    """How to offer a copy beside what is saved; None when nothing differs."""
    differing = differences(copy.fields, saved)
    if not differing:
        return None
    body, title = copy.fields["body"], copy.fields["title"].strip()
    return Offer(
        key=copy.key,
        title=title or " ".join(match[0][:40] for match in islice(_WORD.finditer(body), _TITLE_WORDS)),
        saved_at=copy.saved_at,
        differing=[_LABELS[name] for name in differing],
        word_count=_count_words(body),
        saved_word_count=None if saved is None else _count_words(saved["body"]),
        is_behind=saved is not None and copy.fields["version"] != saved["version"],
    )


def differences(fields: Mapping[str, str], saved: Mapping[str, str] | None) -> list[str]:
    """The names of the fields that say something else than what is saved, as saving would store them."""
    base = saved or _BLANK
    found = [name for name in CONTENT if _settled(name, fields.get(name, "")) != _settled(name, base.get(name, ""))]
    # An empty address, or no kind, means: as it is. What a new post's form is set to is no text to keep.
    found = [name for name in found if name not in ("slug", "kind") or fields.get(name, "").strip()]
    is_bare = saved is None and not {"title", "body", "excerpt", "tags", "slug"} & set(found)
    return [] if is_bare else found


def _settled(name: str, text: str) -> str:
    text = _newlines(text)
    if name == "tags":
        return ",".join(tag.strip().casefold() for tag in text.split(",") if tag.strip())
    return text if name == "body" else text.strip()


def check_text(text: str) -> str | None:
    """What is wrong with a post's text, in a sentence; None when it can be kept."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "This holds half of a character (a lone surrogate)."
    if size > LONGEST_BODY_BYTES:
        return f"A text has at most 1 MiB; this one is {size - LONGEST_BODY_BYTES:,} bytes longer."
    return None


def _check(fields: Mapping[str, str]) -> None:
    faults = {name: fault for name, text in fields.items() if (fault := check_text(text))}
    for name, text in fields.items():
        if name != "body" and len(text) > LONGEST_FIELD:
            faults[name] = f"Use at most {LONGEST_FIELD:,} characters."
    if faults:
        raise Invalid(faults)


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _count_words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))
