"""Dates follow the language of the site; a language that nobody knows falls back to English."""

from datetime import UTC, date, datetime

import pytest

from storage import clock
from tests.support import Site
from web.dates import write_day
from web.site.queries import change_site

DAY = date(2026, 3, 21)


@pytest.mark.parametrize(
    ("language", "long", "short", "month"),
    [
        ("ja", "2026年3月21日", "2026/03/21", "3月"),
        ("sw", "21 Machi 2026", "21 Mac 2026", "Machi"),  # after Japanese, whose months it must not take
        ("en", "21 March 2026", "21 Mar 2026", "March"),
        ("en-US", "March 21, 2026", "Mar 21, 2026", "March"),
        ("de", "21. März 2026", "21.03.2026", "März"),
        ("de-CH", "21. März 2026", "21.03.2026", "März"),
        ("fr", "21 mars 2026", "21 mars 2026", "mars"),
        ("ar", "21 مارس 2026", "21\u200f/03\u200f/2026", "مارس"),
        ("pl", "21 marca 2026", "21 mar 2026", "marzec"),
        ("zh-Hant-TW", "2026年3月21日", "2026年3月21日", "3月"),
        ("de-XX", "21. März 2026", "21.03.2026", "März"),
        ("tlh", "21 March 2026", "21 Mar 2026", "March"),
        ("xx-Yyyy-999", "21 March 2026", "21 Mar 2026", "March"),
    ],
)
def test_a_day_is_written_as_the_language_writes_it(language: str, long: str, short: str, month: str) -> None:
    assert write_day(DAY, language, "long") == long
    assert write_day(DAY, language, "medium") == short
    assert write_day(DAY.replace(day=1), language, "LLLL") == month


ON_PAGES = [
    ("de", "", "22. März 2026", "März"),
    ("fr", "", "22 mars 2026", "mars"),
    ("ja", "", "2026年3月22日", "3月"),
    ("ar", ' dir="rtl"', "22 مارس 2026", "مارس"),
]


def test_pages_are_in_the_language_and_the_time_zone_of_the_site(site: Site) -> None:
    late = clock.from_datetime(datetime(2026, 3, 21, 23, 30, tzinfo=UTC))
    site.post(title="Late", slug="late", publish_at=late)
    visitor = site.client()
    assert "21 March 2026" in visitor.get("/posts/late").text
    for language, direction, long, month in ON_PAGES:
        with site.database.transaction() as db:
            change_site(db, name="Site", tagline="", language=language, time_zone="Europe/Berlin")
        page, archive = visitor.get("/posts/late").text, visitor.get("/archive").text
        assert f">{long}</time>" in page
        assert f"<h3>{month}</h3>" in archive
        assert f'<html lang="{language}"{direction}>' in page
