"""Passwords that many people use are refused wherever one is set, with a sentence that says what to do."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import main
from auth.invitations.inviting import invite
from auth.permissions import Role
from auth.signin.resetting import make_reset_link
from auth.signin.setup import prepare_first_owner
from auth.users.common_passwords import is_common, is_made_of
from auth.users.passwords import check_password_rules
from storage.folder import prepare_folder
from storage.upgrading import upgrade
from tests.support import PASSWORD, ROOT, SECRET, Server, Site, read_all
from web.errors import Invalid
from web.settings import load_settings

MANY_USE_IT = "Many people use this password"
COMMON = ["password", "PASSWORD", "PassWord", "12345678", "iloveyou", "qwertyuiop", "ｐａｓｓｗｏｒｄ", " password "]
# Other people's samples, the documents', and what a person with a keyboard of another script may take.
GOOD = [
    PASSWORD, "a few unrelated words", "the owner's first password", "x7#kQ2!v", "пароль от моего сайта",
    "密码是一首很长的诗", "🦊🐙🦉🐝🦔🐢🦩🐌", "eight  8", "password of a hedgehog",
]  # fmt: skip


def fault_of(password: str, *words: str) -> str | None:
    try:
        check_password_rules(password, words=words)
    except Invalid as invalid:
        return invalid.fields["password"]
    return None


@pytest.mark.parametrize("password", COMMON)
def test_what_many_people_use_is_refused_in_every_case_and_width(password: str) -> None:
    assert is_common(password)
    assert MANY_USE_IT in (fault_of(password) or "")


@pytest.mark.parametrize("password", GOOD)
def test_everything_else_may_be_used_whatever_its_characters(password: str) -> None:
    assert fault_of(password, "olive", "Olive O.", "Notes of a gardener") is None


def test_the_list_holds_the_three_thousand_that_count_and_is_whole() -> None:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    long_enough = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 8]
    assert len(long_enough) > 3000
    assert all(is_common(word) for word in long_enough)
    assert all(is_common(word.upper()) for word in long_enough[:3000])


def test_the_list_is_read_when_a_password_is_set_and_nothing_else_of_its_package_is() -> None:
    program = """
import sys
from auth.users import common_passwords, passwords
assert common_passwords._list.cache_info().currsize == 0
passwords.check_password_rules("a few unrelated words")
assert common_passwords._list.cache_info().currsize == 1
assert not [name for name in sys.modules if "zxcvbn" in name or "frequency" in name]
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)


@pytest.mark.parametrize(
    "password",
    [
        "gardener",
        "GARDENER",
        "gardener1",
        "gardener2026",
        "gardener-blog",
        "blog.gardener",
        "ｇａｒｄｅｎｅｒ!",
        "Byline2026",
        "bloggardener",
    ],
)
def test_what_is_little_more_than_the_names_is_refused(password: str) -> None:
    assert "your name or the name of the site" in (fault_of(password, "gardener", "Blog") or "")


@pytest.mark.parametrize(
    "password", ["gardener of tulips", "gardeners", "gardener 49153 71", "a garden, a blog", "blogger-1"]
)
def test_a_name_within_a_password_is_no_fault(password: str) -> None:
    assert fault_of(password, "gardener", "blog") is None


def test_no_names_and_short_ones_match_nothing_else() -> None:
    assert not is_made_of("123 456 789", ["", " ", "1", "12"])
    assert is_made_of("longname", ["longname"])
    assert is_made_of("a", ["a"])
    assert not is_made_of("correct horse battery staple", ["Horse and Staple", "correct"])


def test_the_lengths_are_in_characters_and_nothing_is_cut_off() -> None:
    assert fault_of("🦊" * 7) is not None
    assert fault_of("🦊🐙" * 4) is None
    assert fault_of("🦊" * 1000) is None
    assert fault_of("🦊" * 1001) is not None
    assert fault_of("e\u0301" * 4) is None  # each code point counts


# Every place that sets one


def test_the_first_owner_gets_the_form_back_and_the_link_stays_good(tmp_path: Path) -> None:
    settings = load_settings({"BYLINE_INSTANCE": str(tmp_path), "SECRET_KEY": SECRET})
    prepare_folder(tmp_path)
    upgrade(settings.database_path)
    site = Site(tmp_path, settings)
    link = f"/setup/{prepare_first_owner(site.database, settings)}"
    fields = {"site_name": "Gardening", "username": "olivia", "display_name": "O. Green"}
    for password in ("password", "Gardening1", "olivia123", "o. green1"):
        answer = site.client().submit(link, **fields, password=password)
        assert answer.status_code == 422, password
        assert "a few unrelated words are easy to remember" in answer.text
        assert f'value="{password}"' not in answer.text
    assert site.rows("users") == 0
    assert site.client().submit(link, **fields, password=PASSWORD).status_code == 303
    site.close()


