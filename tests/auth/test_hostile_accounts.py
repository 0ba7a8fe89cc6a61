"""Names that look like another's, addresses that lead away, fields that nobody was asked for: refused, nothing changed."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from click.testing import CliRunner
from werkzeug.test import TestResponse

from app import main
from auth.signin.setup import prepare_first_owner
from storage.folder import prepare_folder
from storage.upgrading import upgrade
from tests.support import CAST, PASSWORD, SECRET, Site, find_form_token, make_site
from web.settings import SettingsError, load_settings


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """For what changes nothing but counters."""
    made = make_site(tmp_path_factory.mktemp("hostile") / "instance")
    yield made
    made.close()


def users(site: Site) -> dict[str, dict[str, Any]]:
    with site.database.reading() as db:
        return {row.username: dict(row._mapping) for row in db.exec_driver_sql("SELECT * FROM users")}


def forget_failures(site: Site) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("DELETE FROM signin_counters")


# Names. What is Alan's in other letters is nobody's, or it is Alan's.

SAME = [
    "ALAN",
    "Alan",
    " alan",
    "alan ",
    "alan\n",
    "\r\nalan\t",
    "\u00a0alan\u2003",
    "alan\u0085",
    "\u3000alan",
    "\x1calan",
]
OTHERS = [
    "аlan", "alаn", "аlаn",  # Cyrillic a
    "ａｌａｎ", "ａlan", "ALＡN",  # fullwidth
    "αlan", "a1an\u0301", "ala\u0144", "àlan", "a\u0300lan", "alan\u0301", "alan\u20dd",  # marks and others' letters
    "al\u200ban", "alan\u200b", "\u200balan", "al\u200dan", "\ufeffalan", "al\u00adan", "al\u2060an",  # nothing to see
    "\u202enala", "alan\u202e", "\u2066alan\u2069",  # the other way round
    "al\x00an", "alan\x00", "al\nan", "al an", "al\tan", "alan\x1b[0m", "alan\x7f",
    "ⓐlan", "𝐚lan", "𝓪𝓵𝓪𝓷", "ªlan", "ﬀ", "ŀan", "alan¹",  # compatibility forms
    "алан", "艾伦", "آلان", "एलन", "🦊", "ı", "İ", "ß", "ſ", "olıve", "oliⅴe", "edıth", "edİth", "ED\u0130TH",
    "alan/", "../alan", "alan'--", "alan\" OR 1=1", "alan%00", "%61lan", "a;b", "a:b", "a.b", "alan@blog", "<b>alan</b>",
    "", " ", "\n", "\x00", "x" * 41, "alan" * 1000,
]  # fmt: skip


def try_to_sign_in(site: Site, name: str) -> TestResponse:
    client = site.client()
    data = {"csrf_token": client.form_token("/login"), "username": name, "password": PASSWORD}
    return client.post("/login", data=data, content_type="multipart/form-data")


@pytest.mark.parametrize("name", SAME, ids=ascii)
def test_a_name_in_capitals_or_with_space_around_it_is_the_same_person(shared: Site, name: str) -> None:
    assert try_to_sign_in(shared, name).status_code == 303
    forget_failures(shared)


def test_what_only_looks_like_a_name_signs_nobody_in(shared: Site) -> None:
    sessions, people = shared.rows("sessions"), users(shared)
    for name in OTHERS:
        forget_failures(shared)
        answer = try_to_sign_in(shared, name)
        assert answer.status_code == 401, ascii(name)
        assert "do not belong together" in answer.text
    assert shared.rows("sessions") == sessions
    assert users(shared) == people


def test_the_kelvin_sign_is_the_letter_that_it_is_lowered_to(tmp_path: Path) -> None:
    # U+212A is the one character beyond ASCII that lowers to a letter of it: one person, not two.
    assert [chr(n) for n in range(128, 0x110000) if re.fullmatch(r"[a-z0-9_-]+", chr(n).lower())] == ["\u212a"]
    site = make_site(tmp_path / "instance")
    assert add(site, "\u212aate")[0] == 0
    assert add(site, "kate")[0] == 1
    assert [name for name in users(site) if "ate" in name] == ["kate"]
    assert try_to_sign_in(site, "\u212aATE").status_code == 303
    site.close()


def add(site: Site, name: str) -> tuple[int, str]:
    runner = CliRunner(env={"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET})
    result = runner.invoke(main, ["user", "add", "--role", "author", "--", name], input=f"{PASSWORD}\n")
    return result.exit_code, result.stderr


def test_the_terminal_adds_nobody_whose_name_looks_like_another(shared: Site) -> None:
    people, events = users(shared), shared.rows("events")
    for name in [*SAME, *OTHERS]:
        status, said = add(shared, name)
        assert status == 1, ascii(name)
        assert said.startswith("Error: There is a person named alan already." if name in SAME else "Error: Use 1 to 40")
        assert "Traceback" not in said
    assert users(shared) == people
    assert shared.rows("events") == events


def test_the_terminal_finds_nobody_by_a_name_that_only_looks_right(shared: Site) -> None:
    runner = CliRunner(env={"BYLINE_INSTANCE": str(shared.folder), "SECRET_KEY": SECRET})
    people = users(shared)
    for name in OTHERS[:40]:
        for command in (["block"], ["unblock"], ["password"]):
            result = runner.invoke(main, ["user", *command, "--", name], input=f"{PASSWORD}\n")
            assert result.exit_code == 1, (command, ascii(name))
            assert result.stderr.startswith("Error: There is nobody named")
    assert users(shared) == people


def empty_site(folder: Path) -> tuple[Site, str]:
    settings = load_settings({"BYLINE_INSTANCE": str(folder), "SECRET_KEY": SECRET})
    prepare_folder(folder)
    upgrade(settings.database_path)
    site = Site(folder, settings)
    return site, f"/setup/{prepare_first_owner(site.database, settings)}"


def test_the_first_owner_cannot_be_named_so(tmp_path: Path) -> None:
    site, link = empty_site(tmp_path)
    client = site.client()
    fields = {"site_name": "Notes", "display_name": "Alan", "password": PASSWORD}
    for name in OTHERS:
        answer = client.submit(link, **fields, username=name)
        assert answer.status_code == 422, ascii(name)
        assert "Use 1 to 40 of the letters" in answer.text
    assert site.rows("users") == 0
    assert client.submit(link, **fields, username=" ALAN\n").status_code == 303
    assert list(users(site)) == ["alan"]
    site.close()


def test_nor_can_the_one_from_the_environment(tmp_path: Path) -> None:
    for name in OTHERS:
        if name and "\x00" not in name:  # which no variable can hold
            given = {"BYLINE_INSTANCE": str(tmp_path), "BYLINE_ADMIN_USERNAME": name}
            with pytest.raises(SettingsError, match="BYLINE_ADMIN_USERNAME"):
                load_settings(given)
    given = {"BYLINE_INSTANCE": str(tmp_path), "BYLINE_ADMIN_USERNAME": " ALAN ", "BYLINE_ADMIN_PASSWORD": PASSWORD}
    assert load_settings(given).byline_admin_username == "alan"


def test_no_address_finds_a_person_by_a_name_that_only_looks_right(shared: Site) -> None:
    olive, people = shared.client("olive"), users(shared)
    token = olive.form_token("/admin/settings")
    for name in OTHERS:
        if not name.strip(" \n"):
            continue
        for action, data in (("block", {}), ("role", {"role": "owner"}), ("unblock", {})):
            answer = olive.post(f"/admin/people/{quote(name, safe='')}/{action}", data={"csrf_token": token, **data})
            assert answer.status_code in (400, 404), (ascii(name), action)
        assert olive.get(f"/authors/{quote(name, safe='')}").status_code in (400, 404), ascii(name)
    assert users(shared) == people


# Where one is sent next.

AWAY = [
    "//evil.example", "///evil.example", "////evil.example/", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "/\\/evil.example", "//\\evil.example", "http://evil.example", "https:evil.example", "https:/evil.example",
    "https:\\\\evil.example", "HTTPS://evil.example/", "hTTp:evil.example", "javascript:alert(1)", "JAVASCRIPT:alert(1)",
    "java\nscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x",
    "file:///etc/passwd", "blob:https://evil.example/x", "view-source:https://evil.example", "//evil.example@localhost",
    "//localhost@evil.example", "https://localhost@evil.example", "https://localhost.evil.example", "@evil.example",
    "evil.example", "evil.example/login", ".evil.example", "?next=//evil.example", "#//evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example", "\u00a0//evil.example",
    "/%09/evil.example", "/%0a/evil.example", "/%0d%0aSet-Cookie:%20a=b", "/%0D%0ALocation:%20//evil.example",
    "/\r\nSet-Cookie: a=b", "/%5cevil.example", "/%5C%5Cevil.example", "/%2fevil.example", "/%2F/evil.example",
    "/%2F%2Fevil.example", "/\x00/evil.example", "/%00/evil.example", "\x00//evil.example", "/\x7f/evil.example",
    "／／evil.example", "∕∕evil.example", "⁄⁄evil.example", "\u2044/evil.example", "//evil。example", "//ⓔvil.example",
    "//xn--vil-rma.example", "//[::1]", "//[evil", "//127.0.0.1:80", "//0x7f000001", "//evil.example:99999", "//:80",
    "/" + "a" * 2001, "//" + "e" * 5000, "\ufeff//evil.example", "\u200b//evil.example", "\u202e//evil.example",
]  # fmt: skip
# Odd, and of this site as every browser reads them.
HERE = [
    "/／evil.example",
    "/∕evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/a//evil.example",
    "/@evil.example",
    "/:80",
]


def leads_here(location: str) -> bool:
    """Whether a browser that gets this Location stays on the site (WHATWG URL: controls are dropped, \\ is /)."""
    as_read = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    went = urlsplit(urljoin("http://localhost/login", as_read))
    return as_read.startswith("/") and not as_read.startswith("//") and went.netloc == "localhost"


def hidden_next(page: str) -> str:
    found = re.search(r'name="next"[^>]*value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found[1])


def test_there_are_enough_of_them() -> None:
    assert len(set(AWAY)) >= 60


def test_the_sign_in_page_takes_no_such_address_along(shared: Site) -> None:
    visitor, somebody = shared.client(), shared.client("alan")
    for target in AWAY:
        page = visitor.get("/login", query_string={"next": target})
        assert (page.status_code, hidden_next(page.text)) == (200, ""), ascii(target)
        sent_on = somebody.get("/login", query_string={"next": target})
        assert (sent_on.status_code, sent_on.headers["Location"]) == (303, "/"), ascii(target)
        again = somebody.get("/login", query_string={"next": target, "again": "1"})
        assert again.headers.get("Location", "/") == "/", ascii(target)
    for target in HERE:
        sent_on = somebody.get("/login", query_string={"next": target})
        assert leads_here(sent_on.headers["Location"]), ascii(target)


def test_no_sign_in_leads_there_at_the_first_try_or_after_a_wrong_one(shared: Site) -> None:
    visitor = shared.client()
    for number, target in enumerate(AWAY):
        forget_failures(shared)
        name = ["alan", "ada", "rita"][number % 3]
        fields = {"csrf_token": visitor.form_token("/login"), "username": name, "next": target}
        wrong = visitor.post("/login", data=fields | {"password": "wrong"}, content_type="multipart/form-data")
        assert (wrong.status_code, hidden_next(wrong.text)) == (401, ""), ascii(target)
        right = shared.client()
        fields["csrf_token"] = right.form_token("/login")
        answer = right.post("/login", data=fields | {"password": PASSWORD}, content_type="multipart/form-data")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/"), ascii(target)
        assert "evil" not in str(answer.headers)
        assert answer.headers.getlist("Set-Cookie")[0].startswith("session=")
        assert len(answer.headers.getlist("Set-Cookie")) == 1


def test_a_refused_form_token_and_a_throttled_try_do_not_pass_it_on(shared: Site) -> None:
    for target in AWAY:
        refused = shared.client().post("/login", data={"username": "alan", "next": target, "csrf_token": "x"})
        assert (refused.status_code, hidden_next(refused.text)) == (403, ""), ascii(target)
    visitor = shared.client()
    fields = {"csrf_token": visitor.form_token("/login"), "username": "nobody-of-note", "password": "wrong"}
    for _ in range(10):
        visitor.post("/login", data=fields)
    for target in AWAY[:10]:
        waits = visitor.post("/login", data=fields | {"next": target})
        assert (waits.status_code, hidden_next(waits.text)) == (429, ""), ascii(target)
    forget_failures(shared)


def test_the_page_of_a_401_leads_back_to_where_one_was_and_nowhere_else(shared: Site) -> None:
    visitor = shared.client()
    for target in AWAY:
        data = {"title": "Kept", "body": "Words", "next": target, "back": target, "kept.next": target}
        page = visitor.post("/new", query_string={"next": target}, data=data, content_type="multipart/form-data")
        assert (page.status_code, hidden_next(page.text)) == (401, "/new"), ascii(target)
        asked = visitor.get("/account/profile", query_string={"next": target})
        assert asked.status_code == 303
        assert asked.headers["Location"].startswith("/login?next=/account/profile?")
        assert leads_here(asked.headers["Location"])


def test_a_form_that_is_carried_along_is_opened_here_or_not_at_all(shared: Site) -> None:
    for target in [*AWAY, *HERE, "https://evil.example/new", "//evil.example/new", "/nowhere", "/login", "/logout"]:
        browser = shared.client()
        data = {"csrf_token": browser.form_token("/login"), "username": "alan", "password": PASSWORD}
        data |= {"kept_for": target, "kept.title": "Carried", "next": "//evil.example"}
        answer = browser.post("/login", data=data, content_type="multipart/form-data")
        # The router reads no host: an address that ends in ours opens our own form.
        assert answer.status_code in (200, 303), ascii(target)
        assert answer.headers.get("Location", "/") == "/", ascii(target)
        assert 'action="http' not in answer.text
        assert 'action="//' not in answer.text


def test_throwing_typed_words_away_leads_nowhere_else(shared: Site) -> None:
    alan = shared.client("alan")
    token = alan.form_token("/account/password")
    path = f"/account/working-copies/{shared.post().id}/discard"
    for target in [*AWAY, "/posts/\r\nSet-Cookie: a=b/edit", "/posts/\x00/edit", "/posts/\\evil/edit"]:
        data = {"csrf_token": token, "back": target}
        answer = alan.post(path, data=data, content_type="multipart/form-data")
        assert answer.status_code == 303, ascii(target)
        assert leads_here(answer.headers["Location"]), ascii(target)
        assert "Set-Cookie" not in answer.headers


# Fields that nobody was asked for.

SMUGGLED = {
    "id": "1", "user_id": "1", "username": "olive", "name": "olive", "role": "owner", "roles": "owner", "is_owner": "1",
    "is_admin": "true", "status": "owner", "blocked_at": "", "block_reason": "x", "is_blocked": "0", "created_at": "0",
    "password_hash": "x", "scopes": "admin", "permission": "run the place", "session_id": "1.1", "token_id": "x",
    "newcomer": "x", "newcomer_at": "1", "signed_with": "x", "principal": "olive", "_method": "DELETE",
}  # fmt: skip


def without(person: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in person.items() if name not in names}


def test_a_profile_form_changes_what_it_shows_and_nothing_else(site: Site) -> None:
    before = users(site)
    alan = site.client("alan")
    fields = {"display_name": "Alan the Writer", "biography": "Words.", "time_zone": "Europe/Berlin"}
    assert alan.submit("/account/profile", **SMUGGLED, **fields).status_code == 303
    assert (
        alan.post("/account/profile?" + "&".join(f"{k}={v}" for k, v in SMUGGLED.items()), data=fields).status_code
        == 403
    )
    after = users(site)
    assert {name: row for name, row in after.items() if name != "alan"} == without(before, "alan")
    assert without(after["alan"], *fields) == without(before["alan"], *fields)
    assert {name: after["alan"][name] for name in fields} == fields
    assert alan.get("/admin").status_code == 403
    with site.database.reading() as db:
        payload = db.exec_driver_sql("SELECT payload FROM events WHERE kind = 'user.profile_changed'").scalar_one()
    assert set(json.loads(payload)) == set(fields)


def test_a_password_form_changes_one_s_own_password_and_nothing_else(site: Site) -> None:
    before = users(site)
    alan = site.client("alan")
    fields = {"current_password": PASSWORD, "new_password": "another one, long enough"}
    assert alan.submit("/account/password", **SMUGGLED, **fields).status_code == 303
    after = users(site)
    assert {name for name in CAST if after[name] != before[name]} == {"alan"}
    assert without(after["alan"], "password_hash") == without(before["alan"], "password_hash")
    assert (
        alan.submit("/account/password", **SMUGGLED, current_password=PASSWORD, new_password="x" * 20).status_code
        == 422
    )
    assert users(site) == after
    assert site.client().submit("/login", username="olive", password=PASSWORD).status_code == 303


def test_a_setup_form_makes_one_owner_of_that_name_and_nothing_else(tmp_path: Path) -> None:
    site, link = empty_site(tmp_path)
    fields = {"site_name": "Notes", "username": "olga", "display_name": "Olga", "password": PASSWORD}
    smuggled = {name: value for name, value in SMUGGLED.items() if name not in fields} | {"role": "reader", "id": "77"}
    smuggled |= {"blocked_at": "1", "time_zone": "Mars/Base", "biography": "x", "language": "xx", "tagline": "x"}
    assert site.client().submit(link, **smuggled, **fields).status_code == 303
    [olga] = users(site).values()
    assert (olga["id"], olga["username"], olga["role"], olga["blocked_at"]) == (1, "olga", "owner", None)
    assert (olga["biography"], olga["time_zone"], olga["newcomer"]) == ("", None, None)
    site.close()


def test_a_sign_in_form_makes_nobody_more_than_they_are(site: Site) -> None:
    before = users(site)
    smuggled = {name: value for name, value in SMUGGLED.items() if name != "username"}
    rita = site.client()
    assert rita.submit("/login", **smuggled, username="rita", password=PASSWORD).status_code == 303
    assert rita.get("/admin").status_code == 403
    assert rita.get("/new").status_code == 403
    bob = site.client().submit("/login", **smuggled, username="bob", password=PASSWORD)
    assert bob.status_code == 401
    after = users(site)
    assert {name: without(row, "newcomer", "newcomer_at") for name, row in after.items()} == {
        name: without(row, "newcomer", "newcomer_at") for name, row in before.items()
    }
    with site.database.reading() as db:
        [session] = db.exec_driver_sql("SELECT * FROM sessions").mappings().all()
    assert (session["user_id"], session["id"] != "1.1") == (before["rita"]["id"], True)
    assert session["signed_with"] != "x"


def test_a_token_form_makes_a_token_of_one_s_own_within_one_s_role(site: Site) -> None:
    alan = site.client("alan")
    smuggled = {name: value for name, value in SMUGGLED.items() if name not in ("name", "scopes")}
    made = alan.submit("/account/tokens", **smuggled, name="mine", scopes="posts:read", lasts="30")
    assert made.status_code in (200, 201), made.text
    with site.database.reading() as db:
        owner = db.exec_driver_sql("SELECT username FROM tokens JOIN users ON users.id = user_id").scalar_one()
    assert owner == "alan"
    assert alan.submit("/account/tokens", name="more", scopes="admin", lasts="30").status_code == 422
    assert site.rows("tokens") == 1


def test_a_form_of_owners_changes_only_whom_its_address_names(site: Site) -> None:
    before = users(site)
    olive = site.client("olive")
    smuggled = {name: value for name, value in SMUGGLED.items() if name != "role"}
    assert olive.submit("/admin/people/rita/role", page="/admin", **smuggled, role="author").status_code == 303
    after = users(site)
    assert {name for name in CAST if after[name] != before[name]} == {"rita"}
    assert without(after["rita"], "role") == without(before["rita"], "role")
    assert olive.submit("/admin/people/alan/role", page="/admin", role="root").status_code == 422
    twice = f"csrf_token={olive.form_token('/admin')}&role=reader&role=owner"
    olive.post("/admin/people/alan/role", data=twice, content_type="application/x-www-form-urlencoded")
    assert users(site)["alan"]["role"] == "reader"  # the first one, never the stronger one


def test_the_sign_in_form_reads_no_field_from_the_address(site: Site) -> None:
    visitor = site.client()
    token = find_form_token(visitor.get("/login").text)
    address = f"/login?username=alan&password={PASSWORD.replace(' ', '+')}&csrf_token={token}"
    assert visitor.post(address, data={"csrf_token": token}).status_code == 401
    assert visitor.get(address).status_code == 200
    assert site.rows("sessions") == 0
