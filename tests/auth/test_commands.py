"""The command line about people and tokens."""

import os
from subprocess import CompletedProcess

from click.testing import CliRunner

from app import main
from tests.starting import run
from tests.support import PASSWORD, SECRET, Site


def byline(site: Site, *arguments: str, text: str = "") -> CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET}
    return run(*arguments, environment=environment, text=text)


def test_a_person_from_add_to_password(site: Site) -> None:
    assert byline(site, "user", "add", "Nora", "--role", "author", text=PASSWORD + "\n").returncode == 0
    nora = site.client()
    assert nora.submit("/login", username="nora", password=PASSWORD).status_code == 303
    assert byline(site, "user", "role", "nora", "editor").returncode == 0
    assert "nora\teditor" in byline(site, "user", "list").stdout
    assert byline(site, "user", "password", "nora", text="quite another one\n").returncode == 0
    assert nora.get("/account").status_code == 303
    assert nora.submit("/login", username="nora", password="quite another one").status_code == 303


def test_a_token_is_printed_alone_and_listed_without_its_secret(site: Site) -> None:
    made = byline(site, "token", "create", "alan", "--scope", "posts:write", "--label", "CI", "--days", "30")
    token = made.stdout.strip()
    assert made.stdout == token + "\n"
    assert token.startswith("byl_")
    assert len(token) == 47
    assert site.client(token=token).post("/v1/posts", json={"title": "x"}).status_code == 201
    listed = byline(site, "token", "list", "alan").stdout
    assert token not in listed
    assert "CI" in listed
    token_id = listed.split("\t")[0]
    assert byline(site, "token", "revoke", token_id).returncode == 0
    assert site.client(token=token).get("/v1/posts").status_code == 401
    assert byline(site, "token", "list").stdout == ""


REFUSALS = [
    (("user", "add", "alan", "--role", "author"), PASSWORD, 1),
    (("user", "add", "Not A Name", "--role", "author"), PASSWORD, 1),
    (("user", "add", "short", "--role", "author"), "short", 1),
    (("user", "add", "nobody", "--role", "author"), "", 1),
    (("user", "block", "nobody"), "", 1),
    (("user", "block", "olive"), "", 1),
    (("user", "role", "olive", "reader"), "", 1),
    (("user", "password", "nobody"), "", 1),
    (("token", "create", "nobody", "--scope", "posts:read"), "", 1),
    (("token", "revoke", "nothing"), "", 1),
    (("token", "list", "nobody"), "", 1),
    (("user", "add", "nora"), "", 2),
    (("user", "add", "nora", "--role", "god"), "", 2),
    (("user", "add", "nora", "--role", "author", "--password", PASSWORD), "", 2),
    (("token", "create", "alan"), "", 2),
    (("token", "create", "alan", "--scope", "everything"), "", 2),
    (("token", "create", "alan", "--scope", "account", "--days", "0"), "", 2),
    (("nonsense",), "", 2),
]


def test_refusals_are_one_sentence_on_standard_error(site: Site) -> None:
    environment = {"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET}
    for arguments, text, status in REFUSALS:
        done = CliRunner(env=environment).invoke(main, arguments, input=text)
        assert done.exit_code == status, arguments
        assert done.stdout == ""
        if status == 1:
            assert done.stderr.startswith("Error: ")
            assert done.stderr.count("\n") == 1
        assert PASSWORD not in done.stderr
