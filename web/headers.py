"""The security headers that every answer carries."""

from flask import Flask, Response

from web.settings import Settings

# Pictures of other sites are the author's choice; everything else comes from here or not at all.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; "
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
_DATA_POLICY = "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_TWO_YEARS = "max-age=63072000"


def init_headers(app: Flask, settings: Settings) -> None:
    """Every answer leaves with them, errors included."""

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(_ALWAYS)
        is_page = response.mimetype == "text/html"
        response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY if is_page else _DATA_POLICY)
        if settings.is_https:
            response.headers["Strict-Transport-Security"] = _TWO_YEARS
        return response
