"""What a request must be like to be answered with a page that is kept, and which variant it takes."""

from collections.abc import Callable
from functools import lru_cache

from web.negotiation import prefers_json

# A header by its name in capitals, as CGI has it: `ACCEPT_ENCODING`; None where there is none.
GetHeader = Callable[[str], str | None]

# Longer ones are nobody's who reads; kept, they would fill the room.
_LONGEST_KEY = 1024
# The same for everybody, whoever they are.
_FOR_ALL = ("/static/", "/favicon.ico")


class Visitors:
    """Recognises requests that get what every visitor gets."""

    def __init__(self, is_saved_session: Callable[[str], bool], hosts: frozenset[str] | None) -> None:
        """`is_saved_session` says of a Cookie header whether somebody may be signed in by it; `hosts` None: any."""
        self._is_saved_session = is_saved_session
        self._hosts = hosts

    def includes(self, method: str, path: str, query: str, header: GetHeader) -> bool:
        """Whether what is asked for is a page, by nobody in particular, under a host name that is ours."""
        if method not in ("GET", "HEAD") or len(path) + len(query) > _LONGEST_KEY:
            return False
        if header("TRANSFER_ENCODING") is not None or header("CONTENT_LENGTH") not in (None, "", "0"):
            return False
        if header("CONTENT_TYPE"):
            return False
        if self._hosts is not None and (header("HOST") or "").lower() not in self._hosts:
            return False
        if path.startswith(_FOR_ALL):
            return True
        if header("AUTHORIZATION") is not None:
            return False
        cookie = header("COOKIE")
        return cookie is None or not self._is_saved_session(cookie)


def takes_a_page(header: GetHeader) -> bool:
    """Whether a refusal is a page for people here; programs are told in JSON."""
    return not prefers_json(header("ACCEPT") or "")


@lru_cache(256)
def takes_gzip(accepted: str | None) -> bool:
    """Whether a client with this Accept-Encoding header can unpack gzip (RFC 9110, 12.5.3)."""
    if accepted is None:
        return False
    weights = {}
    for item in accepted.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = 0.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
