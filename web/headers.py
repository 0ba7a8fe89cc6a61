"""The security headers that every answer carries."""

from flask import Flask, Response, g

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

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_TWO_YEARS = "max-age=63072000"


def allow_own_scripts() -> None:
    """The page being answered has a script, from our own files. Every other page may run none at all."""
    g.has_own_scripts = True


def init_headers(app: Flask, settings: Settings) -> None:
    """Every answer leaves with them, errors included."""
    is_https = settings.is_https

    @app.after_request
    def protect(response: Response) -> Response:
        present = {name for name, _value in response.headers}
        for name, value in _ALWAYS.items():
            if name not in present:
                response.headers.add(name, value)
        is_page = response.mimetype == "text/html"
        page_policy = _SCRIPT_POLICY if this_g().get("has_own_scripts") else _PAGE_POLICY
        if "Content-Security-Policy" not in present:
            response.headers.add("Content-Security-Policy", page_policy if is_page else _DATA_POLICY)
        if is_https:
            response.headers["Strict-Transport-Security"] = _TWO_YEARS
        return response
