"""What the owner says of the site."""

import pytest

from tests.support import Site

GOOD = {"name": "Notes", "tagline": "on things", "language": "de-CH", "time_zone": "Europe/Zurich"}


def test_every_page_shows_them_at_once(site: Site) -> None:
    olive = site.client("olive")
    assert olive.submit("/admin/settings", **GOOD).status_code == 303
    home = site.client().get("/").text
    assert "Notes" in home
    assert "on things" in home
    assert 'lang="de-CH"' in home
    assert "Notes" in site.client().get("/feed.xml").text


BAD = [
    ("name", ""), ("name", "x" * 101), ("name", "a\x00b"), ("name", "x" * 1_000_000), ("tagline", "x" * 201), ("tagline", "a\nb"),
    ("language", ""), ("language", "english"), ("language", '"><script>'), ("time_zone", "Mars/Olympus"), ("time_zone", "../../etc/passwd"), ("time_zone", ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda value: value[:12])
def test_faults_stand_beside_their_field_and_nothing_is_stored(site: Site, name: str, value: str) -> None:
    answer = site.client("olive").submit("/admin/settings", **GOOD | {name: value})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    if name != "tagline":
        assert "on things" in answer.text
    assert "Byline" in site.client().get("/").text


def test_fields_that_are_missing_are_faults(site: Site) -> None:
    assert site.client("olive").submit("/admin/settings").status_code == 422


def test_a_refused_form_token_keeps_what_was_typed(site: Site) -> None:
    answer = site.client("olive").post("/admin/settings", data=GOOD)
    assert answer.status_code == 403
    assert "on things" in answer.text
