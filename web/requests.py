"""What every request passes before a page is chosen: its number, its host, its origin, and whether it can be read."""

import json
import secrets
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Flask, Request, current_app, g, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from web.current import this_g, this_request
from web.errors import Busy, Forbidden, TooLarge
from web.marking import View, mark
from web.server.framing import WAITED_SECONDS
from web.settings import Settings

MAX_BODY_BYTES = 2 * 1024 * 1024
# A file of 25 MiB and its form: what the server reads at most.
MAX_UPLOAD_BYTES = 26 * 1024 * 1024
_REPLACED = "\N{REPLACEMENT CHARACTER}"
# As long as a connection to the database is waited for.
_LATE_SECONDS = 5.0
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
_FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}
_MOST_FIELDS = 100
_OPERATIONS = {"/healthz", "/readyz", "/metrics"}


class StrictJson(DefaultJSONProvider):
    """JSON as RFC 8259 has it and RFC 7493 tightens it: no repeated names, no NaN, no bottomless nesting."""

    sort_keys = False

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """The value. Raises ValueError."""
        try:
            # Left to itself, the library would guess UTF-16 and UTF-32 too.
            text = s.decode() if isinstance(s, bytes) else s
            return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


class StrictRequest(Request):
    """A request that says what is wrong with its body."""

    def make_form_data_parser(self) -> FormDataParser:
        """Werkzeug's, but a form that cannot be read is not an empty one: it raises ValueError."""
        parser = super().make_form_data_parser()
        parser.silent = False
        return parser

    def on_json_loading_failed(self, error: ValueError | None) -> NoReturn:
        """Refuse with 400; the sentence says where reading stopped, and quotes nothing."""
        reason = "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)
        raise BadRequest(f"The body is not JSON: {reason}.")


class ForeignOrigin(Forbidden):
    """A write that came from a page of another site."""


def number_request() -> None:
    """Give the request a number that its answer and its log lines share."""
    this_g().request_id = secrets.token_hex(8)


def refuse_late() -> None:
    """Refuse what only reads and has waited so long for a thread that whoever asked has given up, or asks again.

    Done all the same, it would keep those behind it waiting as long.
    """
    asked = this_request()
    if asked.method in _SAFE_METHODS and asked.environ.get(WAITED_SECONDS, 0) > _LATE_SECONDS:
        raise Busy("Too many ask for pages that take long to make. Try again in a few seconds.", retry_after_seconds=5)


def known_hosts(settings: Settings) -> frozenset[str] | None:
    """What a Host header may say; None, without a public address: anything."""
    if settings.byline_url is None:
        return None
    host = settings.byline_url.partition("://")[2]
    has_port = host.rpartition(":")[2].isdecimal()
    # A proxy that speaks TLS with the person may name the port that it uses with us.
    return frozenset({host} if has_port else {host, f"{host}:80", f"{host}:443"})


def init_host_check(app: Flask, settings: Settings) -> None:
    """With a public address set, requests for any other host get 400: links and caches cannot be poisoned."""
    known = known_hosts(settings)
    if known is None:
        return

    @app.before_request
    def check_host() -> None:
        # Probes of a container ask by address.
        if request.path not in _OPERATIONS and request.headers.get("Host", "").lower() not in known:
            raise BadRequest("This site is not known under that host name.")


def check_origin() -> None:
    """Refuse writes that another site's page has sent with a person's cookie. Raises Forbidden.

    Browsers that send neither header leave the decision to the form token.
    """
    if this_request().method in _SAFE_METHODS or g.principal.has_token:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    elif origin is not None:
        is_ours = _without_default_port(origin.lower()) == own_origin()
    else:
        is_ours = True
    if not is_ours:
        raise ForeignOrigin("This was sent by a page of another site, or in an unusual way. Nothing was changed.")


def takes_files(most_bytes: int) -> Callable[[View], View]:
    """The route takes forms with files, of that many bytes in all; they are read onto the disk, not into memory."""

    def taking(view: View) -> View:
        return mark(view, "most_body_bytes", most_bytes)

    return taking


def check_body() -> None:
    """Refuse what is too large or cannot be read, before anybody asks who sent it. Raises BadRequest, 413."""
    asked = this_request()
    environ = asked.environ
    # What says that it is a form may be read as one, if only to see whether there is anything in it.
    is_bare = environ.get("CONTENT_LENGTH") in (None, "", "0") and "form" not in environ.get("CONTENT_TYPE", "").lower()
    if asked.method in _SAFE_METHODS and is_bare:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    most_bytes = getattr(view, "most_body_bytes", None)
    if most_bytes is not None and request.mimetype == "multipart/form-data" and request.method not in _SAFE_METHODS:
        _check_upload(most_bytes)
        return
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    # A DELETE may come without a body; whoever sends any other write as JSON has sent some.
    if (
        request.is_json
        and request.method not in _SAFE_METHODS
        and (request.content_length or request.method != "DELETE")
    ):
        request.get_json()
    elif request.mimetype in _FORMS:
        try:
            # Read whole first: a parser would put another character in the place of what is not UTF-8.
            request.get_data().decode()
            fields = request.form
        except ValueError as error:
            raise BadRequest("The form that was sent is not whole, or not UTF-8. Nothing was changed.") from error
        if None in fields or len(fields) > _MOST_FIELDS:
            raise BadRequest("The form that was sent has fields that no form here has. Nothing was changed.")


def _check_upload(most_bytes: int) -> None:
    request.max_content_length = most_bytes
    if (request.content_length or 0) > most_bytes:
        raise TooLarge(f"Files may have up to {most_bytes // 1024**2 - 1} MiB together. Nothing was stored.")
    try:
        fields = request.form
    except ValueError as error:
        raise BadRequest("The form that was sent is not whole. Nothing was stored.") from error
    if None in fields or len(fields) > _MOST_FIELDS:
        raise BadRequest("The form that was sent has fields that no form here has. Nothing was stored.")
    if any(_REPLACED in name + value for name, value in fields.items(multi=True)):
        raise BadRequest("The form that was sent is not UTF-8. Nothing was stored.")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {json.dumps(name[:100])} is given twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def own_origin() -> str:
    """The origin of this site's own pages, as browsers write it."""
    settings: Settings = current_app.extensions["settings"]
    return settings.byline_url or _without_default_port(f"{request.scheme}://{request.host}".lower())


def _without_default_port(origin: str) -> str:
    return origin.removesuffix(":443" if origin.startswith("https://") else ":80")
