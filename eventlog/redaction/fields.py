"""Secrets that are known by the name before them: `password=…&`, `API_KEY=…`, `"clientSecret": "…"`, YAML, options."""

import re
from functools import lru_cache

from eventlog.redaction.patterns import Pattern, compiled

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# The last word of a name says what the field holds …
_KINDS = {
    **dict.fromkeys(("password", "passwords", "passwort", "passwd", "passphrase", "pwd", "pass"), "password"),
    **dict.fromkeys(("secret", "secrets", "credential", "credentials"), "secret"),
    **dict.fromkeys(("token", "jwt"), "token"),
    **dict.fromkeys(("apikey", "accesskey", "secretkey", "privatekey", "authkey"), "key"),
    "authorization": "authorization",
    "cookie": "cookie",
}
# … unless it only says which one.
_WHICH = {"confirm", "confirmation", "confirmed", "again", "repeat", "repeated", "hash", "old", "new", "current"} | {
    "value", "base", "fallback", "fallbacks", "raw", "plain", "text", "file",
}  # fmt: skip
_LONGEST_KEPT = 64
_GLUED = re.compile(r"(password|passwd|secret|token)$")

_STANDS_FOR = re.compile(
    r"""(?:bearer[ ]|basic[ ]|token[ ])?(?:
        …+ | \.{3,} | \*{3,} | x{3,} | •{2,} | \[redacted:.{0,60} | \[[a-z ]{1,40}\]
      | (?-i:\$[A-Z_][A-Z_0-9]{0,60}) | \$[a-z_]{1,20} | \$\{\w{1,60}\} | \$\([^()]{0,80}\) | (?-i:%[A-Z_]{1,60}%)
      | \$?\{\{[^{}]{0,80}\}\} | \{[a-z_.]{0,60}\} | <[a-z _.-]{0,60}> | none | null | nil | true | false | undefined | required | optional | string | str | redacted
    )?[,;)\]}]{0,3}""",
    re.IGNORECASE | re.VERBOSE,
)


def pattern_named(name: str) -> str | None:
    """The pattern of what a field of this name holds; None where it is no secret by its name.

    `key` alone names many things; with a word before it, it is a key to something.
    """
    return (_known if len(name) <= _LONGEST_KEPT else _judged)(name)


def _judged(name: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(name)]
    while words and (words[-1] in _WHICH or words[-1].isdigit()):
        words.pop()
    if not words:
        return None
    if words[-1] in ("key", "keys"):
        return "key" if len(words) > 1 else None
    glued = _GLUED.search(words[-1])
    return _KINDS.get(words[-1]) or (_KINDS[glued[1]] if glued else None)


# The same few names come again with each line of the log.
_known = lru_cache(512)(_judged)


def pattern_below(name: str, field: str | None) -> str | None:
    """The same for a field that stands below another one: what is below a password, and its value, is what that is."""
    return pattern_named(name) or (field if field == "password" or name.lower() in _WHICH else None)


def stands_for_a_value(text: str) -> bool:
    """Whether a value is missing, hidden or elsewhere: `…`, `$TOKEN`, `<your password>`, none."""
    return _STANDS_FOR.fullmatch(text.strip()) is not None


def _name_of(match: re.Match[str]) -> str | None:
    kind = pattern_named(match["name"])
    # What headers hold is known better by their own patterns.
    return None if kind in ("authorization", "cookie") or stands_for_a_value(match["secret"]) else kind


# Names are found by a part of them, and judged as a whole.
_HAS_PART = r"(?=[\w.\[\]-]{0,100}?(?i:pass|pwd|secret|token|key|credential|jwt))"
_NAME = rf"(?<![\w.\[\]-]){_HAS_PART}(?P<name>[\w.\[\]-]++)"
# Without quotation marks, up to white space or the next field of a form: passwords hold commas and semicolons. A value
# that was wrapped goes on in lines that have nothing else.
_REST = r"(?:\\?\r?\n[ \t]*[\w+/.~-]{8,}+=*(?=[ \t]*(?:\\?\r?\n|\Z)))*"
_NEXT_LINE = r"""\\+[rn](?:\\+[rn])*+(?:[\w.-]{1,60}[ ]?[=:]|-----|[\\"'{\[])"""
_BARE = (
    rf"(?!<[A-Za-z_ ]{{1,40}}>)(?![&\"'])(?:[^\s&\\]++|(?!{_NEXT_LINE})\\++"
    rf"|&\#?\w{{1,8}};)+{_REST}"
)
_QUOTED = r"""(?:(?<=")(?:[^"\\]|\\.)+(?=")|(?<=')(?:[^'\\]|\\.)+(?='))"""
_INDENTED = r"[|>][+-]?\r?\n(?:[ \t]+\S[^\n]*(?:\n|\Z))+"
# After a colon prose goes on: what ends the line is a value, and so is what has letters and digits.
_ESCAPE = r"\\(?!\\*[nru])"
_WORD_WITH_DIGITS = r"(?=[^\s,;.\\]{0,60}\d)(?=[^\s\d,;.\\]{0,60}[A-Za-z])"
_ALONE = (
    rf"(?![\"'{{\[])(?:[^\s\\]++|{_ESCAPE})++(?=[ \t]*(?:\r?\n|\Z)){_REST}"
    rf"|{_WORD_WITH_DIGITS}(?:[^\s\"'<>\\]|{_ESCAPE}){{6,}}"
)

_FORMS = (
    rf"""{_NAME}["']?[ \t\u00a0]{{0,8}}=(?![=>])[ \t\u00a0]{{0,8}}["']?(?P<secret>{_QUOTED}|{_BARE})""",
    rf"""["']{_HAS_PART}(?P<name>[\w.\[\]-]++)["'][ \t\u00a0]{{0,8}}(?::|=>)\s{{0,8}}["']?(?P<secret>{_QUOTED}|[^\s"',}}\]]+)""",
    rf"""{_NAME}[ \t\u00a0]{{0,8}}:[ \t\u00a0]{{1,8}}["']?(?P<secret>{_QUOTED}|{_INDENTED}|{_ALONE})""",
    r"""(?<![^\s+])--?(?P<name>[A-Za-z][\w-]*+)[ +](?P<secret>(?<=[ ])[^\s-]\S*|(?<=\+)[^\s+-][^\s+]*)""",
    r"<(?P<name>[\w.-]++)(?:\s[^<>]{0,100})?>(?P<secret>[^<>]+)</",
    r"""name="(?P<name>[^"\r\n]{1,80})"[^\r\n]{0,80}\r?\n(?:[^\r\n]{1,100}\r?\n){0,3}\r?\n(?P<secret>[^\r\n]+)""",
)

PATTERNS: tuple[Pattern, ...] = tuple(Pattern(compiled(form), _name_of) for form in _FORMS)
