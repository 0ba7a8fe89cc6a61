"""Forwarding headers: believed from the proxies that the owner trusts, and taken away in any case."""

import ipaddress
from collections.abc import Iterable

# WSGI's own types live in a module that exists for type checkers only.
from typing import TYPE_CHECKING, Any

import structlog

from web.settings import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()

_FORWARDING_PREFIX = "HTTP_X_FORWARDED_"
# Of these nothing is read, but whoever sends one is not the person.
_FORWARDING = {
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_REAL_IP",
    "HTTP_X_CLIENT_IP",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP",
}
# Set for the floors above: somebody stands between us and the person, believed or not.
WAS_FORWARDED = "byline.was_forwarded"


class ForwardingHeaders:
    """A WSGI layer that puts the person's address, scheme and host where the proxy's stand."""

    def __init__(self, app: "WSGIApplication", trusted: tuple[Network, ...]) -> None:
        self._app = app
        self._trusted = trusted
        self._has_warned = False

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        headers: dict[str, str] = {}
        # Nearly always there are none: looked for in all names at once, and not one by one.
        if _FORWARDING_PREFIX in " ".join(environ) or not _FORWARDING.isdisjoint(environ):
            found = [name for name in environ if name.startswith(_FORWARDING_PREFIX) or name in _FORWARDING]
            headers = {name: environ.pop(name) for name in found}
        environ[WAS_FORWARDED] = bool(headers)
        if headers:
            if self._is_trusted(environ.get("REMOTE_ADDR", "")):
                self._believe(headers, environ)
            else:
                self._warn(environ)
        return self._app(environ, start_response)

    def _believe(self, headers: dict[str, str], environ: "WSGIEnvironment") -> None:
        hops = [hop.strip() for hop in headers.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        # The last hop that no proxy of ours has written is the farthest that can be believed.
        for hop in reversed(hops):
            address = _parse_address(hop)
            if address is None:
                break
            environ["REMOTE_ADDR"] = str(address)
            if not self._is_trusted(str(address)):
                break
        scheme = _last(headers.get("HTTP_X_FORWARDED_PROTO", "")).lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        if host := _last(headers.get("HTTP_X_FORWARDED_HOST", "")):
            environ["HTTP_HOST"] = host

    def _is_trusted(self, text: str) -> bool:
        address = _parse_address(text)
        return address is not None and any(address in network for network in self._trusted)

    def _warn(self, environ: dict[str, Any]) -> None:
        if not self._has_warned:
            self._has_warned = True
            # No request has begun yet, and the one before is over.
            structlog.contextvars.clear_contextvars()
            log.warning(
                "forwarding_headers_ignored",
                peer=environ.get("REMOTE_ADDR"),
                advice="If this is your proxy, name it in BYLINE_TRUSTED_PROXIES.",
            )


def _last(values: str) -> str:
    """What the nearest proxy has added to a list."""
    return values.rpartition(",")[2].strip()


def _without_port(text: str) -> str:
    """Some proxies write the port behind the address: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(_without_port(text))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
