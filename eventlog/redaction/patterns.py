"""What a pattern is, and how what it finds is cut out of a text."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

# What the place of a secret begins with.
REDACTED = "[redacted: "


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of secret. What is cut out is the group `secret` where there is one, else all that matched."""

    regex: re.Pattern[str]
    # The name to count it under; None where what matched is not meant.
    name_of: Callable[[re.Match[str]], str | None]


def compiled(regex: str) -> re.Pattern[str]:
    """Verbose, and case-sensitive unless it says otherwise; its digits and words are those of ASCII."""
    return re.compile(regex, re.ASCII | re.VERBOSE)


def pattern(name: str, regex: str, is_meant: Callable[[re.Match[str]], bool] = lambda _: True) -> Pattern:
    """A pattern that has one name."""
    return Pattern(compiled(regex), lambda match: name if is_meant(match) else None)


def redacted(name: str) -> str:
    """What stands in the place of a secret."""
    return f"{REDACTED}{name}]"


def cut(text: str, patterns: tuple[Pattern, ...], counts: Counter[str]) -> str:
    """The text without what the patterns find; what was redacted before is not found again."""
    for each in patterns:
        # Nearly always there is nothing.
        if (match := each.regex.search(text)) is not None:
            text = _cut_from(match, text, each, counts)
    return text


def _cut_from(first: re.Match[str], text: str, pattern: Pattern, counts: Counter[str]) -> str:
    group = "secret" if "secret" in pattern.regex.groupindex else 0
    match: re.Match[str] | None = first
    pieces, copied = [], 0
    while match is not None:
        begin, end = match.span(group)
        name = None if text.startswith(REDACTED, begin) else pattern.name_of(match)
        if name is not None:
            pieces += [text[copied:begin], redacted(name)]
            copied = end
            counts[name] += 1
        # The value of a name that is not meant may hold a name that is.
        match = pattern.regex.search(text, begin if name is None and "name" in pattern.regex.groupindex else end)
    return "".join([*pieces, text[copied:]])
