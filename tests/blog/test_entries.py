"""Entries of lists are kept while lists change around them, and never longer than they are true."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup

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
