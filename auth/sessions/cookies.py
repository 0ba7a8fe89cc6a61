"""The session cookie: a signed id, marked as saved or not, so that a visitor's form cookie costs no query."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, current_app, g, request
from werkzeug.http import parse_cookie

from auth.sessions.model import ABSOLUTE_LIMIT, IDLE_LIMIT
from auth.sessions.store import SessionStore
from storage import clock
from web.caching import mark_private
from web.settings import Settings
from web.signing import Keys, current_keys

_KIND = "session"
_SAVED, _UNSAVED = "s", "v"


@dataclass(slots=True)
class BrowserSession:
    """What the cookie of this request says, and what its answer will do to it."""

    whole_id: str | None = None
    is_saved: bool = False
    signed_at: int = 0  # microseconds
    is_current_key: bool = True
    is_remembered: bool = False
    must_set: bool = False
    must_delete: bool = False


def init_cookies(app: Flask, settings: Settings) -> None:
    """The cookie is read when it is first asked for, and written with the answer."""
    name = "__Host-session" if settings.is_https else "session"
    app.extensions["session_cookie_name"] = name

    @app.after_request
    def write(response: Response) -> Response:
        browser = g.get("browser_session")
        if browser is not None and browser.must_set:
            response.set_cookie(
                name,
                current_keys().sign(_KIND, f"{browser.whole_id}.{_SAVED if browser.is_saved else _UNSAVED}"),
                max_age=IDLE_LIMIT // clock.SECOND if browser.is_remembered else None,
                secure=settings.is_https,
                httponly=True,
                samesite="Lax",
            )
        elif browser is not None and browser.must_delete:
            response.delete_cookie(name, secure=settings.is_https, httponly=True, samesite="Lax")
        return response


def browser_session() -> BrowserSession:
    """The session of this request's browser. No query: only the signature is checked."""
    if "browser_session" not in g:
        g.browser_session = _read_cookie()
    session = g.browser_session
    assert isinstance(session, BrowserSession)
    return session


def form_binding() -> str:
    """The id that form tokens of this request are bound to; minted, and not saved, where there is none."""
    mark_private()
    browser = browser_session()
    if browser.whole_id is None:
        browser.whole_id = session_store().create()
        browser.must_set = True
    return browser.whole_id


def begin_session(whole_id: str, *, is_remembered: bool) -> None:
    """The answer will carry the cookie of a session that was just saved."""
    mark_private()
    g.browser_session = BrowserSession(whole_id, is_saved=True, is_remembered=is_remembered, must_set=True)


def refresh_session(*, is_remembered: bool) -> None:
    """The answer will carry the same session, signed anew."""
    browser = browser_session()
    browser.is_remembered, browser.must_set = is_remembered, True


def forget_session() -> None:
    """The answer will take the cookie away."""
    mark_private()
    g.browser_session = BrowserSession(must_delete=True)


def session_store() -> SessionStore:
    """The store of the running application."""
    store = current_app.extensions["session_store"]
    assert isinstance(store, SessionStore)
    return store


def saved_session_in(app: Flask) -> Callable[[str], bool]:
    """A function that says of a Cookie header whether it carries a session of ours that was saved: no query."""
    name, keys = app.extensions["session_cookie_name"], app.extensions["keys"]

    def is_saved_in(header: str) -> bool:
        # Nearly all cookies are somebody else's.
        if name not in header:
            return False
        try:
            values = parse_cookie(header).getlist(name)
        except UnicodeError:
            return True
        return _read_values(values, keys).is_saved

    return is_saved_in


def _read_cookie() -> BrowserSession:
    return _read_values(request.cookies.getlist(current_app.extensions["session_cookie_name"]), current_keys())


def _read_values(values: list[str], keys: Keys) -> BrowserSession:
    # Two cookies of this name: one of them was planted, and nobody can say which.
    if len(values) != 1 or len(values[0]) > 512:
        return BrowserSession()
    read = keys.read(_KIND, values[0], max_age_seconds=ABSOLUTE_LIMIT // clock.SECOND)
    if read is None:
        return BrowserSession()
    whole_id, _, mark = read[0].rpartition(".")
    return BrowserSession(
        whole_id,
        is_saved=mark == _SAVED,
        signed_at=read[1] * clock.SECOND,
        is_current_key=keys.is_current(_KIND, values[0]),
    )
