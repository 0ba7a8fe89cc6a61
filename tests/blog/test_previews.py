"""Preview links: whoever has one reads the draft, until it expires or is taken back."""

import re

import pytest
from structlog.testing import capture_logs

from storage import clock
from tests.support import Client, Site


@pytest.fixture
def alan(site: Site) -> Client:
    site.post("alan", title="River", slug="river", status="draft", body="Some *words* before.")
    return site.client("alan")


def link_of(client: Client, days: str = "7") -> str:
    page = client.submit("/posts/river/previews", days=days)
    assert page.status_code == 200
    found = re.search(r"/preview/[\w-]{43}", page.text)
    assert found is not None
    return found[0]


def test_a_link_opens_the_draft_for_a_stranger_and_for_no_search_engine(site: Site, alan: Client) -> None:
    link = link_of(alan)
    answer = site.client().get(link)
    assert answer.status_code == 200
    assert "Some <em>words</em> before." in answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert 'rel="canonical"' not in answer.text
    assert site.client().get("/posts/river").status_code == 404
    assert link.rpartition("/")[2] not in alan.get("/posts/river/previews").text


def test_a_link_that_opens_something_is_logged_without_what_opens_it(site: Site, alan: Client) -> None:
    link = link_of(alan)
    for client in (site.client(), alan):
        with capture_logs() as lines:
            assert client.get(link).status_code == 200
        assert [line["path"] for line in lines] == ["/preview/…"]


def test_a_link_that_was_revoked_or_has_expired_opens_nothing(site: Site, alan: Client) -> None:
    first, second = link_of(alan), link_of(alan)
    page = alan.get("/posts/river/previews").text
    revoke = re.findall(r'action="(/posts/river/previews/[^"]+/revoke)"', page)
    assert len(revoke) == 2
    assert alan.submit(revoke[1], page="/posts/river/previews").status_code == 303
    assert [site.client().get(link).status_code for link in (first, second)] == [404, 200]
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE preview_links SET expires_at = {clock.now()}")
    assert site.client().get(second).status_code == 404
    assert alan.submit(revoke[1], page="/posts/river/previews").status_code == 404


def test_a_link_opens_nothing_when_its_post_is_deleted(site: Site, alan: Client) -> None:
    link = link_of(alan)
    alan.submit("/posts/river/delete", version="1")
    assert site.client().get(link).status_code == 404


@pytest.mark.parametrize("days", ["0", "91", "-1", "x", "", "9" * 50])
def test_a_number_of_days_that_is_none_is_refused_beside_its_field(alan: Client, days: str) -> None:
    page = alan.submit("/posts/river/previews", days=days)
    assert page.status_code == 422
    assert "Use a number of days from 1 to 90." in page.text


def test_only_who_may_change_the_post_makes_links(site: Site, alan: Client) -> None:
    assert site.client().get("/posts/river/previews").status_code == 303
    assert site.client("ada").get("/posts/river/previews").status_code == 404
    assert site.client("rita").get("/posts/river/previews").status_code == 403
    assert alan.post("/posts/river/previews", data={"days": "7"}).status_code == 403
    assert site.client("edith").get("/posts/river/previews").status_code == 200
    assert site.rows("preview_links") == 0


@pytest.mark.parametrize("token", ["x", "%00", "a" * 5000, "%ff%fe", "..%2f"])
def test_what_is_no_token_opens_nothing(site: Site, token: str) -> None:
    assert site.client().get(f"/preview/{token}").status_code == 404
