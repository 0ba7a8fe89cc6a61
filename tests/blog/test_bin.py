"""The bin: what was deleted comes back whole for 30 days, as a draft, for those who may change it."""

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
