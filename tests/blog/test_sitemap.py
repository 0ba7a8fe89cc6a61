"""The sitemap: every address that a visitor may read, in files of a bounded size."""

import pytest
from lxml import etree

from blog.feeds.maps import _MOST_ADDRESSES
from blog.posts.content import LONGEST_SLUG
from storage import clock
from tests.support import Site

NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
BASE = "http://localhost:8000"


def addresses(site: Site, path: str) -> list[str]:
    return [
        str(each) for each in etree.fromstring(site.client().get(path).data).xpath("//s:loc/text()", namespaces=NAMES)
    ]


@pytest.fixture
def filled(site: Site) -> Site:
    for number in range(5):
        # Two in one moment, across the end of a file.
        at = clock.now() - (10 - (number if number != 2 else 1)) * clock.DAY
        site.post(slug=f"post-{number}", publish_at=at)
    site.post(slug="hidden", visibility="members")
    site.post(slug="draft", status="draft")
    site.post(slug="later", publish_at=clock.now() + clock.DAY)
    site.post(slug="about", kind="page")
    return site


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blog.feeds.maps._MOST_ADDRESSES", 2)


@pytest.mark.usefixtures("small_files")
def test_a_large_site_has_an_index_of_files_and_each_address_once(filled: Site) -> None:
    files = addresses(filled, "/sitemap.xml")
    assert files == [f"{BASE}/sitemap.xml?part={number}" for number in (1, 2, 3)]
    found = [addresses(filled, file.removeprefix(BASE)) for file in files]
    assert found[0][0] == f"{BASE}/"
    assert [len(each) for each in found] == [3, 2, 2]
    everything = [address for each in found for address in each]
    expected = [f"{BASE}/", f"{BASE}/about", *(f"{BASE}/posts/post-{number}" for number in range(5))]
    assert sorted(everything) == sorted(expected)
    assert filled.client().get("/sitemap.xml?part=4").status_code == 404


@pytest.mark.usefixtures("small_files")
def test_what_comes_out_later_moves_nothing_to_another_file(filled: Site) -> None:
    before = [addresses(filled, f"/sitemap.xml?part={number}") for number in (1, 2, 3)]
    filled.post(slug="new")
    after = [addresses(filled, f"/sitemap.xml?part={number}") for number in (1, 2, 3, 4)]
    assert after == [*before, [f"{BASE}/posts/new"]]


def test_a_file_says_when_each_was_changed_last(site: Site) -> None:
    at = clock.now()
    site.post(slug="imported", publish_at=at - clock.DAY)
    site.post(slug="scheduled", publish_at=at)
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE posts SET updated_at = ?", (at - clock.HOUR,))
    file = etree.fromstring(site.client().get("/sitemap.xml?part=1").data)
    told = {
        each.findtext("s:loc", namespaces=NAMES): each.findtext("s:lastmod", namespaces=NAMES)
        for each in file.iterfind("s:url", NAMES)
    }
    assert told == {
        f"{BASE}/": None,
        f"{BASE}/posts/imported": clock.to_html_time(at - clock.HOUR),
        f"{BASE}/posts/scheduled": clock.to_html_time(at),
    }


def test_an_empty_site_has_a_map_with_its_home(site: Site) -> None:
    assert addresses(site, "/sitemap.xml") == addresses(site, "/sitemap.xml?part=1") == [f"{BASE}/"]


def test_a_file_of_the_longest_addresses_fits_the_page_cache(site: Site) -> None:
    site.post(slug="x" * LONGEST_SLUG)
    one = site.client().get("/sitemap.xml").text.split("</url>")[1]
    host = "https://" + "h" * 60
    assert _MOST_ADDRESSES * (len(one) - len(BASE) + len(host)) < 1.5 * 1024 * 1024
