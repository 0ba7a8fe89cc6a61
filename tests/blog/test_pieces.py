"""Pieces of pages are kept while pages change around them, and never longer than they are true."""

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup

from blog.posts.model import Post
from storage import clock
from tests.support import Site
from web.site.queries import change_site


def entries(site: Site, path: str = "/", *, name: str | None = None) -> list[str]:
    soup = BeautifulSoup(site.client(name).get(path).text, "html5lib")
    return [" ".join(entry.get_text(" ").split()) for entry in soup.select("article.h-entry")]


def test_an_entry_is_made_once_however_often_its_list_is_made_anew(site: Site) -> None:
    environment = site.app.jinja_env
    made, write = list[int](), environment.filters["short_date"]

    def note(at: int, *more: object) -> str:
        made.append(at)
        return str(write(at, *more))

    environment.filters["short_date"] = note
    for number in range(3):
        site.post(title=f"Post {number}", tags=["sea"])
        assert len(entries(site)) == len(made) == number + 1
    # One of a tag's, and of an author's, is the same.
    assert len(entries(site, "/tags/sea")) == len(entries(site, "/authors/alan")) == len(made) == 3


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda client, post: client.patch(f"/v1/posts/{post}", json={"version": 1, "title": "New"}), "New"),
        (lambda client, post: client.patch(f"/v1/posts/{post}", json={"version": 1, "excerpt": "Short."}), "Short."),
        (lambda client, post: client.patch(f"/v1/posts/{post}", json={"version": 1, "tags": ["glacier"]}), "glacier"),
        (
            lambda client, post: client.patch(f"/v1/posts/{post}", json={"version": 1, "visibility": "members"}),
            "Members",
        ),
    ],
)
def test_an_entry_shows_what_was_changed(site: Site, change: Callable[..., object], shown: str) -> None:
    post = site.post(title="Old", body="A text.", tags=["sea"])
    assert shown not in entries(site)[0]
    change(site.client(token=site.token("alan")), post.id)
    (entry,) = entries(site, name="rita")
    assert shown in entry


def test_an_entry_is_written_as_the_site_writes_now(site: Site) -> None:
    site.post(title="New year", publish_at=clock.now() - clock.HOUR)
    written = []
    for language, zone in (("en", "Pacific/Kiritimati"), ("en", "Pacific/Niue"), ("ja", "Pacific/Niue")):
        with site.database.transaction() as db:
            change_site(db, name="Site", tagline="", language=language, time_zone=zone)
        written.append(entries(site))
    # It is never the same day in both places.
    assert written[0] != written[1] != written[2]


def page_of(site: Site, post: Post, *, name: str | None = None) -> str:
    answer = site.client(name).get(post.path)
    assert answer.status_code == 200
    return answer.text


def changing(site: Site, **fields: Any) -> Callable[[Post], object]:
    return lambda post: site.client(token=site.token("alan")).patch(
        f"/v1/posts/{post.id}", json={"version": post.version, **fields}
    )


def putting_before(site: Site, **fields: Any) -> Callable[[Post], object]:
    return lambda post: site.post(publish_at=(post.published_at or 0) - clock.HOUR, **fields)


def renaming_alan(site: Site) -> Callable[[Post], object]:
    return lambda _post: site.client("alan").submit(
        "/account/profile", display_name="Alan the Writer", biography="", time_zone=""
    )


def renaming_the_site(site: Site) -> Callable[[Post], object]:
    def rename(_post: Post) -> None:
        with site.database.transaction() as db:
            change_site(db, name="Another name", tagline="", language="en", time_zone="UTC")

    return rename


