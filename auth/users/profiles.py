"""What people say of themselves, for readers."""

from zoneinfo import available_timezones

import sqlalchemy as sa

from auth.permissions import Permission, is_allowed
from auth.users import queries
from auth.users.events import USER_PROFILE_CHANGED, about
from auth.users.model import User
from auth.users.registering import check_display_name
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from web.errors import Invalid, NotFound
from web.site.queries import touch

_LONGEST_BIOGRAPHY = 500


def find_author(db: sa.Connection, username: str) -> User:
    """Somebody who may write here. Raises NotFound for all others, who are nobody to readers, as are the hidden."""
    user = queries.find_user(db, username)
    if user is None or user.has_hidden_posts or not is_allowed(Permission.WRITE_POSTS, role=user.role, scopes=None):
        raise NotFound("Nobody of this name writes here.")
    return user


def change_profile(
    db: sa.Connection, username: str, *, display_name: str, biography: str, time_zone: str, by: Actor
) -> None:
    """Set one's name, a few words about oneself, and the time zone one writes in (empty: the site's).

    Raises NotFound; Invalid for all fields at once.
    """
    user = queries.find_user(db, username)
    if user is None:
        raise NotFound
    faults: dict[str, str] = {}
    try:
        display_name = without_secrets(check_display_name(display_name)) or user.username
    except Invalid as invalid:
        faults |= invalid.fields
    biography = without_secrets(biography.replace("\r\n", "\n").strip())
    if len(biography) > _LONGEST_BIOGRAPHY or not biography.replace("\n", "").isprintable():
        faults["biography"] = f"Use at most {_LONGEST_BIOGRAPHY} characters that can be shown."
    if time_zone and time_zone not in available_timezones():
        faults["time_zone"] = "Choose a time zone such as Europe/Berlin."
    if faults:
        raise Invalid(faults)
    wanted = {"display_name": display_name, "biography": biography, "time_zone": time_zone or None}
    changed = {name: value for name, value in wanted.items() if getattr(user, name) != value}
    if changed:
        queries.set_profile(db, user.id, **changed)
        touch(db)
        append_event(db, USER_PROFILE_CHANGED, by=by, subject=about(user.username), payload=changed)
