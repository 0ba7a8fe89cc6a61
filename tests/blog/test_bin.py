"""The bin: what was deleted comes back whole for 30 days, as a draft, for those who may change it."""

import re
from datetime import datetime

import pytest

from eventlog.log.following import events_since
from storage import clock
from tests.support import Site, find_form_token


def test_a_deleted_post_comes_back_as_a_draft_with_its_address_and_its_revisions(site: Site) -> None:
    post = site.post("alan", title="River", slug="river", tags=["water"])
    alan = site.client("alan")
    alan.submit("/posts/river/delete", version="1")
    assert site.client().get("/posts/river").status_code == 410
    page = alan.get("/account/bin").text
    assert "River" in page
    path = f"/account/bin/{post.id}/restore"
    answer = alan.post(path, data={"csrf_token": find_form_token(page)})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/posts/river")
    assert alan.get("/posts/river").status_code == 200
    assert site.client().get("/posts/river").status_code == 404
    assert "Revision 1" in alan.get("/posts/river/revisions").text
    assert "River" not in alan.get("/account/bin").text
    with site.database.reading() as db:
        assert events_since(db, None, 0, 0)[-1].kind == "post.restored"
    assert alan.post(path, data={"csrf_token": find_form_token(alan.get("/account/bin").text)}).status_code == 404
    published = alan.post("/posts/river/publish", data={"csrf_token": find_form_token(alan.get("/posts/river").text)})
    assert published.status_code == 303
    assert site.client().get("/tags/water").status_code == 200


def test_strangers_do_not_find_it_and_editors_do(site: Site) -> None:
    post = site.post("alan", slug="river")
    site.client("alan").submit("/posts/river/delete", version="1")
    path = f"/account/bin/{post.id}/restore"
    ada = site.client("ada")
    assert "A post" not in ada.get("/account/bin").text
    assert ada.post(path, data={"csrf_token": ada.form_token()}).status_code == 404
    assert site.client("rita").get("/account/bin").status_code == 403
    assert site.client().post(path).status_code == 401
    edith = site.client("edith")
    assert "A post" in edith.get("/account/bin").text
    assert edith.post(path).status_code == 403  # without its form token
    assert edith.post(path, data={"csrf_token": edith.form_token()}).status_code == 303


def test_after_thirty_days_it_is_not_in_the_bin(site: Site) -> None:
    post = site.post("alan", slug="river")
    alan = site.client("alan")
    alan.submit("/posts/river/delete", version="1")
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE posts SET deleted_at = deleted_at - {30 * clock.DAY}")
    assert "A post" not in alan.get("/account/bin").text
    answer = alan.post(f"/account/bin/{post.id}/restore", data={"csrf_token": alan.form_token()})
    assert answer.status_code == 404


def test_the_bin_goes_on_until_the_oldest_and_shows_each_post_once(site: Site) -> None:
    alan = site.client("alan")
    for number in range(104):
        site.post("alan", title=f"Gone {number}", status="draft")
    with site.database.transaction() as db:
        # Many at one moment, so that pages end in the middle of those.
        db.exec_driver_sql(f"UPDATE posts SET deleted_at = {clock.now()} - (rowid / 40) * {clock.DAY}")
    path, seen, pages = "/account/bin", [], 0
    while path:
        page = alan.get(path).text
        seen += re.findall(r"<bdi>Gone (\d+)</bdi>", page)
        pages += 1
        found = re.search(r'rel="next" href="([^"]+)"', page)
        assert ('rel="prev" href="/account/bin"' in page) == (pages > 1)
        path = found[1] if found else ""
    assert pages == 3
    assert len(seen) == len(set(seen)) == 104


@pytest.mark.parametrize(
    "after",
    [
        "",
        "nonsense",
        "5",
        "x~6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
        "²~6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
        "9999999999999999999~6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
        "5~6f1cbd5e",
    ],
)
def test_a_place_that_is_none_is_no_page_of_the_bin(site: Site, after: str) -> None:
    assert site.client("alan").get("/account/bin", query_string={"after": after}).status_code == 404


