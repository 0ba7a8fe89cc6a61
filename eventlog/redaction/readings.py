"""The readings of a text: decoded, and with its lines joined.

A secret in a request rarely stands bare: a log line quotes JSON, a form percent-encodes, a page escapes, a mail wraps.
"""

import html
import re
from collections.abc import Callable
from urllib.parse import unquote, unquote_plus

Read = Callable[[str], str]

# Encodings within encodings are read this far.
DEEPEST = 3

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([\"'\\/bfnrt]))")
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ENCODED = re.compile(r"[^\s%]*%[0-9A-Fa-f]{2}\S*")
# A token that was wrapped: the break and the indentation after it are no part of it. A line that begins one is not the
# rest of another.
_BEGINS = r"(?:sk-|hf_|hv[sbr]\.|SG\.|eyJ|A(?:KIA|SIA|BIA|CCA|3T)|1//0|(?:\d+\.){2})"
_BREAK = r"(?:[ \t]{0,4}\\?\r?\n[ \t>]{0,32}|[\u00ad\u200b\u2028\u2029\u2060\ufeff]{1,4})"
_WRAP = re.compile(rf"(?<=[\w+/=.~-]){_BREAK}(?!{_BEGINS})(?=[\w+/=.~-])", re.ASCII)


def _percent(text: str) -> str:
    return _ENCODED.sub(_unquoted, text) if "%" in text else text


def _unquoted(match: re.Match[str]) -> str:
    # In a form that a browser encoded a plus is a space. Elsewhere it is a plus: base64 has it.
    return unquote(match[0]) if "%20" in match[0] else unquote_plus(match[0])


def _json(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2]
    return chr(int(digits, 16)) if digits else _LETTERS.get(match[3], match[3])


def _html(text: str) -> str:
    return html.unescape(text) if "&" in text else text


def _joined(text: str) -> str:
    return text if text.isascii() and "\n" not in text else _WRAP.sub("", text)


READERS: tuple[Read, ...] = (_joined, _json, _percent, _html)
# Without one of these signs every reading is the text as it stands.
_DECODED = re.compile(r"[\\%&\n\u00ad\u200b\u2028\u2029\u2060\ufeff]")


def has_others(text: str) -> bool:
    """Whether a text may read otherwise than it stands."""
    return _DECODED.search(text) is not None
