"""Guards: what a route needs stands above it. They read the principal, and never look for one."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from auth.permissions import Permission, is_allowed
from auth.principal import principal
from storage import clock
from web.caching import mark_private
from web.errors import Forbidden, Unauthenticated
from web.marking import mark
from web.negotiation import wants_json

P = ParamSpec("P")
R = TypeVar("R")
View = Callable[P, R]

NOT_FRESH = (
    "You signed in a while ago. This needs a sign-in of the last ten minutes, so that nobody does it who found your "
    "device open. Sign in once more to go on."
)
_SIGN_IN = "Sign in, or send a Bearer token."


def public(view: View[P, R]) -> View[P, R]:
    """Anybody may ask for this route; what they get may still depend on who they are."""
    return mark(view, "is_public", True)


def requires(
    permission: Permission, *, session_only: bool = False, fresh: bool = False
) -> Callable[[View[P, R]], View[P, R]]:
    """Only principals with this permission.

    `session_only`: and never by Bearer token, whatever its scopes. `fresh`: whoever comes with a session has signed in
    within the last ten minutes; others get the sign-in page, which carries along what they sent.
    """

    def guard(view: View[P, R]) -> View[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            refused = _refuse(permission, session_only, fresh)
            return cast("R", refused) if refused is not None else view(*args, **kwargs)

        return mark(guarded, "permission", permission)

    return guard


def undeclared_routes() -> list[str]:
    """The endpoints that do not say what they need."""
    views = current_app.view_functions
    return [name for name, view in views.items() if not hasattr(view, "is_public") and not hasattr(view, "permission")]


def _refuse(permission: Permission, session_only: bool, fresh: bool) -> ResponseReturnValue | None:
    who = principal()
    # Also a refusal depends on who asks: with the right cookie it would have been another answer.
    mark_private()
    if not who.is_authenticated:
        if request.method in ("GET", "HEAD") and not wants_json():
            return redirect(url_for("signin.sign_in_page", next=request.full_path.rstrip("?")), code=303)
        raise Unauthenticated(_SIGN_IN)
    if session_only and who.has_token:
        raise Forbidden("This needs a person who is signed in; a token does not open it.")
    if not who.may(permission):
        if who.has_token and is_allowed(permission, role=who.role, scopes=None):
            raise Forbidden("This token's scopes do not allow it.", error_code="insufficient_scope")
        raise Forbidden
    if fresh and not who.is_fresh(clock.now()):
        if request.method in ("GET", "HEAD") and not wants_json():
            return redirect(url_for("signin.sign_in_page", next=request.full_path.rstrip("?"), again=1), code=303)
        raise Unauthenticated(NOT_FRESH)
    # Whatever is written from now on is written in their name: see `auth.rechecking`.
    g.let_in = who
    return None
