"""The first owner: from the environment, or through a one-time link that the terminal shows."""

import secrets

import sqlalchemy as sa

from auth.permissions import Role
from auth.signin import queries
from auth.signin.events import SITE_SET_UP
from auth.tokens.issuing import follow_environment
from auth.tokens.queries import find_token_id
from auth.users import queries as user_queries
from auth.users.registering import prepare_password, register
from eventlog.actors import Actor, Nobody, server
from eventlog.log.appending import append_event
from storage import clock
from storage.digests import digest_of
from storage.engine import Database
from web.errors import Gone, Invalid, NotFound
from web.settings import Settings, SettingsError
from web.site.queries import change_site, read_site


def prepare_first_owner(database: Database, settings: Settings) -> str | None:
    """Make the owner that the environment names, if nobody is here yet; otherwise return a setup link's token.

    None when the place has an owner. A restart never changes what was made before, but for the environment's token.
    Raises SettingsError for a password that nobody may have.
    """
    by = server()
    name, password = settings.byline_admin_username, settings.byline_admin_password
    with database.reading() as db:
        is_empty = not user_queries.has_any_user(db)
    if is_empty and name is not None and password is not None:
        password_hash = _prepare_given_password(name, password.get_secret_value())
        with database.transaction() as db:
            if not user_queries.has_any_user(db):
                register(db, name, role=Role.OWNER, password_hash=password_hash, by=by)
        is_empty = False
    with database.transaction() as db:
        _follow_environment(db, settings, by=by)
        return _make_link(db) if is_empty else None


def has_useless_token(db: sa.Connection, settings: Settings) -> bool:
    """Whether the environment gives a token that opens nothing, because nobody is here whom it names."""
    token = settings.byline_api_token
    if token is None or not user_queries.has_any_user(db):
        return False
    return find_token_id(db, digest_of(token.get_secret_value())) is None


def check_link(db: sa.Connection, token: str) -> None:
    """Raise Gone when the place has an owner, NotFound when this is not the link that was made last."""
    if user_queries.has_any_user(db):
        raise Gone("This site is set up already. Sign in, or ask its owner.")
    if not queries.is_setup_link(db, digest_of(token)):
        raise NotFound("This link is not the newest one. The terminal that started the server shows it.")


def set_up(
    db: sa.Connection,
    token: str,
    *,
    site_name: str,
    username: str,
    display_name: str,
    password_hash: str,
    settings: Settings,
) -> int:
    """Make the first owner and name the site; of many requests with the link, one succeeds. Returns the owner's id.

    Raises Gone and NotFound as `check_link` does, Invalid for the names.
    """
    check_link(db, token)
    site_name = site_name.strip()
    if not 1 <= len(site_name) <= 100 or not site_name.isprintable():
        raise Invalid({"site_name": "Give the site a name of at most 100 characters."})
    by = Nobody("setup", "(setup)")
    owner_id = register(db, username, role=Role.OWNER, password_hash=password_hash, by=by, display_name=display_name)
    queries.delete_setup_links(db)
    site = read_site(db)
    change_site(db, name=site_name, tagline=site.tagline, language=site.language, time_zone=site.time_zone)
    append_event(db, SITE_SET_UP, by=by, payload={"name": site_name})
    _follow_environment(db, settings, by=by)
    return owner_id


def _prepare_given_password(name: str, password: str) -> str:
    try:
        return prepare_password(password, words=(name,))
    except Invalid as invalid:
        reason = " ".join(invalid.fields.values())
        raise SettingsError(f"These settings cannot be used:\n  - BYLINE_ADMIN_PASSWORD: {reason}") from None


def _follow_environment(db: sa.Connection, settings: Settings, *, by: Actor) -> None:
    """The environment's token belongs to the owner whom it names, once there is one, and while they are here."""
    name, token = settings.byline_admin_username, settings.byline_api_token
    user = user_queries.find_user(db, name) if name is not None else None
    user_id = user.id if user is not None and user.deleted_at is None else None
    follow_environment(db, token.get_secret_value() if token else None, user_id=user_id, by=by)


def _make_link(db: sa.Connection) -> str:
    token = secrets.token_urlsafe(32)
    queries.replace_setup_link(db, digest_of(token), at=clock.now())
    return token
