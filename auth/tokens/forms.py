"""The form of a new token, and its scopes in words."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, DateInput

from auth.permissions import Scope
from storage import clock
from web.errors import Invalid
from web.forms import Form

WORDS = {
    Scope.POSTS_READ: "Read what is for members, and drafts",
    Scope.POSTS_WRITE: "Write, change, publish and delete posts",
    Scope.POSTS_PROPOSE: "Propose: write and change drafts of your own, never publish",
    Scope.MEDIA_WRITE: "Upload pictures",
    Scope.CONVERSATIONS: "Conversations",
    Scope.ACCOUNT: "See and end your sessions; see, make and revoke your tokens",
    Scope.EVENTS_READ: "Read the log of the site",
    Scope.ADMIN: "Read the numbers of the site, for monitoring",
}
_DAYS = {"30": "30 days", "90": "90 days", "365": "One year"}
_NEVER, _DATE = "never", "date"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class TokenForm(Form):
    """What a token is for, and for how long."""

    name = StringField("Name", description="What will use it, for example “Notes on my phone”.")
    scopes = SelectMultipleField("What it may do", option_widget=CheckboxInput(), validate_choice=False)
    expires = RadioField(
        "For how long",
        choices=[
            *(SelectChoice(value, words) for value, words in _DAYS.items()),
            SelectChoice(_NEVER, "Until you revoke it"),
            SelectChoice(_DATE, "Up to a day"),
        ],
        default="30",
        validate_choice=False,
    )
    expires_at = StringField("Last day", widget=DateInput(), description="Only for “Up to a day”.")

    def offer(self, scopes: list[Scope]) -> None:
        """Fill the check boxes."""
        self.scopes.choices = [SelectChoice(scope.value, WORDS[scope]) for scope in scopes]

    def asked_expiry(self, zone: ZoneInfo, at: int) -> int | None:
        """When it shall end, chosen at the moment `at`; a day ends at midnight in `zone`. None: never.

        Raises Invalid.
        """
        asked, day = self.expires.data or "", (self.expires_at.data or "").strip()
        if asked == _DATE:
            return _end_of(day, zone)
        if day:
            raise Invalid({"expires_at": "Choose “Up to a day” above, or leave this empty."})
        if asked in _DAYS:
            return at + int(asked) * clock.DAY
        if asked != _NEVER:
            raise Invalid({"expires": "Choose one of these."})
        return None


def _end_of(day: str, zone: ZoneInfo) -> int:
    try:
        if not _DAY.fullmatch(day):
            raise ValueError
        following = date.fromisoformat(day) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise Invalid({"expires_at": "Use a day such as 2027-01-31."}) from None
    return clock.from_datetime(datetime.combine(following, time.min, zone))
