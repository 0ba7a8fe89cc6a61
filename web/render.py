"""Pages: everything that a template shows is in its arguments, and building a page reads nothing."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from flask import Flask, Response
from jinja2 import StrictUndefined
from markupsafe import Markup

from storage import clock
from storage.kept import Unread
from storage.watching import forbid_statements
from web.csrf import form_token
from web.current import this_app, this_g, this_request
from web.database import reading
from web.dates import Form, write_day
from web.headers import OwnHeaders
from web.settings import Settings
from web.site.model import Site
from web.site.queries import SITE, read_site
from web.templating import Environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# All but what XML 1.0 allows (section 2.2); a feed with anything else cannot be parsed at all.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Statuses without a body (RFC 9110, section 6.4.1).
_WITHOUT_BODY = (204, 304)


class _Page(Response):
    """A text that is made whole, and no Location."""

    def __init__(self, text: str, status: int = 200, *, content_type: str) -> None:
        data = text.encode()
        fields = (("Content-Type", content_type), ("Content-Length", str(len(data))))
        super().__init__([data], status, OwnHeaders(fields))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer. Werkzeug copies the headers, to put right what a page has not, and wraps what closes afterwards."""
        if self._on_close or self.status_code in _WITHOUT_BODY:
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else cast("list[bytes]", self.response)


def init_render(app: Flask, settings: Settings) -> None:
    """Templates as strict as Python: a name that nobody passed is an error, not an empty string."""
    app.jinja_environment = Environment
    # All are kept, in a plain dict: each page asks for all that it imports.
    app.jinja_options = {"cache_size": -1}
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        long_date=_long_date,
        short_date=_short_date,
        month=_month,
        local_minute=_local_minute,
        iso=clock.to_html_time,
        xml_text=_xml_text,
        rfc2822=_rfc2822,
    )
    app.extensions["macros"] = {}
    app.extensions["base_url"] = settings.base_url
    app.extensions["kept_site"] = app.extensions["database"].kept.remember(SITE, Site._make)


def load_templates(app: Flask, *prefixes: str) -> None:
    """Load those whose names begin so, and how English writes dates. Raises LookupError where none begins so.

    Done before processes are forked, it is done once for all of them, and no reader waits for it.
    """
    names = app.jinja_env.list_templates()
    for prefix in prefixes:
        found = [name for name in names if name.startswith(prefix)]
        if not found:
            raise LookupError(f"No template begins with {prefix}.")
        for name in found:
            app.jinja_env.get_template(name)
    write_day(date.today(), "en", "long")  # noqa: DTZ011 - any day


def render_page(template: str, *, status: int = 200, **arguments: Any) -> Response:
    """An HTML answer. `site`, `principal`, `csrf_token` and `canonical_url` are added to the arguments."""
    return _Page(_render(template, {"status": status, **arguments}), status, content_type="text/html; charset=utf-8")


def render_macro(template: str, macro: str, *arguments: object) -> Markup:
    """A piece of a page, made of the arguments alone: the macro sees nothing else."""
    app = this_app()
    known: dict[tuple[str, str], Callable[..., Markup]] = app.extensions["macros"]
    write = known.get((template, macro))
    if write is None:
        write = known[template, macro] = getattr(app.jinja_env.get_template(template).module, macro)
    return write(*arguments)


def render_feed(template: str, *, mimetype: str, **arguments: Any) -> Response:
    """An XML answer made of a template."""
    return _Page(_render(template, arguments), content_type=f"{mimetype}; charset=utf-8")


def absolute_url(path: str) -> str:
    """The public address of a path of this site."""
    return f"{this_app().extensions['base_url']}{path}"


def current_site() -> Site:
    """The site's row, read once per request."""
    known = this_g()
    site = known.get("site")
    if site is None:
        try:
            site = this_app().extensions["kept_site"]()
        except Unread:
            with reading() as db:
                site = read_site(db)
        known.site = site
    assert isinstance(site, Site)
    return site


def _render(template: str, arguments: dict[str, Any]) -> str:
    principal = this_g().principal
    if "site" not in arguments:
        arguments["site"] = current_site()
    arguments.setdefault("principal", principal)
    # A page for a visitor has no sign-out form, and a token would need a cookie.
    arguments.setdefault("csrf_token", form_token() if principal.is_authenticated and principal.has_session else "")
    if "canonical_url" not in arguments:
        arguments["canonical_url"] = absolute_url(quote(this_request().path))
    with forbid_statements("while a page was built"):
        return this_app().jinja_env.get_template(template).render(arguments)


def _local(at: int, zone: str) -> datetime:
    return clock.to_datetime(at).astimezone(ZoneInfo(zone))


def _long_date(at: int, site: Site) -> str:
    return _written(at, site.language, site.time_zone, "long")


def _short_date(at: int, site: Site, zone: str | None = None) -> str:
    return _written(at, site.language, zone or site.time_zone, "medium")


@lru_cache(maxsize=4096)
def _written(at: int, language: str, zone: str, form: Form) -> str:
    return write_day(_local(at, zone).date(), language, form)


def _month(at: int, site: Site) -> str:
    # Of any day of it the first, so that what is kept of it is kept once.
    return write_day(_local(at, site.time_zone).date().replace(day=1), site.language, "LLLL")


def _local_minute(at: int, site: Site, zone: str | None = None) -> str:
    """In that zone, or in the site's: whoever writes sees times as they type them."""
    return f"{_short_date(at, site, zone)}, {_local(at, zone or site.time_zone):%H:%M}"


def _rfc2822(at: int) -> str:
    return format_datetime(clock.to_datetime(at))


def _xml_text(text: str) -> str:
    return _NOT_XML.sub("", text)
