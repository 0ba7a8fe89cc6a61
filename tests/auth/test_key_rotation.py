"""The signing key may be changed: with the old one named beside it nobody notices, and `byline doctor` says who is left."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner

from app import main
from auth.sessions.model import ABSOLUTE_LIMIT, IDLE_LIMIT, IDLE_LIMIT_UNREMEMBERED
from storage import clock
from tests.support import PASSWORD, SECRET, Client, Site, find_form_token, make_site
from web.settings import load_settings
from web.signing import SECRET_FILE, Keys

NEXT, LAST = "the next key 0123456789 abcdefghijkl", "the last key 0123456789 abcdefghijkl"
PEOPLE = ["alan", "ada", "olive"]


@contextmanager
def restarted(site: Site, key: str, *fallbacks: str) -> Iterator[Site]:
    """The same place with other keys, and no other change."""
    given = {"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": key, "SECRET_KEY_FALLBACKS": ",".join(fallbacks)}
    again = Site(site.folder, load_settings(given))
    yield again
    again.close()


def moved(client: Client, site: Site) -> Client:
    """The same browser, with its cookies, at the site as it is after the restart."""
    other = site.client()
    cookie = client.get_cookie("session")
    assert cookie is not None
    other.set_cookie("session", cookie.value)
    return other


def cookie_of(client: Client) -> str:
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def doctor(folder: Path, key: str | None, *fallbacks: str) -> list[str]:
    """What it says about sessions."""
    environment: dict[str, str | None] = {"BYLINE_INSTANCE": str(folder), "SECRET_KEY": key}
    result = CliRunner(env=environment | {"SECRET_KEY_FALLBACKS": ",".join(fallbacks)}).invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    assert not any(each in result.output for each in (key or "?", *fallbacks))
    return [line[5:] for line in result.output.splitlines() if "live session" in line or line.endswith("signed in")]


def sign_in(site: Site, name: str, **more: str) -> Client:
    client = site.client()
    assert client.submit("/login", username=name, password=PASSWORD, **more).status_code == 303
    return client


def test_with_the_old_key_beside_it_nobody_is_signed_out_and_the_old_one_may_go(site: Site) -> None:
    browsers = [sign_in(site, name, remember="y") for name in PEOPLE]
    assert doctor(site.folder, SECRET) == ["Every live session (3) is signed with the current key"]

    with restarted(site, NEXT, SECRET) as rotated:
        assert doctor(site.folder, NEXT, SECRET)[0] == "0 of 3 live sessions are signed with the current key"
        browsers = [moved(browser, rotated) for browser in browsers]
        for left, browser in zip((2, 1, 0), browsers, strict=True):
            old = cookie_of(browser)
            answer = browser.get("/account")
            assert answer.status_code == 200
            assert len(answer.headers.getlist("Set-Cookie")) == 1
            assert "Max-Age=2592000" in answer.headers["Set-Cookie"]
            assert cookie_of(browser).split(".")[:3] == old.split(".")[:3]  # the same session
            assert Keys(NEXT).is_current("session", cookie_of(browser))
            assert "Set-Cookie" not in browser.get("/account").headers
            said = doctor(site.folder, NEXT, SECRET)
            if left:
                assert said[0] == f"{3 - left} of 3 live sessions are signed with the current key"
                assert said[1].startswith(f"{left} of 3 live sessions are still signed with key 1 of SECRET_KEY_FALLB")
        assert said == [
            "Every live session (3) is signed with the current key",
            "No live session is signed with key 1 of SECRET_KEY_FALLBACKS: it may be dropped",
        ]

    with restarted(site, NEXT) as without:
        browsers = [moved(browser, without) for browser in browsers]
        assert [browser.get("/account").status_code for browser in browsers] == [200] * 3
        assert "Set-Cookie" not in browsers[0].get("/account").headers
    assert site.rows("sessions") == 3


def test_without_the_old_key_everybody_signs_in_again_and_nothing_breaks(site: Site) -> None:
    browsers = [sign_in(site, name) for name in PEOPLE]
    texts = [browser.form_token() for browser in browsers]
    with restarted(site, NEXT) as rotated:
        for name, token, browser in zip(PEOPLE, texts, browsers, strict=True):
            browser = moved(browser, rotated)
            asked = browser.get("/account")
            assert (asked.status_code, asked.headers["Location"]) == (303, "/login?next=/account")
            assert browser.get("/").status_code == 200
            sent = browser.post("/new", data={"csrf_token": token, "title": "Kept", "body": f"What {name} wrote"})
            assert sent.status_code == 401
            assert f"What {name} wrote" in sent.text
            assert browser.get("/v1/posts", headers={"Accept": "application/json"}).status_code == 200
            assert browser.post("/logout", data={"csrf_token": token}).status_code == 303
            assert browser.submit("/login", username=name, password=PASSWORD).status_code == 303
            assert browser.get("/account").status_code == 200
    assert site.rows("posts") == 0
    current, lost = doctor(site.folder, NEXT)
    assert current == "3 of 6 live sessions are signed with the current key"
    assert lost.startswith(
        "3 of 6 live sessions are signed with a key that is not named any more, so they open nothing"
    )


def test_an_older_key_is_never_used_to_sign(site: Site) -> None:
    with restarted(site, NEXT, SECRET, LAST) as rotated:
        visitor, person = rotated.client(), sign_in(rotated, "alan")
        page = visitor.get("/login")
        assert Keys(NEXT).is_current("session", cookie_of(visitor))
        assert Keys(NEXT).is_current("session", cookie_of(person))
        whole_id = cookie_of(visitor).rsplit(".", 3)[0]
        assert find_form_token(page.text) == Keys(NEXT).digest("csrf", whole_id)
        stored = [row[0] for row in _rows(rotated, "SELECT signed_with FROM sessions")]
        assert stored == [Keys(NEXT).fingerprint]


def test_a_form_that_was_open_during_the_change_is_taken(site: Site) -> None:
    alan = sign_in(site, "alan")
    page = {"csrf_token": alan.form_token(), "title": "Open since yesterday", "body": "Words", "status": "published"}
    visitor = site.client()
    visitors_token = visitor.form_token("/login")
    with restarted(site, NEXT, SECRET) as rotated:
        assert moved(alan, rotated).post("/new", data=page).status_code == 303
        fields = {"csrf_token": visitors_token, "username": "ada", "password": PASSWORD}
        assert moved(visitor, rotated).post("/login", data=fields).status_code == 303
    with restarted(site, LAST, NEXT) as again:
        # Two changes later: refused, and the text comes back.
        refused = moved(alan, again).post("/new", data=page | {"title": "Open for too long"})
        assert refused.status_code == 401
        assert "Open for too long" in refused.text
    assert site.rows("posts") == 1


def test_with_two_older_keys_it_says_which_one_may_go(site: Site) -> None:
    sign_in(site, "alan")
    with restarted(site, NEXT, SECRET) as rotated:
        sign_in(rotated, "ada")
        sign_in(rotated, "rita")
    said = doctor(site.folder, LAST, NEXT, SECRET, "a key that nobody ever used 0123456789")
    assert [re.sub(r" anew.* by \S+Z:", " … by …:", line)[:95] for line in said] == [
        "0 of 3 live sessions are signed with the current key",
        "2 of 3 live sessions are still signed with key 1 of SECRET_KEY_FALLBACKS. Each is signed … by …",
        "1 of 3 live sessions are still signed with key 2 of SECRET_KEY_FALLBACKS. Each is signed … by …",
        "No live session is signed with key 3 of SECRET_KEY_FALLBACKS: it may be dropped",
    ]


@pytest.mark.parametrize(
    ("is_remembered", "age", "lasts"),
    [
        (True, 0, IDLE_LIMIT),
        (False, 0, IDLE_LIMIT_UNREMEMBERED),
        (True, ABSOLUTE_LIMIT - 3 * clock.DAY, 3 * clock.DAY),
    ],
)
def test_it_says_until_when_an_older_key_is_needed_at_the_latest(
    site: Site, is_remembered: bool, age: int, lasts: int
) -> None:
    with time_machine.travel(1_800_000_000, tick=False):
        at = clock.now()
        whole_id = site.client().adopt_session("alan", is_remembered=is_remembered)
        with site.database.transaction() as db:
            name = whole_id.rpartition(".")[0]
            db.exec_driver_sql("UPDATE sessions SET created_at = ? WHERE id = ?", (at - age, name))
        said = doctor(site.folder, NEXT, SECRET)[1]
        assert f"the last ends by {clock.to_rfc3339(at + lasts)}: keep the key until then" in said
    # What has ended is not counted.
    with time_machine.travel(1_800_000_000 + lasts / clock.SECOND, tick=False):
        assert doctor(site.folder, NEXT, SECRET)[0] == "Nobody is signed in"


def test_of_sessions_from_before_it_says_that_nobody_knows_until_they_are_seen_again(site: Site) -> None:
    alan = site.client("alan")
    alan.get("/account")
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE sessions SET signed_with = NULL")
    said = doctor(site.folder, SECRET, LAST)
    assert said[1] == "No live session is known to be signed with key 1 of SECRET_KEY_FALLBACKS"
    assert said[2].startswith("Of 1 of 1 live sessions it was not noted with which key they are signed: keep every key")
    with time_machine.travel((clock.now() + 2 * clock.HOUR) / clock.SECOND):
        assert "Set-Cookie" in alan.get("/account").headers
        assert doctor(site.folder, SECRET, LAST)[0] == "Every live session (1) is signed with the current key"


def test_signing_anew_writes_one_row_once_and_a_busy_database_costs_no_page(site: Site) -> None:
    alan = sign_in(site, "alan")
    with restarted(site, NEXT, SECRET) as rotated:
        browser = moved(alan, rotated)
        with site.database.transaction():  # somebody else is writing
            answer = browser.get("/account")
            assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
        with rotated.counted_statements() as statements:
            browser.get("/account")
        assert len([each for each in statements if each.startswith("UPDATE")]) == 1
        with rotated.counted_statements() as statements:
            browser.get("/account")
        assert [each for each in statements if each.startswith("UPDATE")] == []


def test_a_session_that_was_ended_is_not_signed_anew(site: Site) -> None:
    alan = sign_in(site, "alan")
    with site.database.transaction() as db:
        db.exec_driver_sql("DELETE FROM sessions")
    with restarted(site, NEXT, SECRET) as rotated:
        browser = moved(alan, rotated)
        assert browser.get("/account").status_code == 303
        assert browser.get_cookie("session") is None
    assert site.rows("sessions") == 0


def test_a_secret_in_the_data_folder_is_changed_as_the_documents_say(tmp_path: Path) -> None:
    made = make_site(tmp_path / "instance")
    made.close()
    given = {"BYLINE_INSTANCE": str(made.folder)}
    first = Site(made.folder, load_settings(given))
    alan = sign_in(first, "alan")
    first.close()
    moved_away = tmp_path / "old_key"
    (made.folder / SECRET_FILE).rename(moved_away)
    # It looks, and makes nothing.
    said = doctor(made.folder, None, moved_away.read_text())
    assert said[0] == "0 of 1 live sessions are signed with the current key"
    assert not (made.folder / SECRET_FILE).exists()
    again = Site(made.folder, load_settings(given | {"SECRET_KEY_FALLBACKS_FILE": str(moved_away)}))
    browser = moved(alan, again)
    assert browser.get("/account").status_code == 200
    again.close()
    said = doctor(made.folder, None, moved_away.read_text())
    assert said[0] == "Every live session (1) is signed with the current key"
    assert "it may be dropped" in said[1]


def test_a_fingerprint_names_a_key_and_signs_nothing() -> None:
    keys = Keys(NEXT, (SECRET, LAST))
    assert keys.fallback_fingerprints == [Keys(SECRET).fingerprint, Keys(LAST).fingerprint]
    assert len({keys.fingerprint, *keys.fallback_fingerprints}) == 3
    for kind in ("session", "csrf", "throttle"):
        assert not keys.matches(kind, "", keys.fingerprint)
    assert len(keys.fingerprint) == 12


def _rows(site: Site, query: str) -> list[tuple[str]]:
    with site.database.reading() as db:
        return [(row[0],) for row in db.exec_driver_sql(query)]
