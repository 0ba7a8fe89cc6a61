"""Tokens come and go."""

import hashlib
import secrets
from collections.abc import Iterable

import sqlalchemy as sa

from auth.permissions import Scope
from auth.tokens import queries
from auth.tokens.events import TOKEN_CREATED, TOKEN_REVOKED, about
from auth.users.roles import find_person
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from storage import clock
from storage.ids import new_id
from web.errors import Invalid, NotFound

_PREFIX = "byl_"
_LONGEST_LABEL = 100


def issue(
    db: sa.Connection, username: str, *, scopes: Iterable[Scope], by: Actor, label: str = "", days: int | None = None
) -> str:
    """Make a token for a person and return it; it is never shown again.

    Raises NotFound for an unknown person, Invalid when it would allow nothing, last no time, or its label is too long.
    """
    scopes = frozenset(scopes)
    if not scopes:
        raise Invalid({"scope": "Name at least one scope."})
    if days is not None and not 1 <= days <= 36_500:
        raise Invalid({"days": "Use 1 to 36,500 days."})
    if len(label) > _LONGEST_LABEL:
        raise Invalid({"label": f"Use at most {_LONGEST_LABEL} characters."})
    token = _PREFIX + secrets.token_urlsafe(32)
    at, token_id, person = clock.now(), new_id(), find_person(db, username)
    queries.insert_token(
        db,
        token_id=token_id,
        digest=digest_of(token),
        user_id=person.id,
        label=without_secrets(label),
        scopes=" ".join(sorted(scopes)),
        created_at=at,
        expires_at=None if days is None else at + days * clock.DAY,
    )
    payload = {"for": person.username, "scopes": sorted(scopes), "label": label}
    append_event(db, TOKEN_CREATED, by=by, subject=about(token_id), payload=payload)
    return token


def revoke(db: sa.Connection, token_id: str, *, by: Actor) -> None:
    """End a token, from its next request on. Raises NotFound."""
    if not queries.delete_token(db, token_id):
        raise NotFound("There is no token with that id.")
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


def digest_of(token: str) -> str:
    """What is stored in place of the token. It is random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
