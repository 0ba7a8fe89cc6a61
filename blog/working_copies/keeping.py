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
from blog.rendering import LONGEST_BODY_BYTES
from blog.working_copies import queries
from blog.working_copies.model import CONTENT, FIELDS, WorkingCopy
from storage import clock
from web.errors import Conflict, Invalid

MOST_COPIES = 50
LONGEST_KEPT = 30 * clock.DAY
LONGEST_FIELD = 10_000

_LABELS = {
    "title": "title",
    "slug": "address",
    "body": "text",
    "excerpt": "excerpt",
    "tags": "tags",
    "status": "state",
    "publish_at": "moment of publication",
    "publish_offset": "moment of publication",
    "visibility": "readers",
    "kind": "kind",
    "lang": "language",
}
_AS_IT_IS = ("slug", "kind", "publish_offset")
_BLANK = {"status": "draft", "visibility": "public", "kind": "post"}
_WORD = re.compile(r"\S+")
_TITLE_WORDS = 8
_FULL = "As many unsaved texts of yours are kept as fit. Save or discard one of them: Your posts, Unsaved texts."
_OTHER_TEXT = "Another text of yours is kept for this post. Continue with it or discard it first."
_WAS_SAVED = "This form was saved meanwhile, with another text."


@dataclass(frozen=True, slots=True)
class Offer:
    """A copy as an editor offers it: when it was kept, and what differs from what is saved."""

    key: str
    title: str
    saved_at: int
    publish_at: str  # as it was typed, and in which zone
    time_zone: str
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
    sent: Mapping[str, str] | None = None,
    is_unsent: bool = False,
) -> WorkingCopy | None:
    """Keep what was typed into the form with that submission, or drop what was kept when nothing differs any more.

    `saved` is what the form showed of what is there, None for a new post. `sent` is what this very form has saved
    already, None when it has not: what arrives behind its own save says the same, or comes of a page that does not
    know of it (`is_unsent`) and must ask again, knowing. Only what was typed on after the save is a text of its own.

    Raises Invalid for a text over its limit. Raises Conflict for what arrives behind its save; when another form's
    text is kept there, which stays until it is continued or discarded; and when no more texts fit: none is dropped
    for another one.
    """
    kept = {name: _newlines(text) for name, text in _whole(fields, saved).items()}
    _check(kept)
    at = clock.now()
    queries.delete_old(db, by=by, before=at - LONGEST_KEPT)
    there = queries.find_copy(db, key, by=by)
    is_mine = there is not None and there.submission == submission
    if sent is not None and (is_unsent or not differences(kept, sent)):
        if differences(kept, sent):
            raise Conflict(_WAS_SAVED)
        if is_mine and not is_unsent:
            queries.delete_copy(db, key, by=by)
        return None
    if there is not None and not is_mine and differences(there.fields, saved):
        raise Conflict(_OTHER_TEXT)
    if not differences(kept, saved):
        queries.delete_copy(db, key, by=by)
        return None
    if there is None and count(db, by=by) >= MOST_COPIES:
        raise Conflict(_FULL)
    copy = WorkingCopy(key, post_id, submission, kept, at)
    queries.put_copy(db, copy, by=by)
    return copy


def find(db: sa.Connection, key: str, *, by: Principal) -> WorkingCopy | None:
    """Their copy with that key, unless it has grown too old."""
    copy = queries.find_copy(db, key, by=by)
    return copy if copy is not None and copy.saved_at >= clock.now() - LONGEST_KEPT else None


def find_and_count(db: sa.Connection, key: str, *, by: Principal) -> tuple[WorkingCopy | None, int]:
    """Their copy with that key, and how many of the `MOST_COPIES` there are."""
    return queries.find_copy_and_count(db, key, by=by, since=clock.now() - LONGEST_KEPT)


def list_of_new(db: sa.Connection, *, by: Principal) -> list[WorkingCopy]:
    """Their copies of posts that were never saved, the last kept first."""
    return queries.list_of_new(db, by=by, since=clock.now() - LONGEST_KEPT)


def list_all(db: sa.Connection, *, by: Principal) -> list[WorkingCopy]:
    """All their copies, also of posts that they may not change any more, the last kept first."""
    return queries.list_copies(db, by=by, since=clock.now() - LONGEST_KEPT)


def count(db: sa.Connection, *, by: Principal) -> int:
    """How many of the `MOST_COPIES` there are."""
    return queries.count_copies(db, by=by, since=clock.now() - LONGEST_KEPT)


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
    body = copy.fields["body"]
    return Offer(
        key=copy.key,
        title=title_of(copy),
        saved_at=copy.saved_at,
        publish_at=copy.fields["publish_at"].replace("T", " "),
        time_zone=copy.fields.get("time_zone", ""),
        differing=list(dict.fromkeys(_LABELS[name] for name in differing)),
        word_count=_count_words(body),
        saved_word_count=None if saved is None else _count_words(saved["body"]),
        is_behind=saved is not None and copy.fields["version"] != saved["version"],
    )


def title_of(copy: WorkingCopy) -> str:
    """Its title, or the first words of its text."""
    words = (match[0][:40] for match in islice(_WORD.finditer(copy.fields["body"]), _TITLE_WORDS))
    return copy.fields["title"].strip() or " ".join(words)


def in_words(copy: WorkingCopy) -> list[tuple[str, str]]:
    """What else its form held besides title and text, labelled."""
    said = [(_LABELS[name], copy.fields.get(name, "").strip()) for name in CONTENT if name not in ("title", "body")]
    zone = copy.fields.get("time_zone", "")
    when = copy.fields["publish_at"].replace("T", " ")
    at = " ".join(part for part in (when, copy.fields.get("publish_offset", ""), zone) if part) if when else ""
    rest = [(label, text) for label, text in said if text and label != _LABELS["publish_at"]]
    return [*rest, (_LABELS["publish_at"], at)] if at else rest


def differences(fields: Mapping[str, str], saved: Mapping[str, str] | None) -> list[str]:
    """The names of the fields that say something else than what is saved, as saving would store them."""
    base, fields = saved or _BLANK, _whole(fields, saved)
    found = [name for name in CONTENT if _settled(name, fields.get(name, "")) != _settled(name, base.get(name, ""))]
    # An empty address, or no kind, means: as it is. What a new post's form is set to is no text to keep.
    found = [name for name in found if name not in _AS_IT_IS or fields.get(name, "").strip()]
    is_bare = saved is None and not {"title", "body", "excerpt", "tags", "slug"} & set(found)
    return [] if is_bare else found


def _whole(fields: Mapping[str, str], saved: Mapping[str, str] | None) -> dict[str, str]:
    """All fields. What was typed into a form without a language says nothing about it."""
    return {name: fields.get(name, (saved or {}).get(name, "") if name == "lang" else "") for name in FIELDS}


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
