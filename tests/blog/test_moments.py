"""Local minutes that come twice, or never: whoever types one is asked, or told, and nothing is guessed in silence."""

import re
from zoneinfo import ZoneInfo

import pytest

from blog.posts.moments import offset_of, offsets_of, parse_minute
from blog.posts.zones import zone_named
from storage import clock
from tests.support import Client, Site

BERLIN = ZoneInfo("Europe/Berlin")
TWICE = "2027-10-31T02:30"
FIRST, SECOND = "2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"
FIELDS = {"title": "Autumn", "body": "Words.", "status": "published"}


@pytest.fixture
def alan(site: Site) -> Client:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET time_zone = 'Europe/Berlin' WHERE username = 'alan'")
    return site.client("alan")


def moment(site: Site) -> str:
    with site.database.reading() as db:
        return clock.to_rfc3339(db.exec_driver_sql("SELECT publish_at FROM posts").scalar_one())


def choices(page: str) -> list[tuple[str, bool]]:
    """The offsets to choose from, and which of them is chosen."""
    inputs = re.findall(r'<input[^>]*name="publish_offset"[^>]*>', page)
    radios = [each for each in inputs if 'type="radio"' in each]
    return [(re.findall(r'value="([^"]*)"', each)[0], "checked" in each) for each in radios]


@pytest.mark.parametrize(("chosen", "expected"), [("+02:00", FIRST), ("+01:00", SECOND)])
def test_a_minute_that_comes_twice_is_asked_about_and_shown_as_chosen(
    site: Site, alan: Client, chosen: str, expected: str
) -> None:
    page = alan.get("/new").text
    assert '<input type="hidden" name="publish_offset" value="">' in page
    asked = alan.submit("/new", **FIELDS, publish_at=TWICE, publish_offset="")
    assert asked.status_code == 422
    assert "This minute comes twice there" in asked.text
    assert choices(asked.text) == [("+02:00", True), ("+01:00", False)]
    assert "Words." in asked.text
    assert site.rows("posts") == 0
    assert alan.submit("/new", **FIELDS, publish_at=TWICE, publish_offset=chosen).status_code == 303
    assert moment(site) == expected
    page = alan.get("/posts/autumn/edit").text
    assert choices(page) == [(each, each == chosen) for each in ("+02:00", "+01:00")]
    assert "The second, UTC+01:00" in page
    # Saved as it is shown, it stays; chosen otherwise, it moves.
    same = {"publish_at": TWICE, "publish_offset": chosen}
    assert alan.submit("/posts/autumn/edit", version="1", **FIELDS | same | {"title": "Winter"}).status_code == 303
    assert moment(site) == expected
    other = {"publish_at": TWICE, "publish_offset": "+01:00" if chosen == "+02:00" else "+02:00"}
    assert alan.submit("/posts/autumn/edit", version="2", **FIELDS | other).status_code == 303
    assert moment(site) == (SECOND if expected == FIRST else FIRST)


def test_a_choice_is_none_for_another_minute(site: Site, alan: Client) -> None:
    assert alan.submit("/new", **FIELDS, publish_at="2027-12-01T08:00", publish_offset="+02:00").status_code == 303
    assert moment(site) == "2027-12-01T07:00:00Z"
    for nonsense in ("+05:00", "x", "\x00", "+01:00" * 500):
        answer = alan.submit("/posts/autumn/edit", version="1", **FIELDS, publish_at=TWICE, publish_offset=nonsense)
        assert answer.status_code == 422
        assert choices(answer.text) == [("+02:00", True), ("+01:00", False)]
    assert moment(site) == "2027-12-01T07:00:00Z"


def test_on_a_merge_page_the_choice_of_the_other_is_taken_over_and_ones_own_is_kept(site: Site, alan: Client) -> None:
    assert alan.submit("/new", **FIELDS, publish_at=TWICE, publish_offset="+02:00").status_code == 303
    moved = {"publish_at": TWICE, "publish_offset": "+01:00", "time_zone": "Europe/Berlin"}
    assert site.client("edith").submit("/posts/autumn/edit", version="1", **FIELDS | moved).status_code == 303
    mine = {"version": "1", "body": "Mine.", "publish_at": TWICE}
    met = alan.submit("/posts/autumn/edit", **FIELDS | mine | {"publish_offset": "+02:00"})
    assert met.status_code == 409
    assert choices(met.text) == [("+02:00", False), ("+01:00", True)]


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Nowhere/Land", "../../etc/passwd", "\x00", "x" * 5000, "Europe", ""]
)
def test_a_form_is_read_in_the_zone_it_showed_and_a_zone_that_is_none_is_ones_own(
    site: Site, alan: Client, zone: str
) -> None:
    answer = alan.submit("/new", **FIELDS, publish_at="2027-07-01T12:00", time_zone=zone)
    assert answer.status_code == 303
    assert moment(site) == "2027-07-01T10:00:00Z"
    assert zone_named(zone, BERLIN) == BERLIN


def test_the_two_moments_of_a_minute() -> None:
    for offset, expected in ((None, FIRST), ("+02:00", FIRST), ("+01:00", SECOND)):
        at = parse_minute(TWICE, BERLIN, offset=offset, shown=None)
        assert at is not None
        assert clock.to_rfc3339(at) == expected
        assert offset is None or offset_of(at, BERLIN) == offset
    assert offsets_of(TWICE, BERLIN) == ["+02:00", "+01:00"]
    assert offsets_of("2027-03-28T02:30", BERLIN) == []  # it does not exist
    assert offsets_of("2027-10-31T03:00", BERLIN) == ["+01:00"]
    assert offsets_of("2027-04-04T01:45", ZoneInfo("Australia/Lord_Howe")) == ["+11:00", "+10:30"]
    for text in ("", None, "soon", "0001-01-01T00:00", "2027-10-31T02:30\x00"):
        assert offsets_of(text, BERLIN) == []
