"""Redaction: secrets leave a value before it is kept or handed on. Pure: it imports nothing of ours.

`shapes` knows secrets by how they look, `carriers` by what carries them, `fields` by the name before them; `readings`
reads a text as it stands and decoded. A secret without a shape, a carrier or a name is a word like any other: it is
the caller who must not pass it on.
"""

from collections import Counter, deque
from typing import TypeAlias

from eventlog.redaction import carriers, deeper, fields, readings, shapes
from eventlog.redaction.patterns import Pattern, cut, redacted

__all__ = ["JsonValue", "redact", "redact_deeply", "without_secrets"]

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

# Where a payload says what was redacted from it.
_COUNTS = "redacted"
_NAMED = (*carriers.PATTERNS, *fields.PATTERNS)
_NAMED_AND_PERSONS = (*_NAMED, *deeper.PATTERNS)
# A bare word shorter than this has no shape, and no room for a name or a carrier and what follows it.
_SHORTEST_SHAPE = 16


def redact(value: JsonValue) -> tuple[JsonValue, dict[str, int]]:
    """The value with every secret in its texts, and in the names of its fields, replaced by `[redacted: PATTERN]`.

    Also how many there were, by pattern. A text in which a secret was found only after decoding is kept decoded: what
    was cut out must not be left in another form. The value that came in is left as it is.
    """
    counts: Counter[str] = Counter()
    return _walk(value, _NAMED, counts), dict(sorted(counts.items()))


def without_secrets(text: str) -> str:
    """A text that is kept where it was typed, such as a reason or a label, without the secrets in it."""
    return str(redact(text)[0])


def redact_deeply(value: JsonValue) -> tuple[JsonValue, dict[str, int]]:
    """As `redact`, and also e-mail and IP addresses, and runs of 32 or more hexadecimal digits or signs of base64."""
    counts: Counter[str] = Counter()
    return _walk(value, _NAMED_AND_PERSONS, counts), dict(sorted(counts.items()))


def _walk(value: JsonValue, patterns: tuple[Pattern, ...], counts: Counter[str], field: str | None = None) -> JsonValue:
    if isinstance(value, str):
        if field is not None and not fields.stands_for_a_value(value):
            counts[field] += 1
            return redacted(field)
        return _text(value, patterns, counts)
    if field == "password" and isinstance(value, int | float) and not isinstance(value, bool):
        counts[field] += 1
        return redacted(field)
    if isinstance(value, list):
        return [_walk(item, patterns, counts, field) for item in value]
    if isinstance(value, dict):
        if field == _COUNTS:
            return value
        clean: dict[str, JsonValue] = {}
        for name, item in value.items():
            # Two names may differ in their secrets alone.
            free = _unique(_text(name, patterns, counts), clean)
            clean[free] = _walk(item, patterns, counts, _field_of(name, item, field))
        return clean
    return value


def _field_of(name: str, item: JsonValue, above: str | None) -> str | None:
    """What a field holds by its name. Counts of an earlier redaction are named by what was found, and hold none."""
    if name == _COUNTS and isinstance(item, dict) and all(isinstance(count, int) for count in item.values()):
        return _COUNTS
    return fields.pattern_below(name, above)


def _text(text: str, named: tuple[Pattern, ...], counts: Counter[str]) -> str:
    """What a name or a carrier says is cut out where it says so; a shape in the reading that shows all of it."""
    if len(text) < _SHORTEST_SHAPE and text.isidentifier():
        return text
    kept = cut(text, named, counts)
    if not readings.has_others(kept):
        return cut(kept, shapes.PATTERNS, counts)
    waiting, seen = deque([(kept, 0)]), {kept}
    while waiting:
        reading, depth = waiting.popleft()
        for read in readings.READERS:
            decoded = read(reading)
            if decoded in seen:
                continue
            clean = cut(decoded, named, counts)
            seen |= {decoded, clean}
            if clean != decoded or _shows_more(read, reading, decoded):
                kept = clean
                waiting.clear()
            if depth < readings.DEEPEST:
                waiting.append((clean, depth + 1))
    return cut(kept, shapes.PATTERNS, counts)


def _shows_more(read: readings.Read, reading: str, decoded: str) -> bool:
    """Whether a secret, or a part of one, can be seen only after decoding."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    is_more = cut(decoded, shapes.PATTERNS, after) != read(cut(reading, shapes.PATTERNS, before))
    return is_more and after.total() >= before.total()


def _unique(name: str, taken: dict[str, JsonValue]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
