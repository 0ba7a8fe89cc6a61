"""The forms of writing. They parse; what a post may hold is decided in `content`."""

from typing import Any
from zoneinfo import ZoneInfo

from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import DateTimeLocalInput

from blog.posts.model import Post
from blog.posts.moments import minute_of, offset_of, offsets_of, parse_minute
from blog.posts.zones import zone_named
from blog.tags.names import split_tags
from web.forms import Form

_FIELDS = ("title", "slug", "body", "excerpt", "status", "visibility", "kind", "lang")


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
    # Of a minute that comes twice, which; and the zone that the writer saw, which may be another one when it is sent.
    publish_offset = RadioField("Which of the two", choices=[], validate_choice=False)
    time_zone = HiddenField()
    visibility = RadioField(
        "Who may read it",
        choices=[
            SelectChoice("public", "Everybody"),
            SelectChoice("members", "Members who are signed in"),
            SelectChoice("granted", "Only those whom you grant it; it stands in no list"),
        ],
    )
    kind = RadioField("What it is", choices=[SelectChoice("post", "Post"), SelectChoice("page", "Page")])
    lang = StringField("Language", description="A code such as de, pt-BR or ar. Empty: the language of the site.")
    submission = HiddenField()
    base_version = HiddenField()
    seen = StringField()

    def zone(self, default: ZoneInfo) -> ZoneInfo:
        """The zone that its times are meant in."""
        return zone_named(self.time_zone.data, default)

    def show_zone(self, default: ZoneInfo) -> ZoneInfo:
        """Let the page say which zone its times are meant in, and where a minute comes twice, ask which one."""
        zone = self.zone(default)
        self.time_zone.data = zone.key
        offsets = offsets_of(self.publish_at.data, zone)
        if len(offsets) == 2:
            names = ("The first", "The second")
            choices = [SelectChoice(each, f"{name}, UTC{each}") for name, each in zip(names, offsets, strict=True)]
            self.publish_offset.choices = choices
            if self.publish_offset.data not in offsets:
                self.publish_offset.data = offsets[0]
        return zone

    def changes(self, zone: ZoneInfo, current: Post | None) -> tuple[dict[str, Any], dict[str, str]]:
        """What was sent, in the types that `content.prepare` takes, and the faults of what could not be read.

        `zone`: for a form that names none.
        """
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
                sent["publish_at"] = parse_minute(
                    self.publish_at.data,
                    self.zone(zone),
                    offset=(self.publish_offset.data or "") if self.publish_offset.raw_data else None,
                    shown=None if current is None else current.publish_at,
                )
            except ValueError as fault:
                faults["publish_at"] = str(fault)
        return sent, faults

    def take_over(self, theirs: dict[str, Any], *, unless_changed_from: dict[str, Any]) -> None:
        """Let the settings that this author did not touch be what somebody else has made of them meanwhile."""
        for name in ("title", "slug", "excerpt", "tags", "status", "visibility", "kind", "lang"):
            if (self[name].data or "").replace("\r\n", "\n") == unless_changed_from[name]:
                self[name].data = theirs[name]
        mine = (self.publish_at.data or "", self.publish_offset.data or unless_changed_from["publish_offset"])
        if mine == (unless_changed_from["publish_at"], unless_changed_from["publish_offset"]):
            self.publish_at.data, self.publish_offset.data = theirs["publish_at"], theirs["publish_offset"]

    def asked_version(self) -> int | None:
        """Likewise. Going back brings the text into a newer page: the older of the two versions counts."""
        version, seen = super().asked_version(), _version_in(self.seen.data)
        return version if version is None or seen is None else min(version, seen)

    def sees(self, version: int | None) -> None:
        """The version that this page shows, and that a save of it replaces."""
        self.version.data, self.seen.data = str(version), None

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
    minute = "" if post.publish_at is None else minute_of(post.publish_at, zone)
    comes_twice = post.publish_at is not None and len(offsets_of(minute, zone)) == 2
    return data | {
        "tags": ", ".join(post.tags),
        "publish_at": minute,
        "publish_offset": offset_of(post.publish_at, zone) if comes_twice and post.publish_at is not None else "",
        "time_zone": zone.key,
        "version": str(post.version),
    }


def _version_in(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else (-1 if text else None)
