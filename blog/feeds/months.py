"""The months of a calendar in a time zone: where each begins, and which one a moment falls into."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from storage import clock

_NAME = re.compile(r"(?!0000)(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_LAST_YEAR = 9999


class Month(NamedTuple):
    """One month, `Month(2026, 11)`."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """As addresses have it: `2026-11`."""
        return f"{self.year:04}-{self.number:02}"

    def start(self, zone: ZoneInfo) -> int:
        """Its first moment there."""
        if self.year > _LAST_YEAR:
            return clock.LATEST + clock.DAY
        return clock.from_datetime(datetime(self.year, self.number, 1, tzinfo=zone))

    def end(self, zone: ZoneInfo) -> int:
        """The first moment after it."""
        following = Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)
        return following.start(zone)

    def middle(self, zone: ZoneInfo) -> int:
        """Some moment in it, of which `datetime` can say the date in any year and zone."""
        return self.start(zone) + 10 * clock.DAY


def parse_month(name: str) -> Month | None:
    """The month of that name; None: there is none."""
    found = _NAME.fullmatch(name)
    return None if found is None else Month(int(found[1]), int(found[2]))


def month_of(at: int, zone: ZoneInfo) -> Month:
    """The month that a moment falls into there."""
    local = clock.to_datetime(at).astimezone(zone)
    return Month(local.year, local.month)


def backwards(month: Month) -> Iterator[Month]:
    """That month, the one before it, and so on."""
    while month.year > 0:
        yield month
        month = Month(month.year - 1, 12) if month.number == 1 else Month(month.year, month.number - 1)
