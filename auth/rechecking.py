"""Whether somebody whose request takes its time would still be let in: by the same credential, for the same thing.

A request is let in when it begins. What it writes is written later, and what it sends may take minutes: both ask again.
"""

from collections.abc import Callable

import sqlalchemy as sa
from flask import g, has_request_context, request

from auth.permissions import Permission, Role, is_allowed
from auth.principal import VISITOR, Principal, principal
from auth.sessions.cookies import forget_session
from auth.sessions.queries import role_by_session
from auth.sessions.watching import watch_session
from auth.tokens.queries import find_bearer, role_by_token
from auth.users.queries import find_standing
from storage import clock
from storage.digests import digest_of
from web.errors import Forbidden, Unauthenticated

StillAllowed = Callable[[sa.Connection], bool]


def check_writer(db: sa.Connection) -> None:
    """At the beginning of a transaction, in it: whether whoever this request was let in for still stands.

    So nothing is stored for somebody once their block, or the end of their session or token, is committed. Raises
    Unauthenticated, and whoever asked is a visitor from then on; Forbidden for another role than they came with. One
    statement, by primary keys; none where nobody was let in: at sign-in, in commands, in jobs.
    """
    who: Principal | None = g.get("let_in") if has_request_context() else None
    if who is None:
        return
    role = _present_role(db, who)
    if role is None:
        become_nobody()
        raise Unauthenticated(
            "You were signed out at this moment, and nothing was stored.",
            error_code="invalid_token" if who.has_token else None,
        )
    if role != who.role:
        raise Forbidden("You were given another role at this moment, and nothing was stored. Send it once more.")


def watch_right(permission: Permission) -> StillAllowed:
    """For the principal of this request; what it returns may be called when the request is over, and asks anew.

    False once the session has ended, the token was revoked or has expired, the person is blocked, or may it no longer.
    Asked in the snapshot that something is read from, it says whether that may still be sent.
    """
    if principal().has_token:
        token_digest = digest_of(request.headers["Authorization"].split()[-1])
        return lambda db: _may_by_token(db, token_digest, permission)
    return watch_session(permission)


def may_still(db: sa.Connection, user_id: int, permission: Permission) -> bool:
    """Whether that person may do something now: for work that is done later in their name, with no request."""
    user = find_standing(db, user_id)
    return user is not None and is_allowed(permission, role=user.role, scopes=None)


def _present_role(db: sa.Connection, who: Principal) -> Role | None:
    if who.token_id is not None:
        return role_by_token(db, who.token_id)
    return role_by_session(db, who.session_id or "")


def become_nobody() -> None:
    """The rest of this request is answered to a visitor: whose it was has no right any more."""
    if principal().has_token:
        g.has_bad_bearer = True
    else:
        forget_session()
    g.principal = g._login_user = VISITOR
    g.pop("session", None)


def _may_by_token(db: sa.Connection, digest: str, permission: Permission) -> bool:
    found = find_bearer(db, digest, at=clock.now())
    return found is not None and is_allowed(permission, role=found.role, scopes=found.scopes)
