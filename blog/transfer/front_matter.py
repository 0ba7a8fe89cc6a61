"""Markdown files with fields before the text, as Hugo, Jekyll and Ghost export them: YAML between two lines of dashes.

Of YAML only what such files need is read: no aliases (which can make a gigabyte of a line), no tags, no nesting without
end; and of what YAML 1.1 takes for numbers or truth (`12:30`, `on`, `1e3`, `007`) nothing but what is plainly meant.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import yaml

from blog.rendering import LONGEST_BODY_BYTES

LONGEST_FIELDS = 64 * 1024
LONGEST_BODY = LONGEST_BODY_BYTES + 256 * 1024  # links to pictures are a little longer in a file
_DEEPEST, _SEVERAL_LINES = 8, frozenset({"excerpt", "summary", "description"})

_FENCE = re.compile(r"---[ \t]*\r?\n")
_END = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_LINE_END = re.compile(r"\r?\n")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,15}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(rf"({_DATE.pattern})[Tt ] *(\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?) *(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_TO_ESCAPE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")

Fields = dict[str, Any]
"""Strings, booleans, whole numbers, dates, times, None, and lists of these; read from a file also mappings."""


class FrontMatterFault(ValueError):
    """The file cannot be read, or the fields cannot be written; the message says why and where."""


def parse(text: str) -> tuple[Fields, str]:
    """Give the fields of a file and the text after them; no fields if it does not begin with a line of dashes.

    One empty line between the two belongs to neither. A time without a zone comes back without one.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > LONGEST_FIELDS + LONGEST_BODY:
        raise FrontMatterFault("The file is longer than 1 MiB, which is the most for a text.")
    if re.match(r"\+\+\+[ \t]*\r?\n", text):
        raise FrontMatterFault("The fields are in TOML (+++). Convert them to YAML (---) first.")
    begin = _FENCE.match(text)
    if not begin:
        return {}, text
    end = _END.search(text, begin.end())
    if end and end.start() - begin.end() > LONGEST_FIELDS:
        raise FrontMatterFault(f"The fields are longer than {LONGEST_FIELDS // 1024} KiB.")
    if not end:
        raise FrontMatterFault("The fields begin in line 1 and no line of three dashes ends them.")
    gap = _LINE_END.match(text, end.end()) or end
    return _read(text[begin.end() : end.start()]), text[gap.end() :]


def write(fields: Mapping[str, Any], body: str) -> str:
    """Give the file. `parse` gives back the same fields and text; times come back in UTC."""
    written = "".join(f"{_write_key(name)}: {_write_value(name, value)}\n" for name, value in fields.items())
    if len(written) > LONGEST_FIELDS:
        raise FrontMatterFault(f"The fields are longer than {LONGEST_FIELDS // 1024} KiB.")
    if len(body) > LONGEST_BODY:
        raise FrontMatterFault("The text is longer than 1 MiB.")
    return f"---\n{written}---\n\n{body}"


class _Loader(yaml.SafeLoader):
    """Composes no more than what is written down, and not deeper than a person would nest."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        line = event.start_mark.line + 2
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise FrontMatterFault(f"Line {line}: aliases (& and *) are not read.")
        if event.tag:
            raise FrontMatterFault(f"Line {line}: types (!) are not read.")
        if self._depth >= _DEEPEST:
            raise FrontMatterFault(f"Line {line}: nested too deeply.")
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _read(source: str) -> Fields:
    try:
        node = yaml.compose(source, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"Line {mark.line + 2}: " if mark else ""
        raise FrontMatterFault(f"{where}this is not YAML ({error.problem or error.context}).") from None
    except FrontMatterFault:
        raise
    except (yaml.YAMLError, ValueError, OverflowError):
        raise FrontMatterFault("The fields hold characters that YAML does not allow.") from None
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise FrontMatterFault("Between the dashes there must be fields, each a name, a colon and a value.")
    return {name: _check_lines(name, value) for name, value in _read_mapping(node).items()}


def _read_mapping(node: yaml.MappingNode) -> Fields:
    fields: Fields = {}
    for key, value in node.value:
        line = key.start_mark.line + 2
        if not isinstance(key, yaml.ScalarNode) or _UNWRITABLE.search(key.value):
            raise FrontMatterFault(f"Line {line}: the name of a field must be a word.")
        if key.value in fields:
            raise FrontMatterFault(f"Line {line}: there are two fields {key.value[:100]!r}.")
        fields[key.value] = _read_value(value)
    return fields


def _read_value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _read_mapping(node)
    if isinstance(node, yaml.SequenceNode):
        return [_read_value(item) for item in node.value]
    if _UNWRITABLE.search(node.value):
        raise FrontMatterFault(f"Line {node.start_mark.line + 2}: a character that cannot be shown.")
    return node.value if node.style else _read_plain(node.value)


def _read_plain(text: str) -> Any:
    """Give what a value without quotes means, when it is plain to see; else its words."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text in ("", "~", "null"):
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        if found := _TIME.fullmatch(text):
            return datetime.fromisoformat(f"{found[1]}T{found[2]}{(found[3] or '').upper()}")
    except ValueError:
        pass
    return text


def _check_lines(name: str, value: Any) -> Any:
    """Refuse line breaks in what is shown on one line; those that end a block of YAML are no part of it."""
    if isinstance(value, list):
        return [_check_lines("", item) for item in value]
    if not isinstance(value, str) or name in _SEVERAL_LINES:
        return value
    value = value.rstrip("\n")
    if "\n" in value or "\r" in value:
        raise FrontMatterFault(f"The field {name or 'in a list'!r} may not have more than one line.")
    return value


def _write_key(name: str) -> str:
    if not _KEY.fullmatch(name) or _read_plain(name) != name:
        raise FrontMatterFault(f"{name[:100]!r} cannot be the name of a field.")
    return name


def _write_value(name: str, value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and _INTEGER.fullmatch(str(value)):
        return str(value)
    if isinstance(value, str):
        return _write_words(name, value)
    if isinstance(value, datetime):
        return _write_time(name, value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple) and not any(isinstance(item, list | tuple) for item in value):
        return f"[{', '.join(_write_value('', item) for item in value)}]"
    raise FrontMatterFault(f"The field {name!r} cannot be written: {type(value).__name__}.")


def _write_words(name: str, words: str) -> str:
    """Between double quotes whatever it is, as JSON writes it, which every reader of YAML takes for the same words."""
    if _UNWRITABLE.search(words) or "\r" in words:
        raise FrontMatterFault(f"The field {name or 'in a list'!r} holds a character that a file cannot.")
    if "\n" in words and name not in _SEVERAL_LINES:
        raise FrontMatterFault(f"The field {name or 'in a list'!r} may not have more than one line.")
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(words, ensure_ascii=False))


def _write_time(name: str, time: datetime) -> str:
    if time.tzinfo is None:
        raise FrontMatterFault(f"The time in {name!r} has no time zone.")
    try:
        return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise FrontMatterFault(f"The time in {name!r} is beyond the calendar.") from None
