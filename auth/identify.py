"""Finds the principal: once per request, before anything is answered, with at most one query."""

import re

import flask_login
from flask import Flask, Response, current_app, g, request

from auth.principal import VISITOR, Principal, principal
from auth.sessions.cookies import browser_session, forget_session, refresh_session
from auth.sessions.moving import note_move
from auth.sessions.queries import SIGNED_IN, SignedIn, find_signed_in, to_signed_in, touch_session
from auth.tokens import queries as token_queries
from auth.tokens.using import note_use
from storage import clock
from storage.digests import digest_of
from storage.errors import Busy, Full
from storage.kept import Unread
from web.caching import mark_private
from web.current import this_g, this_request
from web.database import current_database, reading
from web.errors import Unauthenticated
from web.signing import current_keys

_REFRESH_AFTER = clock.HOUR
_ANONYMOUS_PATHS = re.compile(r"/(healthz|readyz|favicon\.ico|static/.*)")
# RFC 6750, section 2.1.
_TOKEN = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)
_SCHEME = re.compile(r"bearer(?![A-Za-z0-9-])", re.IGNORECASE)


class RequestLogin(flask_login.LoginManager):
    """Flask-Login with its two habits taken away that read the session on every answer."""

    def _load_user(self) -> None:
        """Flask-Login's hook for finding who is asking."""
        this_g()._login_user = _find_principal()

    def identify(self) -> None:
        """Find the principal and put it on the request; a bad Bearer token is remembered for `refuse_bad_bearer`.

        `g.principal` is `flask_login.current_user`, whose way to it is longer.
        """
        known = this_g()
        known.principal = VISITOR
        known.has_bad_bearer = False
        self._load_user()
        known.principal = known._login_user

    def _update_remember_cookie(self, response: Response) -> Response:
        """Being remembered is a longer row, not a cookie of its own."""
        return response


def init_identify(app: Flask) -> None:
    """Each request knows who it comes from before it is answered."""
    login = RequestLogin()
    login.session_protection = None
    login.init_app(app, add_context_processor=False)
    app.extensions["kept_signed_in"] = app.extensions["database"].kept.prepare(SIGNED_IN)
    app.before_request(login.identify)
    app.after_request(_refresh)


def refuse_bad_bearer() -> None:
    """On every route, also a public one: a token that is not good is answered, not ignored. Raises Unauthenticated."""
    if this_g().has_bad_bearer:
        raise Unauthenticated("The Bearer token is unknown, revoked or expired.", error_code="invalid_token")


def _find_principal() -> Principal:
    asked = this_request()
    if _ANONYMOUS_PATHS.fullmatch(asked.path):
        return VISITOR
    authorization = asked.environ.get("HTTP_AUTHORIZATION", "").strip()
    if _SCHEME.match(authorization):
        # The scheme decides: what is malformed behind it is a bad token, and no reason to look at a cookie.
        token = _TOKEN.fullmatch(authorization)
        return _by_token(token[1] if token is not None else None)
    return VISITOR if asked.path == "/metrics" or "HTTP_COOKIE" not in asked.environ else _by_session()


def _by_token(token: str | None) -> Principal:
    # Alone: whatever cookie came along is not looked at.
    mark_private()
    found = None
    if token is not None:
        with reading() as db:
            found = token_queries.find_bearer(db, digest_of(token), at=clock.now())
    if found is None:
        g.has_bad_bearer = True
        return VISITOR
    who = Principal(
        user_id=found.user_id,
        username=found.username,
        display_name=found.display_name,
        role=found.role,
        time_zone=found.time_zone,
        token_id=found.token_id,
        scopes=found.scopes,
    )
    note_use(current_database(), found, by=who)
    return who


def _by_session() -> Principal:
    browser = browser_session()
    if browser.whole_id is None or not browser.is_saved:
        return VISITOR
    mark_private()
    found = _find_signed_in(digest_of(browser.whole_id))
    if found is None or not found.session.is_live(clock.now()):
        forget_session()
        return VISITOR
    g.session = found.session
    return Principal(
        user_id=found.session.user_id,
        username=found.username,
        display_name=found.display_name,
        role=found.role,
        time_zone=found.time_zone,
        session_id=found.session.id,
        signed_in_at=found.session.created_at,
        newcomer=found.newcomer,
    )


def _find_signed_in(digest: str) -> SignedIn | None:
    try:
        return to_signed_in(current_app.extensions["kept_signed_in"](digest=digest))
    except Unread:
        with reading() as db:
            return find_signed_in(db, digest)


def _refresh(response: Response) -> Response:
    """Keep a session that is used alive: at most one row update an hour, and never at the cost of the page."""
    known = this_g()
    session = known.get("session")
    if session is None:
        return response
    browser = known.get("browser_session")
    is_page = request.method == "GET" and response.status_code == 200 and response.mimetype == "text/html"
    if not is_page or browser is None or browser.must_set or browser.must_delete:
        return response
    at = clock.now()
    if browser.is_current_key and at - browser.signed_at < _REFRESH_AFTER:
        return response
    try:
        # What has ended meanwhile is not touched, and the page is made already.
        with current_database().transaction(wait_seconds=0, is_checked=False) as db:
            key = current_keys().fingerprint
            since = at - _REFRESH_AFTER
            if touch_session(db, session.id, at=at, unless_since=since, signed_with=key):
                note_move(db, address=request.remote_addr or "", by=principal())
    except (Busy, Full):
        return response
    refresh_session(is_remembered=session.is_remembered)
    return response
