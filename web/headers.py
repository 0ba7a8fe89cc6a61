"""The security headers that every answer carries, and how headers of our own are put beside each other."""

from collections.abc import Iterable

from flask import Flask, Response, g
from werkzeug.datastructures import Headers

from web.current import this_g
from web.settings import Settings

# Pictures of other sites are the author's choice; everything else comes from here or not at all. What may be connected
# to matters to scripts alone, of which most pages have none, and to Lighthouse, which asks from within for robots.txt.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' https:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
# What the few pages add that have a script of our own.
_SCRIPT_POLICY = f"{_PAGE_POLICY}; script-src 'self'"
_DATA_POLICY = "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_HTTPS_FOR_TWO_YEARS = ("Strict-Transport-Security", "max-age=63072000")


class OwnHeaders(Headers):
    """Headers of which we wrote both names and values, and Werkzeug need not look at each. Made of pairs alone."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._list = list(fields)

    def add_own(self, fields: Iterable[tuple[str, str]]) -> None:
        """Put these behind those that are there, as they are."""
        self._list += fields


def add_all(headers: Headers, fields: Iterable[tuple[str, str]]) -> None:
    """Put headers that nobody else had a part in behind those that are there."""
    if isinstance(headers, OwnHeaders):
        headers.add_own(fields)
    else:
        for name, value in fields:
            headers.add(name, value)


def allow_own_scripts() -> None:
    """The page being answered has a script, from our own files. Every other page may run none at all."""
    g.has_own_scripts = True


def init_headers(app: Flask, settings: Settings) -> None:
    """Every answer leaves with them, errors included."""
    always = (*_ALWAYS, _HTTPS_FOR_TWO_YEARS) if settings.is_https else _ALWAYS

    @app.after_request
    def protect(response: Response) -> Response:
        page_policy = _SCRIPT_POLICY if this_g().get("has_own_scripts") else _PAGE_POLICY
        policy = page_policy if response.mimetype == "text/html" else _DATA_POLICY
        present = {name for name, _value in response.headers}
        wanted = (*always, ("Content-Security-Policy", policy))
        add_all(response.headers, [field for field in wanted if field[0] not in present])
        return response
