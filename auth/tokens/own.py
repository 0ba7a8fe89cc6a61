"""One's own tokens: which there are, making one, and revoking one."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from auth.permissions import Scope, useful_scopes
from auth.principal import Principal
from auth.tokens import queries
from auth.tokens.issuing import Issued, find_faults, issue_until, record_revoked
from auth.tokens.model import Token
from web.cursors import Cursor
from web.errors import Forbidden, Invalid, NotFound

MOST = 100


def offered_scopes(by: Principal) -> list[Scope]:
    """What a token of theirs may be made for: what their role can do, and the token that asks, where one does."""
    return [scope for scope in useful_scopes(by.role) if by.scopes is None or scope in by.scopes]


def list_own_tokens(db: sa.Connection, *, by: Principal, limit: int, before: Cursor | None = None) -> list[Token]:
    """All that are not revoked, the newest first."""
    assert by.user_id is not None
    return queries.list_tokens_of(db, by.user_id, limit=limit, before=before)


def make_own_token(
    db: sa.Connection,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: int | None,
    parse_faults: Mapping[str, str],
    by: Principal,
) -> Issued:
    """Make one for oneself. A token that asks makes none that may do more, or lasts longer, than itself.

    Raises Forbidden for scopes beyond those of the token that asks; Invalid, for all fields at once, for scopes that
    their role has no use for, too many tokens, and as `issue_until` does. `parse_faults`: what could not be read.
    """
    assert by.user_id is not None
    wanted = set(scopes)
    known = {scope for scope in Scope if scope in wanted}
    if by.scopes is not None and not known <= by.scopes:
        raise Forbidden("A token makes others with its own scopes at most.", error_code="insufficient_scope")
    faults = find_faults(known, label=name, expires_at=expires_at)
    if wanted.difference(offered_scopes(by)):
        faults["scopes"] = "Choose from those that your role can use."
    if not name.strip():
        faults["name"] = "Give it a name that you will know it by."
    if queries.count_tokens_of(db, by.user_id) >= MOST:
        faults["name"] = f"A person has at most {MOST} tokens. Revoke one first."
    if by.token_id is not None and _outlives(expires_at, queries.find_expiry(db, by.token_id)):
        faults["expires_at"] = "A token makes none that lasts longer than itself."
    if faults := faults | dict(parse_faults):
        raise Invalid(faults)
    return issue_until(
        db, by.user_id, by.username, scopes=known, by=by, label=name, expires_at=expires_at, made_by=by.token_id
    )


def find_own_token(db: sa.Connection, token_id: str, *, by: Principal) -> None:
    """Raise NotFound unless it is a token of theirs."""
    if not queries.is_token_of(db, token_id, user_id=by.user_id):
        raise NotFound("You have no token of that id, or it was revoked.")


def revoke_own_token(db: sa.Connection, token_id: str, *, by: Principal) -> None:
    """End one and all that were made with it, from their next requests on. Raises NotFound."""
    revoked = queries.delete_token_of(db, token_id, user_id=by.user_id)
    if not revoked:
        raise NotFound("You have no token of that id, or it was revoked.")
    record_revoked(db, revoked, by=by)


def _outlives(expires_at: int | None, limit: int | None) -> bool:
    return limit is not None and (expires_at is None or expires_at > limit)
