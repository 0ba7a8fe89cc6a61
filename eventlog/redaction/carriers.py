"""Secrets that are known by what carries them: headers, cookies, addresses with a password."""

import re
from base64 import b64decode

from eventlog.redaction.fields import stands_for_a_value
from eventlog.redaction.patterns import Pattern, pattern

# How a header and its value are joined: as sent, as a dictionary or JSON has them, in a list.
_JOINED = r"""["']?\]?[ \t+]{0,4}(?:=>|[:,=])[ \t+]{0,4}["']?"""
_SCHEMES = r"(?:bearer|basic|digest|token|negotiate|ntlm|apikey|api-key|hmac|signature|aws4-[\w-]{1,20})"


def _is_user_and_password(match: re.Match[str]) -> bool:
    """Whether it is what RFC 7617 makes of a name and a password."""
    piece = match["secret"].rstrip("=").replace("-", "+").replace("_", "/")
    user, colon, _ = b64decode(piece[: len(piece) // 4 * 4]).partition(b":")
    return bool(colon) and user.decode("utf-8", "replace").isprintable()


def _is_value(match: re.Match[str]) -> bool:
    return not stands_for_a_value(match["secret"])


PATTERNS: tuple[Pattern, ...] = (
    # RFC 7616 and the like: parameters in quotation marks, to the end of the line.
    pattern(
        "authorization",
        rf"(?i:authorization{_JOINED}(?P<secret>(?:digest|hmac|signature|aws4-[\w-]{{1,20}})[ \t]+[\w-]+=[^\r\n\\]*))",
    ),
    # RFC 9110, 11.6. With a scheme, all to the end of the line is credentials; without one, a single long word is.
    pattern(
        "authorization",
        rf"(?i:authorization{_JOINED}(?P<secret>{_SCHEMES}[ \t+]++(?:(?!-----|%0[AaDd])[^\r\n\"'\\&]){{6,}}+(?:\r?\n[ \t]+\S+)*|[^\s\"'\\]{{12,}}+(?![ ][A-Za-z])))",
        _is_value,
    ),
    # RFC 6750. Prose says "bearer token" and "basic rules": what follows there is a word.
    pattern("bearer", r"(?i:bearer)[ \t+:=]{1,4}(?P<secret>(?=[\w.~+/-]{0,60}\d|[\w.~/-]{24})[\w.~+/=-]{8,})"),
    pattern("basic", r"(?i:basic)[ \t+:=]{1,4}(?P<secret>[A-Za-z0-9+/_-]{8,}={0,2})", _is_user_and_password),
    # RFC 6265: everything after the header's name.
    pattern(
        "cookie",
        rf"(?i:cookie2?){_JOINED}(?P<secret>[\w!#$%&*.^|~+-]{{1,100}}=(?:[^\r\n\"'\\]|\\(?![\\rnu]))*)",
        _is_value,
    ),
    # RFC 3986, 3.2.1. A page's path may hold an `@`; the password of another address what should have been encoded.
    pattern("url-password", r"""(?i:https?)://[^\s/?\#@:"'<>]{0,128}:(?P<secret>[^\s/?\#"'<>]{1,300})@""", _is_value),
    pattern(
        "url-password",
        r"""(?<![A-Za-z0-9])(?!(?i:https?:))[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/?\#@:"'<>]{0,128}:
        (?!\d{1,5}[/?\#])(?P<secret>[^\s"'<>]{1,300})@""",
        _is_value,
    ),
)
