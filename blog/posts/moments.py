"""Local minutes, as people type them, and the moments that they stand for."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from storage import clock

_MINUTE = "%Y-%m-%dT%H:%M"
# What is no date in any year passes for one otherwise: `fromisoformat` takes a row of digits, and a NUL at the end.
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?", re.ASCII)
_NO_DATE = "Write the date and time like 2026-11-20 08:15."
_SKIPPED = "This minute does not exist there: the clocks are put forward over it. Choose another one."
_TWICE = "This minute comes twice there: the clocks are put back over it. Choose below which of the two you mean."


def minute_of(at: int, zone: ZoneInfo) -> str:
    """A moment as a form shows it."""
    return _local(at, zone).strftime(_MINUTE)


def offset_of(at: int, zone: ZoneInfo) -> str:
    """How far that zone's clocks are from UTC at a moment, for example `+01:00`."""
    return _offset(_local(at, zone))


def offsets_of(text: str | None, zone: ZoneInfo) -> list[str]:
    """The offsets that a local minute may have: one, two where it comes twice, none where it is no minute."""
    try:
        local = _read(text or "")
        found = [_offset(each) for each in _both(local, zone)]
    except (ValueError, OverflowError):
        return []
    return list(dict.fromkeys(found))


def parse_minute(
    text: str | None, zone: ZoneInfo, *, offset: str | None = None, shown: int | None = None
) -> int | None:
    """A local minute as a moment, None for an empty one. Raises ValueError with a sentence.

    Of a minute that comes twice `offset` says which one is meant: None, of whom nobody asked it, means the first.
    A minute that the form showed and nobody changed stays the moment it stands for, seconds included.
    """
    text = (text or "").strip()
    if not text:
        return None
    if shown is not None and minute_of(shown, zone) == text:
        is_other = offset and offset != offset_of(shown, zone) and offset in offsets_of(text, zone)
        if not is_other:
            return shown
    try:
        found = _both(_read(text), zone)
    except (ValueError, OverflowError):
        raise ValueError(_NO_DATE) from None
    if not found:
        raise ValueError(_SKIPPED)
    meant = found if offset is None or len(found) == 1 else [each for each in found if _offset(each) == offset]
    if not meant:
        raise ValueError(_TWICE)
    return clock.from_datetime(meant[0])


def _read(text: str) -> datetime:
    if not _LOCAL.fullmatch(text.strip()):
        raise ValueError(_NO_DATE)
    return datetime.fromisoformat(text.strip())


def _both(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """The moments when the clocks there show this: none, one or two, the first one first."""
    found = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    real = [each for each in found if each.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == local]
    return real[:1] if len({each.utcoffset() for each in real}) == 1 else real


def _offset(local: datetime) -> str:
    minutes = (local.utcoffset() or timedelta(0)) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _local(at: int, zone: ZoneInfo) -> datetime:
    return clock.to_datetime(at).astimezone(zone)
