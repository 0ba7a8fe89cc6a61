"""Where a person is sent next: only to places of this site."""

import re
from urllib.parse import urlsplit

# A browser reads a backslash as a slash and drops control characters, so both can turn a path into a foreign host.
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


def safe_next(target: str | None, *, default: str = "/") -> str:
    """`target` when it is a path of this site, otherwise `default`."""
    if not target or len(target) > 2000 or not target.startswith("/") or target.startswith("//"):
        return default
    if _UNSAFE.search(target) or re.search(r"%(0[0-9a-f]|1[0-9a-f]|5c|7f)|^/%2f", target, re.IGNORECASE):
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default