@pytest.mark.parametrize(
    ("change", "fields", "shown"),
    [
        (changing, {"title": "New"}, ">New</h1>"),
        (changing, {"title": "New"}, '<meta property="og:title" content="New">'),
        (changing, {"title": "long " * 13}, 'class="title long p-name"'),
        (changing, {"excerpt": "Short."}, '<data class="p-summary" value="Short."'),
        (changing, {"excerpt": "Short."}, '<meta name="description" content="Short.">'),
        (changing, {"tags": ["glacier"]}, 'href="/tags/glacier"'),
        (changing, {"visibility": "members"}, "For members"),
        (changing, {"lang": "ar"}, 'class="h-entry post" lang="ar" dir="rtl"'),
        (changing, {"lang": "ar"}, '<time lang="en" class="dt-published"'),
        (changing, {"body": "word " * 1000}, "5 min to read"),
        (putting_before, {"title": "Before"}, "<bdi>Before</bdi>"),
        (putting_before, {"title": "Before", "lang": "fr"}, '<bdi lang="fr">Before</bdi>'),
        (renaming_alan, {}, ">Alan the Writer</a>"),
        (renaming_alan, {}, "<bdi>Alan the Writer</bdi>"),
        (renaming_the_site, {}, '<meta property="og:site_name" content="Another name">'),
    ],
)
def test_the_page_of_a_post_shows_what_was_changed(
    site: Site, change: Callable[..., Callable[[Post], object]], fields: dict[str, Any], shown: str
) -> None:
    post = site.post(title="Old", body="A text.", tags=["sea"])
    # Twice, for it is made anew for whoever is signed in.
    assert shown not in page_of(site, post, name="rita") + page_of(site, post, name="rita")
    change(site, **fields)(post)
    assert shown in page_of(site, post, name="rita")


def test_what_an_author_wrote_stands_in_pieces_as_it_was_written(site: Site) -> None:
    words = '"><b>&amp;</b> <script>'
    site.client("alan").submit("/account/profile", display_name=words, biography="", time_zone="")
    site.post(title=f"{words} before", publish_at=clock.now() - clock.HOUR)
    post = site.post(title=words, excerpt=words, tags=["r&d"])
    for _again in range(2):
        soup = BeautifulSoup(page_of(site, post, name="rita"), "html5lib")
        assert soup.select_one("h1").text == words
        assert soup.select_one(".p-summary")["value"] == words
        assert soup.select_one(".p-author").text == soup.select_one(".follow bdi").text == words
        assert soup.select_one(".pager [rel=prev] bdi").text == f"{words} before"
        assert soup.select_one(".p-category").text == "r&d"
        assert soup.select_one("meta[property='og:title']")["content"] == words
    listed = BeautifulSoup(site.client().get("/").text, "html5lib").select_one("article.h-entry")
    assert [listed.select_one(each).text for each in ("h2", ".p-author", ".p-summary")] == [words] * 3


def test_a_page_beside_the_posts_has_a_title_and_nothing_else_above_its_text(site: Site) -> None:
    soup = BeautifulSoup(page_of(site, site.post(title="About", kind="page")), "html5lib")
    assert soup.select_one("h1").text == "About"
    assert soup.select(".meta, .follow, .pager") == []


def test_a_granted_post_says_so_and_the_card_of_one_for_members_names_the_site(site: Site) -> None:
    assert "For those whom it was granted" in page_of(site, site.post(visibility="granted"), name="alan")
    renaming_the_site(site)(site.post())
    withheld = site.client().get(site.post(visibility="members").path)
    assert withheld.status_code == 401
    assert '<meta property="og:site_name" content="Another name">' in withheld.text


def test_the_page_of_a_post_is_written_as_the_site_writes_now(site: Site) -> None:
    site.post(publish_at=clock.now() - 2 * clock.HOUR)
    post, dates, languages = site.post(publish_at=clock.now() - clock.HOUR, lang="en"), [], []
    for language, zone in (("en", "Pacific/Kiritimati"), ("en", "Pacific/Niue"), ("ja", "Pacific/Niue")):
        with site.database.transaction() as db:
            change_site(db, name="Site", tagline="", language=language, time_zone=zone)
        soup = BeautifulSoup(page_of(site, post), "html5lib")
        dates.append(soup.select_one(".dt-published").text)
        languages.append(soup.select_one(".pager bdi").get("lang"))
    assert dates[0] != dates[1] != dates[2]
    assert languages == [None, None, "ja"]


def test_each_sees_in_their_own_zone_when_a_draft_was_changed(site: Site) -> None:
    draft, seen = site.post(status="draft"), []
    for name, zone in (("alan", "Pacific/Kiritimati"), ("edith", "Pacific/Niue"), ("olive", None)):
        with site.database.transaction() as db:
            db.exec_driver_sql("UPDATE users SET time_zone = ? WHERE username = ?", (zone, name))
        seen.append(BeautifulSoup(page_of(site, draft, name=name), "html5lib").select_one(".meta").text)
    assert "Changed" in seen[0]
    assert len(set(seen)) == len(seen)
