"""The form of the log's page."""

import re
from dataclasses import dataclass
from datetime import date

from wtforms import HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from eventlog.kinds import declared_names
from web.errors import Invalid
from web.forms import Form

_LARGEST_ID = 2**63 - 1
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# In any time zone such a day begins and ends in a year that can be written.
_FIRST_DAY, _LAST_DAY = date(1, 1, 3), date(9999, 12, 28)
_COLUMNS = {"session": "session_id", "subject": "subject", "kind": "kind", "person": "actor"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events somebody wants to see."""

    values: dict[str, str]  # column → what it must be
    day: date | None
    before: int | None  # the id after which the page begins


class FilterForm(Form):
    """What to show of the log. It changes nothing, so that its answers can be linked to: it has no form token."""

    class Meta:
        """WTForms' own settings."""

        csrf = False

    person = StringField("Person", description="A name, (server), (visitor) …")
    kind = SelectField("What happened", description="A kind of event.")
    subject = StringField("About", description="For example user:ada, or post: and its id.")
    session = StringField("Session", description="As it stands below an event.")
    day = StringField("Day")
    before = HiddenField("Page")

    def offer_kinds(self) -> None:
        """Fill the choices."""
        self.kind.choices = [SelectChoice("", "Anything"), *(SelectChoice(name, name) for name in declared_names())]

    def asked(self) -> Asked:
        """What the fields say. Raises Invalid for all of them at once."""
        faults: dict[str, str] = {}
        sent = {name: (self[name].data or "").strip() for name in (*_COLUMNS, "day", "before")}
        if sent["kind"] and sent["kind"] not in declared_names():
            faults["kind"] = "There is no such kind of event. Choose one of the list."
        day, before = _parse_day(sent["day"]), _parse_id(sent["before"])
        if sent["day"] and day is None:
            faults["day"] = "Use a date such as 2026-11-20."
        if sent["before"] and before is None:
            faults["before"] = "This is not a page of the log. Begin again with the newest events."
        if faults:
            raise Invalid(faults)
        return Asked({column: sent[name] for name, column in _COLUMNS.items() if sent[name]}, day, before)

    def kept(self) -> dict[str, str]:
        """What the links of the page carry on; which page it is, is not part of it."""
        sent = {name: (self[name].data or "").strip() for name in (*_COLUMNS, "day")}
        return {name: text for name, text in sent.items() if text}


def _parse_day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST_DAY <= day <= _LAST_DAY else None


def _parse_id(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) < 20
    return int(text) if is_number and 1 <= int(text) <= _LARGEST_ID else None
