"""The archive: every month in which something came out, in the site's time zone, whatever there is of it."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from blog.feeds.maps import _MOST_TITLES
from blog.feeds.queries import count_within, find_newest, find_place
from storage import clock
from tests.support import Site
from web.site.queries import change_site


def moment(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return clock.from_datetime(datetime(year, month, day, hour, minute, tzinfo=UTC))


@pytest.fixture
def filled(site: Site) -> Site:
    for number, at in enumerate([moment(2024, 3, 31, 22, 30), moment(2024, 3, 1), moment(1999, 12, 31, 23, 30)]):
        site.post(title=f"Post {number}", slug=f"post-{number}", publish_at=at)
    site.post("ada", title="For members", visibility="members", publish_at=moment(2024, 5, 2))
    site.post(title="Draft", status="draft", publish_at=moment(2024, 6, 2))
    site.post(title="Later", publish_at=clock.now() + clock.DAY)
    site.post(title="About", slug="about", kind="page", publish_at=moment(2024, 7, 2))
    return site


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blog.feeds.maps._MOST_TITLES", 2)


def months(page: str) -> list[tuple[str, str]]:
    """The months that an overview leads to, and how many posts each has."""
    return re.findall(r'<a href="/archive\?month=([^"]+)">[^<]*</a> \((\d+)\)', page)


def titles(page: str) -> list[str]:
    return re.findall(r"<bdi[^>]*>([^<]*)</bdi></a> <time", page)


def test_of_few_posts_it_shows_the_titles_by_year_and_month(filled: Site) -> None:
    page = filled.client().get("/archive").text
    assert titles(page) == ["Post 0", "Post 1", "Post 2"]
    assert re.findall(r"<h[23]>([^<]*)</h", page) == ["2024 (2)", "March", "1999 (1)", "December"]
    assert "/archive?month=" not in page
    assert titles(filled.client("rita").get("/archive").text)[0] == "For members"


@pytest.mark.usefixtures("few")
def test_of_more_it_counts_them_and_leads_to_each_month(filled: Site) -> None:
    page = filled.client().get("/archive").text
    assert titles(page) == []
    assert months(page) == [("2024-03", "2"), ("1999-12", "1")]
    assert re.findall(r"<h2>([^<]*)</h2>", page) == ["2024 (2)", "1999 (1)"]
    assert months(filled.client("rita").get("/archive").text)[0] == ("2024-05", "1")
    march = filled.client().get("/archive?month=2024-03").text
    assert titles(march) == ["Post 0", "Post 1"]
    assert 'href="http://localhost:8000/archive?month=2024-03"' in march
    assert 'href="/archive?month=1999-12"' in march
    assert "Next month" not in march
    # Members see the month that is theirs between the others.
    assert 'href="/archive?month=2024-05"' in filled.client("rita").get("/archive?month=2024-03").text
    december = filled.client().get("/archive?month=1999-12").text
    assert re.findall(r'month=([^"]+)"><span lang="en">Next month:', december) == ["2024-03"]
    assert "Previous month" not in december


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", [("2024-04", "1"), ("2024-03", "1"), ("2000-01", "1")]),
        ("America/Los_Angeles", [("2024-03", "1"), ("2024-02", "1"), ("1999-12", "1")]),
    ],
)
def test_months_are_those_of_the_time_zone_of_the_site(
    filled: Site, zone: str, expected: list[tuple[str, str]]
) -> None:
    with filled.database.transaction() as db:
        change_site(db, name="Site", tagline="", language="en", time_zone=zone)
    visitor = filled.client()
    assert months(visitor.get("/archive").text) == expected
    assert [len(titles(visitor.get(f"/archive?month={name}").text)) for name, _ in expected] == [1, 1, 1]


@pytest.mark.usefixtures("few")
def test_a_full_month_has_several_pages_and_no_post_is_on_two(site: Site) -> None:
    # Two of them in one moment, across the end of a page.
    for number, minute in enumerate([1, 2, 2, 3, 4]):
        site.post(title=f"Post {number}", slug=f"post-{number}", publish_at=moment(2024, 3, 1, 0, minute))
    site.post(title="Older", publish_at=moment(2024, 2, 1))
    path, found, pages = "/archive?month=2024-03", [], 0
    while path:
        page = site.client().get(path)
        assert page.status_code == 200
        assert ("canonical" in page.text) == (pages == 0)
        found += titles(page.text)
        pages += 1
        older = re.search(r'rel="next" href="([^"]*)"', page.text)
        path = older[1].replace("&amp;", "&") if older else ""
    assert (pages, sorted(found)) == (3, [f"Post {number}" for number in range(5)])
    assert (found[0], found[-1]) == ("Post 4", "Post 0")


@pytest.mark.parametrize(
    "query",
    [
        "month=2024-02", "month=2024-05", "month=2024-06", "month=2024-07", "month=2024-13", "month=2024-00",
        "month=0000-01", "month=0001-01", "month=9999-12", "month=2024-3", "month=", "month=x", "month=%00",
        "month=٢٠٢٤-03", "month=2024-03%0A", "month=2024-03&after=x", "month=2024-03&after=0~x", "after=0~x",
        "month=2024-03&after=0~6f6ccf0c-43f3-4e16-8bd5-7b9c1b4f29c0", "month=2024-03&after=" + "9" * 40,
    ],
)  # fmt: skip
def test_what_is_no_month_and_no_page_of_one_is_not_there(filled: Site, query: str) -> None:
    for zone in ("UTC", "Pacific/Kiritimati"):
        with filled.database.transaction() as db:
            change_site(db, name="Site", tagline="", language="en", time_zone=zone)
        assert filled.client().get(f"/archive?{query}").status_code == 404


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_first_year_of_all_is_counted_too(filled: Site, zone: str) -> None:
    with filled.database.transaction() as db:
        change_site(db, name="Site", tagline="", language="en", time_zone=zone)
        db.exec_driver_sql("UPDATE posts SET published_at = ? WHERE slug = 'post-2'", (clock.EARLIEST,))
    with filled.counted_statements() as statements:
        found = months(filled.client().get("/archive").text)
    name = found[-1][0]
    assert name in ("0001-01", "0001-02")
    # The centuries between are not gone through.
    assert len([each for each in statements if "posts" in each]) < 10
    assert titles(filled.client().get(f"/archive?month={name}").text) == ["Post 2"]


def test_an_empty_site_has_an_empty_archive(site: Site) -> None:
    assert "Nothing is published yet." in site.client().get("/archive").text


def test_the_overview_costs_as_many_statements_for_many_posts_as_for_one(site: Site) -> None:
    def statements() -> int:
        with site.counted_statements() as seen:
            assert site.client("rita").get("/archive").status_code == 200
        return len(seen)

    site.post(publish_at=moment(2024, 3, 1))
    before = statements()
    for number in range(5):
        site.post(slug=f"other-{number}", publish_at=moment(2010 + number, 3, 1))
    assert statements() == before


def test_what_counts_and_seeks_reads_the_index_once(filled: Site) -> None:
    by, at = filled.principal("rita"), clock.now()
    asked: dict[str, Any] = {
        "count": lambda db: count_within(db, [(0, 1), (1, 2)], by=by, at=at),
        "newest": lambda db: find_newest(db, by=by, at=at),
        "place": lambda db: find_place(db, by=by, at=at, number=1),
    }
    for name, ask in asked.items():
        with filled.counted_statements() as statements, filled.database.reading() as db:
            ask(db)
        with filled.database.reading() as db:
            plan = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[0]}", (0,) * statements[0].count("?")).all()
        steps = [row[-1] for row in plan if "posts" in row[-1]]
        bounds = "status=? AND is_hidden=? AND " + "published_at>? AND " * (name == "count") + "published_at<?"
        assert len(steps) == 1, steps
        assert steps[0].endswith(f"USING COVERING INDEX ix_posts_reading ({bounds})"), steps
        assert not any("TEMP B-TREE" in row[-1] for row in plan), plan


def test_a_page_of_titles_fits_the_page_cache(filled: Site) -> None:
    # The longest that a title and an address can be, all of it in characters that HTML must escape.
    assert _MOST_TITLES * (300 * len("&amp;") + 100 + 300) < 1024 * 1024
