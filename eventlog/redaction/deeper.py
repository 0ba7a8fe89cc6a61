"""What says who or where somebody is, and long runs that may be a key nobody knows: for exports to strangers."""

import re
from ipaddress import ip_address

from eventlog.redaction.patterns import Pattern, pattern

_SHORTEST_PART = 20


def _is_address(match: re.Match[str]) -> bool:
    # `a::b` is also how some languages name things.
    if ":" in match[0] and not any(sign.isdigit() for sign in match[0]):
        return False
    try:
        ip_address(match[0])
    except ValueError:
        return False
    return True


def _is_random(match: re.Match[str]) -> bool:
    # A path has slashes too, between words.
    return any(len(part) >= _SHORTEST_PART and _is_mixed(part) for part in match[0].split("/"))


def _is_mixed(part: str) -> bool:
    return part.lower() != part and part.upper() != part and any(sign.isdigit() for sign in part)


PATTERNS: tuple[Pattern, ...] = (
    pattern("email", r"(?<![\w.%+'-])[\w.%+'-]++@[\w-]++(?:\.[\w-]++)*\.(?!\d)[A-Za-z]{2,}+"),
    pattern("ip-address", r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)", _is_address),
    pattern(
        "ip-address", r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}+(?:[0-9.]{7,15})?(?![\w:])", _is_address
    ),
    pattern("hex", r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{32,}+"),
    pattern("base64", r"[A-Za-z0-9+/]{32,}+={0,2}|[A-Za-z0-9_-]{32,}+={0,2}", _is_random),
)