def test_ones_own_is_kept_when_the_new_one_is_common(site: Site) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET display_name = 'Alan Gardener'")
        db.exec_driver_sql("UPDATE site SET name = 'Greenhouse'")
    client, before = site.client("alan"), site.rows("events")
    for password in ("iloveyou", "Greenhouse", "alangardener", "Alan Gardener 1", "alan2026"):
        answer = client.submit("/account/password", current_password=PASSWORD, new_password=password)
        assert answer.status_code == 422, password
        assert "a few unrelated words are easy to remember" in answer.text
    assert site.rows("events") == before
    assert site.client().submit("/login", username="alan", password=PASSWORD).status_code == 303


def _byline(site: Site, *arguments: str, text: str) -> tuple[int, str]:
    runner = CliRunner(env={"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET})
    result = runner.invoke(main, arguments, input=text)
    return result.exit_code, result.stderr


def test_the_commands_refuse_with_the_sentence(site: Site) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE site SET name = 'Greenhouse'")
    for password in ("password1", "Greenhouse!", "nora-nora"):
        status, said = _byline(site, "user", "add", "nora", "--role", "author", text=f"{password}\n")
        assert (status, "Take another" in said, password in said) == (1, True, False)
    for password in ("password1", "Greenhouse!", "Olive 123", "olive-olive"):
        status, said = _byline(site, "user", "password", "olive", text=f"{password}\n")
        assert (status, "Take another" in said, password in said) == (1, True, False)
    assert site.client().submit("/login", username="olive", password=PASSWORD).status_code == 303


def test_a_common_one_in_the_environment_refuses_the_start_in_words_and_makes_nobody(tmp_path: Path) -> None:
    for password, words in (("Sunshine1", MANY_USE_IT), ("olive2026", "your name")):
        server = Server(tmp_path / "instance", BYLINE_ADMIN_PASSWORD=password)
        with pytest.raises(AssertionError):
            server.start()
        said = "".join(server.output)
        assert f"BYLINE_ADMIN_PASSWORD: {words}" in " ".join(said.split()).replace("This is little more than ", "")
        assert "These settings cannot be used:" in said
        assert password not in said
        assert "Traceback" not in said
    assert read_all(tmp_path / "instance" / "byline.db", "SELECT count(*) FROM users") == [(0,)]


def test_a_place_that_has_its_owner_starts_whatever_stands_in_the_environment(site: Site) -> None:
    environment = {"BYLINE_ADMIN_USERNAME": "olive", "BYLINE_ADMIN_PASSWORD": "password"}
    settings = load_settings({"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET} | environment)
    assert prepare_first_owner(site.database, settings) is None


def test_a_common_one_from_before_still_opens_its_account(site: Site) -> None:
    from auth.users.passwords import hash_password

    with site.database.transaction() as db:
        stored = hash_password("password")
        db.exec_driver_sql("UPDATE users SET password_hash = ? WHERE username = 'alan'", (stored,))
    assert site.client().submit("/login", username="alan", password="password").status_code == 303


def test_no_page_that_takes_a_password_keeps_one_from_being_pasted(site: Site) -> None:
    pages = [site.client().get("/login").text, site.client("alan").get("/account/password").text]
    for page in pages:
        assert 'type="password"' in page
        assert "onpaste" not in page
        assert 'autocomplete="off"' not in page
        assert "maxlength" not in page


def test_where_somebody_joins_resets_or_recovers_too(site: Site) -> None:
    with site.database.transaction() as db:
        invitation = invite(db, role=Role.AUTHOR, days=1, uses=1, note="", by=site.principal("olive"))
        link = make_reset_link(db, "ada", by=site.principal("olive"))
    join = f"/join/{invitation.token}"
    for password in ("password1", "Newcomer-2026", "byline 2026"):
        refused = site.client().submit(join, username="newcomer", display_name="", password=password)
        assert refused.status_code == 422, password
    for password in ("password1", "ada-2026", "BYLINE 2026"):
        assert site.client().submit(link.path, password=password).status_code == 422, password
        fields = {"username": "ada", "code": "no code at all", "new_password": password}
        assert site.client().submit("/login/recover", **fields).status_code == 422, password
