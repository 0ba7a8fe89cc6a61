"""Pages beside the posts, and what readers see of their authors."""

import pytest

from blog.posts.content import RESERVED, prepare
from tests.support import Site
from web.errors import Invalid


def test_a_page_stands_at_its_own_address_and_in_no_list(site: Site) -> None:
    site.post("alan", title="About us", slug="about", kind="page", tags=["us"], body="We *are*.")
    answer = site.client().get("/about")
    assert answer.status_code == 200
    assert "We <em>are</em>." in answer.text
    for path in ("/", "/feed.xml", "/authors/alan"):
        assert "About us" not in site.client().get(path).text
    assert site.client().get("/tags/us").status_code == 404
    moved = site.client().get("/posts/about")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/about")


def test_the_api_makes_pages_and_says_where_they_are(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token('alan')}"}
    body = {"title": "Colophon", "kind": "page", "status": "published", "slug": "colophon"}
    made = site.client().post("/v1/posts", json=body, headers=headers).json
    assert (made["kind"], made["url"].rpartition("/")[2]) == ("page", "colophon")
    assert made["url"].count("/posts/") == 0
    changed = site.client().patch(f"/v1/posts/{made['id']}", json={"kind": "post"}, headers=headers).json
    assert changed["url"].endswith("/posts/colophon")
    moved = site.client().get("/colophon")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/posts/colophon")
    bad = site.client().post("/v1/posts", json={"title": "x", "kind": "book"}, headers=headers)
    assert (bad.status_code, [fault["field"] for fault in bad.json["errors"]]) == (422, ["kind"])


def test_a_former_address_of_a_page_leads_to_it(site: Site) -> None:
    site.post("alan", title="About us", slug="about", kind="page")
    fields = {"title": "About us", "slug": "we", "body": "x", "version": "1", "status": "published", "kind": "page"}
    assert site.client("alan").submit("/posts/about/edit", **fields).status_code == 303
    for path in ("/about", "/posts/about", "/posts/we"):
        moved = site.client().get(path)
        assert (moved.status_code, moved.headers["Location"]) == (301, "/we")


def test_a_post_is_not_found_where_pages_are_and_drafts_are_nobodys(site: Site) -> None:
    site.post("alan", slug="river")
    site.post("alan", slug="plan", kind="page", status="draft")
    assert site.client().get("/river").status_code == 404
    assert site.client().get("/plan").status_code == 404
    assert site.client("alan").get("/plan").status_code == 200
    for path in ("/nothing", "/Nothing", "/a--b", "/wp-login.php", "/%00"):
        assert site.client().get(path).status_code == 404


def test_no_page_takes_an_address_that_the_site_uses(site: Site) -> None:
    first = {rule.rule.split("/")[1] for rule in site.app.url_map.iter_rules()}
    used = {name.partition(".")[0] for name in first if name and not name.startswith("<")}
    assert used <= RESERVED
    for slug in sorted(used):
        with pytest.raises(Invalid):
            prepare({"title": "x", "slug": slug, "kind": "page"})
    assert prepare({"title": "x", "slug": "new", "kind": "post"}).slug == "new"
    assert site.post("alan", title="Login", kind="page").slug == "login-2"


def test_an_author_has_a_page_with_a_few_words_and_their_posts(site: Site) -> None:
    site.post("alan", title="River")
    site.post("ada", title="Engine")
    site.post("alan", title="Later", status="draft")
    alan = site.client("alan")
    saved = alan.submit("/account/profile", display_name="Alan T.", biography="Writes about\nrivers.")
    assert saved.status_code == 303
    page = site.client().get("/authors/alan").text
    assert "Alan T." in page
    assert "rivers." in page
    assert "River" in page
    assert "Engine" not in page
    assert "Later" not in page
    assert '<a class="p-author h-card" href="/authors/alan">Alan T.</a>' in site.client().get("/posts/river").text


def test_who_does_not_write_has_no_page(site: Site) -> None:
    for name in ("rita", "nobody", "%00", "ALAN"):
        assert site.client().get(f"/authors/{name}").status_code == 404
    assert "Nothing is published under this name yet." in site.client().get("/authors/ada").text


def test_a_profile_that_is_too_long_is_refused_with_what_was_typed(site: Site) -> None:
    alan = site.client("alan")
    answer = alan.submit("/account/profile", display_name="x" * 101, biography="y" * 501)
    assert answer.status_code == 422
    assert "y" * 501 in answer.text
    assert answer.text.count('class="error"') == 2
    assert alan.post("/account/profile", data={"display_name": "Me"}).status_code == 403
    assert site.client().get("/account/profile").status_code == 303


def test_times_that_an_author_types_are_read_in_their_own_zone(site: Site) -> None:
    alan = site.client("alan")
    profile = {"display_name": "Alan", "biography": "", "time_zone": "Asia/Tokyo"}
    assert alan.submit("/account/profile", **profile).status_code == 303
    assert "Asia/Tokyo time." in alan.get("/new").text
    form = {"title": "Soon", "status": "published", "publish_at": "2099-01-01T09:00"}
    assert alan.submit("/new", **form).status_code == 303
    headers = {"Authorization": f"Bearer {site.token('alan')}"}
    assert site.client().get("/v1/posts", headers=headers).json["items"][0]["published_at"] == "2099-01-01T00:00:00Z"
    assert 'value="2099-01-01T09:00"' in alan.get("/posts/soon/edit").text
    assert "UTC time." in site.client("ada").get("/new").text
    refused = alan.submit("/account/profile", display_name="Alan", biography="", time_zone="Moon/Crater")
    assert refused.status_code == 422