@pytest.mark.parametrize("has_passed", [False, True])
def test_what_was_deleted_before_its_moment_was_never_out(site: Site, has_passed: bool) -> None:
    post = site.post("alan", slug="later", publish_at=clock.now() + clock.DAY)
    alan = site.client("alan")
    alan.submit("/posts/later/delete", version="1")
    if has_passed:
        with site.database.transaction() as db:
            db.exec_driver_sql(
                "UPDATE posts SET published_at = published_at - ?, deleted_at = deleted_at - ?", (3 * clock.DAY,) * 2
            )
    alan.post(f"/account/bin/{post.id}/restore", data={"csrf_token": alan.form_token()})
    program = site.client(token=site.token("alan"))
    assert program.get(f"/v1/posts/{post.id}").get_json()["published_at"] is None
    answer = program.patch(f"/v1/posts/{post.id}", json={"status": "published", "publish_at": None})
    assert _moment(answer) <= clock.now()
    assert site.client().get("/posts/later").status_code == 200


def test_what_was_out_keeps_its_date_in_the_bin(site: Site) -> None:
    post = site.post("alan", slug="river", publish_at=clock.now() - clock.DAY)
    alan = site.client("alan")
    alan.submit("/posts/river/delete", version="1")
    alan.post(f"/account/bin/{post.id}/restore", data={"csrf_token": alan.form_token()})
    alan.post("/posts/river/publish", data={"csrf_token": alan.form_token()})
    shown = site.client(token=site.token("alan")).get(f"/v1/posts/{post.id}")
    assert _moment(shown) == post.published_at


def test_the_address_of_a_post_in_the_bin_is_named_to_those_who_can_take_it_out(site: Site) -> None:
    site.post("alan", slug="river", status="draft")
    site.client("alan").submit("/posts/river/delete", version="1")
    for name, words in (("alan", "A post in your bin"), ("edith", "A post in your bin"), ("ada", "Another post has")):
        answer = site.client(token=site.token(name)).post("/v1/posts", json={"title": "New", "slug": "river"})
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["detail"].startswith(words)


def test_after_thirty_days_a_post_that_was_never_out_gives_its_addresses_back(site: Site) -> None:
    alan, program = site.client("alan"), site.client(token=site.token("ada"))
    post = site.post("alan", slug="brook", status="draft")
    alan.submit("/posts/brook/edit", title="A post", body="", slug="river", status="draft", version="1")
    alan.submit("/posts/river/delete", version="2")
    _age(site, days=30)
    assert program.post("/v1/posts", json={"title": "River"}).get_json()["slug"] == "river"
    brook = program.post("/v1/posts", json={"title": "New", "slug": "brook"})
    assert brook.status_code == 201
    # It can be given up again, and leads to where it went: nothing is left of who had it first.
    moved = program.patch(f"/v1/posts/{brook.get_json()['id']}", json={"slug": "stream", "status": "published"})
    assert moved.status_code == 200
    assert site.client().get("/posts/brook").headers["Location"] == "/posts/stream"
    assert alan.get(f"/v1/posts/{post.id}").status_code == 410


def test_an_address_that_readers_knew_stays_taken(site: Site) -> None:
    site.post("alan", slug="river")
    alan = site.client("alan")
    alan.submit("/posts/river/edit", title="A post", body="", slug="river", status="draft", version="1")
    alan.submit("/posts/river/delete", version="2")
    _age(site, days=30)
    answer = site.client(token=site.token("alan")).post("/v1/posts", json={"title": "New", "slug": "river"})
    assert answer.status_code == 422
    assert "has, or had" in answer.get_json()["errors"][0]["detail"]


def _age(site: Site, *, days: int) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE posts SET deleted_at = deleted_at - {days * clock.DAY}")


def _moment(answer) -> int:
    return clock.from_datetime(datetime.fromisoformat(answer.get_json()["published_at"]))
