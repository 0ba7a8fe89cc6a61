"""The forms of writing. They parse; what a post may hold is decided in `content`."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import DateTimeLocalInput

from blog.posts.model import Post
from blog.tags.names import split_tags
from storage import clock
from web.forms import Form

_MINUTE = "%Y-%m-%dT%H:%M"
# What is no date in any year passes for one otherwise: `fromisoformat` takes a row of digits, and a NUL at the end.
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?", re.ASCII)
_FIELDS = ("title", "slug", "body", "excerpt", "status", "visibility", "kind")


class VersionedForm(Form):
    """A form about something that is there, and that others may change meanwhile."""

    version = HiddenField()

    def asked_version(self) -> int | None:
        """The version that the person saw; None when the form names none, -1 (never current) for nonsense."""
        return _version_in(self.version.data)


class PostForm(VersionedForm):
    """A post, as its author fills it in. Fields that a form does not send keep what is there."""

    title = StringField("Title")
    slug = StringField("Address", description="Small letters, digits and dashes. Empty: made from the title.")
    body = TextAreaField("Text", description="Markdown.")
    excerpt = TextAreaField("Excerpt", description="For lists. Empty: made from the text.")
    tags = StringField("Tags", description="Separated by commas.")
    status = RadioField("State", choices=[SelectChoice("draft", "Draft"), SelectChoice("published", "Published")])
    publish_at = StringField("Publish at", widget=DateTimeLocalInput(), description="Empty: now.")
    visibility = RadioField(
        "Who may read it",
        choices=[SelectChoice("public", "Everybody"), SelectChoice("members", "Members who are signed in")],
    )
    kind = RadioField("What it is", choices=[SelectChoice("post", "Post"), SelectChoice("page", "Page")])
    submission = HiddenField()
    base_version = HiddenField()
    seen = StringField()

    def changes(self, zone: ZoneInfo, current: Post | None) -> tuple[dict[str, Any], dict[str, str]]:
        """What was sent, in the types that `content.prepare` takes, and the faults of what could not be read."""
        sent = {name: self[name].data for name in _FIELDS if self[name].raw_data}
        for name in ("status", "visibility", "kind"):
            if not sent.get(name):
                sent.pop(name, None)  # no choice made: what is there stays
        if "slug" in sent:
            sent["slug"] = sent["slug"].strip()
        faults: dict[str, str] = {}
        if self.tags.raw_data:
            sent["tags"] = split_tags(self.tags.data or "")
        if self.publish_at.raw_data:
            try:
                sent["publish_at"] = _parse_minute(self.publish_at.data, zone, current)
            except ValueError as fault:
                faults["publish_at"] = str(fault)
        return sent, faults

    def take_over(self, theirs: dict[str, Any], *, unless_changed_from: dict[str, Any]) -> None:
        """Let the settings that this author did not touch be what somebody else has made of them meanwhile."""
        for name in ("title", "slug", "excerpt", "tags", "status", "visibility", "kind", "publish_at"):
            if (self[name].data or "").replace("\r\n", "\n") == unless_changed_from[name]:
                self[name].data = theirs[name]

    def asked_version(self) -> int | None:
        """Likewise. Going back brings the text into a newer page: the older of the two versions counts."""
        version, seen = super().asked_version(), _version_in(self.seen.data)
        return version if version is None or seen is None else min(version, seen)

    def merged_from(self) -> int | None:
        """The version that this author began with, where another save came between."""
        return _version_in(self.base_version.data)

    def is_between_saves(self) -> bool:
        """Whether another save came between, and both were not put together yet."""
        return self.merged_from() is not None and self.merged_from() != self.asked_version()

    def submission_id(self) -> str | None:
        """The random number of this very form."""
        text = (self.submission.data or "").strip()
        return text if text.isascii() and text.isprintable() and 0 < len(text) <= 100 else None


class DeleteForm(VersionedForm):
    """Asks once."""


def form_data(post: Post, zone: ZoneInfo) -> dict[str, Any]:
    """What the form shows of a post that is there."""
    data = {name: getattr(post, name) for name in _FIELDS}
    return data | {
        "tags": ", ".join(post.tags),
        "publish_at": "" if post.publish_at is None else _local(post.publish_at, zone).strftime(_MINUTE),
        "version": str(post.version),
    }


def _version_in(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else (-1 if text else None)


def _parse_minute(text: str | None, zone: ZoneInfo, current: Post | None) -> int | None:
    """A local minute as a moment. Raises ValueError with a sentence.

    A minute that the form showed and nobody changed stays the moment it stands for, seconds included.
    """
    text = (text or "").strip()
    if not text:
        return None
    shown = None if current is None else current.publish_at
    if shown is not None and _local(shown, zone).strftime(_MINUTE) == text:
        return shown
    try:
        if not _LOCAL.fullmatch(text):
            raise ValueError
        local = datetime.fromisoformat(text)
        moment = local.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("Write the date and time like 2026-11-20 08:15.") from None
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError("This minute does not exist there: the clocks are put forward over it. Choose another one.")
    return clock.from_datetime(moment)


def _local(at: int, zone: ZoneInfo) -> datetime:
    return clock.to_datetime(at).astimezone(zone)
