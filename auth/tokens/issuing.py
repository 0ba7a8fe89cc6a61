"""Tokens come and go."""

import secrets
from collections.abc import Collection, Iterable
from typing import NamedTuple

import sqlalchemy as sa

from auth.permissions import Scope
from auth.tokens import queries
from auth.tokens.events import TOKEN_CREATED, TOKEN_REVOKED, about
from auth.tokens.model import Token
from auth.users.roles import find_person
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from storage import clock
from storage.digests import digest_of
from storage.ids import new_id
from web.errors import Invalid, NotFound

_PREFIX = "byl_"
LONGEST_LABEL = 100
LONGEST_DAYS = 36_500


class Issued(NamedTuple):
    """A token that was just made, with its secret, which nobody can find out again."""

    secret: str
    token: Token


def issue(
    db: sa.Connection, username: str, *, scopes: Iterable[Scope], by: Actor, label: str = "", days: int | None = None
) -> str:
    """Make a token for a person and return its secret; it is never shown again.

    Raises NotFound for an unknown person, Invalid as `issue_until` does.
    """
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Invalid({"expires_at": f"Use 1 to {LONGEST_DAYS:,} days."})
    expires_at = None if days is None else clock.now() + days * clock.DAY
    person = find_person(db, username)
    return issue_until(db, person.id, person.username, scopes=scopes, by=by, label=label, expires_at=expires_at).secret


def issue_until(
    db: sa.Connection,
    user_id: int,
    username: str,
    *,
    scopes: Iterable[Scope],
    by: Actor,
    label: str,
    expires_at: int | None,
    made_by: str | None = None,
) -> Issued:
    """Make a token that is good until that moment; None: until it is revoked. `made_by`: the token that asks for it.

    Raises Invalid for what `find_faults` finds.
    """
    at, granted = clock.now(), sorted(frozenset(scopes))
    if faults := find_faults(granted, label=label, expires_at=expires_at):
        raise Invalid(faults)
    secret, token_id, label = _PREFIX + secrets.token_urlsafe(32), new_id(), without_secrets(label.strip())
    queries.insert_token(
        db,
        token_id=token_id,
        digest=digest_of(secret),
        user_id=user_id,
        label=label,
        scopes=" ".join(granted),
        created_at=at,
        expires_at=expires_at,
        made_by=made_by,
    )
    payload = {"for": username, "scopes": granted, "label": label}
    append_event(db, TOKEN_CREATED, by=by, subject=about(token_id), payload=payload)
    return Issued(secret, Token(token_id, username, label, frozenset(granted), at, expires_at))


def find_faults(scopes: Collection[Scope], *, label: str, expires_at: int | None) -> dict[str, str]:
    """What is wrong with a token that was asked for: it allows nothing, lasts no time, or its name cannot be shown."""
    faults, at = {}, clock.now()
    if not scopes:
        faults["scopes"] = "Name at least one scope."
    if expires_at is not None and not at < expires_at <= at + (LONGEST_DAYS + 1) * clock.DAY:
        faults["expires_at"] = "Use a moment to come, in a hundred years at most."
    if len(label) > LONGEST_LABEL or not label.isprintable():
        faults["name"] = f"Use at most {LONGEST_LABEL} characters that can be shown."
    return faults


def revoke(db: sa.Connection, token_id: str, *, by: Actor) -> None:
    """End a token and all that were made with it, from their next requests on. Raises NotFound."""
    revoked = queries.delete_token(db, token_id)
    if not revoked:
        raise NotFound("There is no token with that id.")
    record_revoked(db, revoked, by=by)


def record_revoked(db: sa.Connection, token_ids: Iterable[str], *, by: Actor) -> None:
    """Record that these have ended."""
    for token_id in token_ids:
        append_event(db, TOKEN_REVOKED, by=by, subject=about(token_id))


def follow_environment(db: sa.Connection, token: str | None, *, user_id: int | None, by: Actor) -> None:
    """Let the token that the environment names, and no earlier one, be good for everything."""
    digest = digest_of(token) if token else None
    for revoked in queries.delete_environment_tokens(db, except_digest=digest):
        append_event(db, TOKEN_REVOKED, by=by, subject=about(revoked))
    if digest is None or user_id is None or queries.find_token_id(db, digest) is not None:
        return
    token_id = new_id()
    queries.insert_token(
        db,
        token_id=token_id,
        digest=digest,
        user_id=user_id,
        label="BYLINE_API_TOKEN",
        scopes=" ".join(sorted(Scope)),
        created_at=clock.now(),
        expires_at=None,
        is_from_environment=True,
    )
    append_event(db, TOKEN_CREATED, by=by, subject=about(token_id), payload={"label": "BYLINE_API_TOKEN"})
