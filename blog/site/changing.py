"""What the site is called, and how it writes dates."""

from collections.abc import Mapping
from zoneinfo import available_timezones

import sqlalchemy as sa

from blog.posts.languages import UNUSABLE, normalise_language
from blog.posts.rerendering import plan_rerendering
from blog.site.events import SETTINGS_CHANGED
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from web.errors import Invalid
from web.site.model import Registration
from web.site.queries import change_questions_a_day, change_registration, change_site, read_site

_MOST_A_DAY = 100_000


def change_settings(db: sa.Connection, values: Mapping[str, str], *, by: Actor) -> None:
    """Set `name`, `tagline`, `language` and `time_zone`, and `registration` and `questions_a_day` if they are given.

    Raises Invalid for all of them at once.
    """
    cleaned = {name: without_secrets(values[name].strip()) for name in ("name", "tagline", "language", "time_zone")}
    faults: dict[str, str] = {}
    if not 1 <= len(cleaned["name"]) <= 100 or not cleaned["name"].isprintable():
        faults["name"] = "Give the site a name of 1 to 100 characters."
    if len(cleaned["tagline"]) > 200 or not cleaned["tagline"].isprintable():
        faults["tagline"] = "Use at most 200 characters, in one line."
    language = normalise_language(cleaned["language"])
    if language is None:
        faults["language"] = UNUSABLE
    else:
        cleaned["language"] = language
    if cleaned["time_zone"] not in available_timezones():
        faults["time_zone"] = "Choose a time zone such as Europe/Berlin."
    registration = values.get("registration", "")
    if registration and registration not in set(Registration):
        faults["registration"] = "Choose one of these."
    questions = values.get("questions_a_day", "").strip()
    is_number = questions.isascii() and questions.isdecimal() and len(questions) < 9
    if questions and not (is_number and 1 <= int(questions) <= _MOST_A_DAY):
        faults["questions_a_day"] = f"Use a number from 1 to {_MOST_A_DAY:,}."
    if faults:
        raise Invalid(faults)
    before = read_site(db)
    changed = {name: value for name, value in cleaned.items() if getattr(before, name) != value}
    if changed:
        change_site(db, **cleaned)
        if "language" in changed:
            plan_rerendering(db, everything=True)
    if registration and registration != before.registration:
        change_registration(db, Registration(registration))
        changed["registration"] = registration
    if questions and int(questions) != before.questions_a_day:
        change_questions_a_day(db, int(questions))
        changed["questions_a_day"] = questions
    if changed:
        append_event(db, SETTINGS_CHANGED, by=by, payload=changed)
