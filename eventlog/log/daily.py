"""Days as people count them, in the site's time zone, and how many events each of them had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage import clock

SHOWN_DAYS = 30
# What the picture is drawn in; the style sheet stretches it.
WIDTH, HEIGHT = 300, 100
_STEP = WIDTH // SHOWN_DAYS
_BAR_WIDTH = _STEP - 2
# A day with one event among thousands is still to be seen.
_LOWEST = 1.5


@dataclass(frozen=True, slots=True)
class Bar:
    """One day in the picture."""

    day: date
    count: int
    x: int
    y: float
    width: int
    height: float


def day_of(at: int, zone: ZoneInfo) -> date:
    """The day on which a moment lies."""
    return clock.to_datetime(at).astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> int:
    """The moment at which a day begins; where a clock that was put forward has no midnight, the first one after it."""
    return clock.from_datetime(datetime.combine(day, time(), zone))


def span_of(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Where a day begins and where the next one does: 23 to 25 hours, mostly 24."""
    return start_of(day, zone), start_of(day + timedelta(days=1), zone)


def last_days(today: date) -> list[date]:
    """The days that are shown, the last of them today."""
    return [today - timedelta(days=back) for back in reversed(range(SHOWN_DAYS))]


def boundaries_of(days: Sequence[date], zone: ZoneInfo) -> list[int]:
    """Where each day begins, and where the last one ends."""
    return [*(start_of(day, zone) for day in days), span_of(days[-1], zone)[1]]


def draw(days: Sequence[date], counts: Sequence[int]) -> list[Bar]:
    """A bar for each day, the highest as high as the picture."""
    most = max(counts) or 1
    bars = []
    for number, (day, count) in enumerate(zip(days, counts, strict=True)):
        height = max(_LOWEST, round(count * HEIGHT / most, 1)) if count else 0
        bars.append(Bar(day, count, number * _STEP + 1, round(HEIGHT - height, 1), _BAR_WIDTH, height))
    return bars
