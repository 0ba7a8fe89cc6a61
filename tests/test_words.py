"""The words: what the documents say is what is there, and what is there stands in the documents."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from app import main
from auth.invitations.inviting import LONGEST_DAYS, MOST_USES
from auth.mailing.delivering import TIME_OUT_SECONDS
from auth.permissions import Role, Scope
from auth.sessions.model import ABSOLUTE_LIMIT, IDLE_LIMIT, IDLE_LIMIT_UNREMEMBERED
from auth.signin import throttling
from auth.signin.resetting import LIFETIME
from blog.posts import content
from blog.posts.api import PostBody
from blog.posts.description import SCHEMAS
from blog.tags import names
from storage import clock
from tests.support import PASSWORD, ROOT, Server, Site
from web.requests import MAX_BODY_BYTES
from web.settings import Settings, SettingsError, load_settings

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RECIPES = [ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / ".dockerignore"]
README = (ROOT / "README.md").read_text()
API = (ROOT / "docs/api.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOKEN = "byl_" + "a-Z0_" * 8 + "end"

_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    return re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text: str) -> list[str]:
    """The first column of the tables in a text, without their headings."""
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    return [cell for cell, rule in zip(rows, [*rows[1:], ""], strict=True) if set(cell) != {"-"} and set(rule) != {"-"}]


def code_of(text: str) -> str:
    """What is set as code, in blocks and in lines."""
    return "\n".join([*_FENCE.findall(text), *re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))])


def anchors(text: str) -> set[str]:
    """The names that headings can be linked to by."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


# Settings


def row_of(name: str) -> str:
    """The README's row of a setting: its description, and in parentheses at its end what holds without it."""
    field = Settings.model_fields[name.lower()]
    described = re.fullmatch(r"(.*?)(?: \((.*)\))?", field.description or "")
    assert described is not None
    default = described[2] or ("none" if field.default in (None, ()) else str(field.default))
    return f"| `{name}` | {described[1]} | {default} |"


def test_the_readme_tables_every_setting_and_no_other() -> None:
    rows = [line for line in section(README, "Settings").splitlines() if line.startswith("| `")]
    assert rows == [row_of(field.upper()) for field in Settings.model_fields]


def test_the_readme_names_every_secret_that_may_come_from_a_file(tmp_path: Path) -> None:
    every = {f"{field.upper()}_FILE": str(tmp_path / "missing") for field in Settings.model_fields}
    with pytest.raises(SettingsError) as refused:
        load_settings(every)
    read = {name for name in every if f"{name}: " in str(refused.value)}
    assert set(re.findall(r"`(\w+_FILE)`", section(README, "Settings"))) == read


def test_the_compose_file_sets_only_what_is_a_setting() -> None:
    named = re.findall(r"^ +([A-Z_]+): \$\{(\w+):-", (ROOT / "compose.yaml").read_text(), re.MULTILINE)
    assert named
    assert {name.lower() for pair in named for name in pair} <= set(Settings.model_fields)


# Commands


def mentioned_commands() -> Iterator[tuple[str, str]]:
    """Every `byline …` that is set as code, with its document."""
    for document in DOCUMENTS:
        # The service of the compose file has the same name.
        code = re.sub(r"docker compose [^'\n]*?\bbyline\b", "", code_of(document.read_text()))
        for found in re.findall(r"(?<![\w/-])(?:\.venv/bin/)?byline ([a-z][^;|'\"#\n]*)", code):
            yield name_of(document), found.partition("  ")[0].strip()


def leaf_commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaf_commands(command, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize(("document", "usage"), sorted(set(mentioned_commands())))
def test_a_command_that_is_mentioned_exists(document: str, usage: str) -> None:
    command: click.Command = main
    words = re.sub(r"[\[\]…]", " ", usage).split()
    while isinstance(command, click.Group):
        assert words, f"{document} names a group, not a command: {usage}"
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert {word for word in words if word.startswith("--")} <= options


def test_the_readme_lists_every_command() -> None:
    listed = [cell.strip("`").split() for cell in first_cells(section(README, "Commands"))]
    paths = [tuple(word for word in words[1:] if word.islower() and word.isalpha()) for words in listed]
    assert sorted(paths) == sorted(leaf_commands(main))


# The session with curl


def curl_version() -> tuple[int, ...]:
    if shutil.which("curl") is None:
        return (0,)
    said = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said.split()[1])[:2])


@pytest.mark.skipif(curl_version() < (7, 84), reason="needs curl 7.84 or newer, as the README says")
def test_the_curl_session_of_the_readme_works_as_pasted(tmp_path: Path) -> None:
    server = Server(tmp_path / "instance", BYLINE_API_TOKEN=TOKEN).start()
    variables = {
        "BYLINE_URL": server.url,
        "BYLINE_API_TOKEN": TOKEN,
        "BYLINE_ADMIN_USERNAME": server.environment["BYLINE_ADMIN_USERNAME"],
        "BYLINE_ADMIN_PASSWORD": PASSWORD,
    }
    left_behind = tmp_path / "left-behind"
    left_behind.mkdir()
    try:
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail"],
            input="\n".join(re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)),
            env={"PATH": os.environ["PATH"], "TMPDIR": str(left_behind), **variables},
            capture_output=True,
            text=True,
        )
        posts = server.browser().get("/v1/posts", headers={"Authorization": f"Bearer {TOKEN}"}).json()["items"]
    finally:
        server.stop()
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    answers = [json.loads(line) for line in lines if line.startswith("{")]
    assert [(answer["title"], answer["status"]) for answer in answers] == [
        ("First light", "published"),
        ("Second thoughts", "draft"),
        ("First light", "published"),
        ("Somebody saved meanwhile", 412),
    ]
    assert [line for line in lines if not line.startswith("{")] == [
        "303",
        f"303 {server.url}/posts/by-the-form",
        "201",
        "303",
    ]
    assert sorted((post["title"], post["status"], post["version"]) for post in posts) == [
        ("By the form", "published", 1),
        ("First light", "published", 2),
        ("Second thoughts", "draft", 1),
        ("With a cookie", "draft", 1),
    ]
    assert list(left_behind.iterdir()) == []


# Addresses, links, places


def test_every_address_in_the_documents_is_served(site: Site) -> None:
    # Types of arguments are the code's business.
    served = {re.sub(r"<\w+:", "<", rule.rule) for rule in site.app.url_map.iter_rules()}
    cells = first_cells(section(README, "Use it")) + first_cells(section(OPERATIONS, "Health, readiness, metrics"))
    described = {address for cell in cells for address in re.findall(r"`([^`]+)`", cell)}
    assert "/posts/<slug>" in described
    assert described <= served


def test_every_request_in_the_description_of_the_api_is_taken(site: Site) -> None:
    taken = {
        (method, rule.rule.replace("<int:", "<"))
        for rule in site.app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    described = {tuple(cell.strip("`").split()) for cell in first_cells(API.partition("\n## ")[0])}
    assert ("POST", "/new") in described
    assert described <= taken
    versioned = {(method, rule) for method, rule in taken if rule.startswith("/v1/posts")}
    assert {request for request in versioned if request[0] not in ("HEAD", "OPTIONS")} <= described


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_within_the_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", document.read_text())):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text()), target


@pytest.mark.parametrize("document", [*DOCUMENTS, *RECIPES], ids=name_of)
def test_addresses_outside_are_examples_or_meant(document: Path) -> None:
    examples = {"localhost", "127.0.0.1", "blog.example.org"}
    meant = {"docs.astral.sh", "keepachangelog.com", "semver.org"}
    assert set(re.findall(r"\w+://([\w.-]+)", document.read_text())) <= examples | meant


@pytest.mark.parametrize("document", [*DOCUMENTS, *RECIPES], ids=name_of)
def test_no_document_names_a_place_on_somebodys_machine(document: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:home|root|Users|work|tmp|mnt)/\S*|file://\S*", document.read_text()) == []


def test_the_map_in_the_readme_names_what_is_there() -> None:
    (drawn,) = (block for block in _FENCE.findall(README) if block.startswith("app.py"))
    mapped = {line.split()[0] for line in drawn.splitlines()}
    assert {name for name in mapped if not (ROOT / name).exists()} == set()
    packages = PROJECT["tool"]["setuptools"]["packages"]
    assert mapped >= {f"{package}/" for package in packages}


def test_the_floors_in_the_readme_are_those_that_are_held() -> None:
    (drawn,) = (block for block in _FENCE.findall(README) if block.startswith("app →"))
    held = {}
    for contract in PROJECT["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            held[contract.get("containers", [""])[0]] = " → ".join(contract["layers"])
    inside = [f"{floor}:  {layers}" for floor, layers in held.items() if floor]
    assert drawn.splitlines() == [f"app → {held['']}", *inside]


def test_pictures_are_small_enough_to_look_at() -> None:
    pictures = [ROOT / path for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)]
    assert len(pictures) == 2
    assert [name_of(picture) for picture in pictures if picture.stat().st_size >= 150_000] == []


# The API and the numbers


def test_the_api_describes_every_field_and_who_sets_it() -> None:
    fields = {
        name: row.split("|")[2].strip()
        for row in section(API, "A post").splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert set(fields) == set(SCHEMAS["Post"]["properties"]) | set(PostBody.model_fields)
    assert {name for name, who in fields.items() if who.startswith("yes")} == set(PostBody.model_fields)


def test_the_example_of_a_post_has_every_field() -> None:
    example, refusal = (json.loads(block) for block in _FENCE.findall(API))
    assert list(example) == list(SCHEMAS["Post"]["properties"])
    assert refusal["status"] == 422


def test_every_scope_and_role_is_described() -> None:
    described = [name for cell in first_cells(section(API, "Who is asking")) for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(described) == sorted(Scope)
    assert {role for role in Role if f"*{role.value}*" not in README} == set()


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (API, f"one line of 1 to {content.LONGEST_TITLE} characters"),
        (API, f"between them, up to {content.LONGEST_SLUG};"),
        (API, f"for lists and feeds, up to {content.LONGEST_EXCERPT:,} characters"),
        (API, f"Markdown, up to {content.LONGEST_BODY_BYTES >> 20} MiB of UTF-8"),
        (API, f"up to {names.MOST} names of up to {names.LONGEST} characters"),
        (API, f"the body is over {MAX_BODY_BYTES >> 20} MiB"),
        (OPERATIONS, f"{IDLE_LIMIT // clock.DAY} days without a visit, and {ABSOLUTE_LIMIT // clock.DAY} days"),
        (OPERATIONS, f"{IDLE_LIMIT_UNREMEMBERED // clock.HOUR} hours without a visit"),
        (OPERATIONS, f"| a name, from one address (IPv4, or IPv6 /64) | {throttling._PER_NAME_AND_ADDRESS} |"),
        (OPERATIONS, f"| one address, whatever the name | {throttling._PER_ADDRESS} |"),
        (OPERATIONS, f"in the last 30 days | {throttling._PER_NAME_FROM_UNKNOWN_PLACES} |"),
        (OPERATIONS, f"{throttling._REGISTRATIONS_PER_ADDRESS} accounts an hour can be made"),
        (OPERATIONS, f"good for 1 to {LONGEST_DAYS} days and 1 to {MOST_USES} people"),
        (OPERATIONS, f"It works once, for {LIFETIME // clock.HOUR} hours"),
        (OPERATIONS, f"It has {TIME_OUT_SECONDS} seconds for that"),
        (OPERATIONS, f"Failed sign-ins are counted over {throttling._WINDOW // clock.MINUTE} minutes"),
    ],
)
def test_a_limit_in_the_documents_is_the_one_in_the_code(document: str, sentence: str) -> None:
    assert sentence in document


def test_every_event_that_the_documents_explain_is_logged() -> None:
    explained = [event.strip("`") for event in first_cells(section(OPERATIONS, "Logs"))]
    sources = "".join(path.read_text() for floor in ("web", "storage") for path in (ROOT / floor).rglob("*.py"))
    assert explained
    assert [event for event in explained if f'"{event}"' not in sources] == []


def test_the_decisions_are_numbered_and_listed() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    index = (ROOT / "docs/decisions/README.md").read_text()
    for number, path in enumerate(decisions, 1):
        text = path.read_text()
        title = text.splitlines()[0].removeprefix("# ")
        assert title.startswith(f"{number}. ")
        assert f"- [{title}]({path.name})" in index.replace("\n  ", " ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


# The locks, and what is made of them


def pins(lock: str) -> defaultdict[str, set[str]]:
    """The versions that a lock names, more than one where platforms differ."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE):
        found[canonicalize_name(name)].add(version)
    return found


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.txt", ["build"]), ("requirements-test.txt", ["build", "test"])]
)
def test_a_lock_names_every_dependency_in_a_version_that_is_asked_for(lock: str, extras: list[str]) -> None:
    optional = PROJECT["project"]["optional-dependencies"]
    lines = PROJECT["project"]["dependencies"] + [line for extra in extras for line in optional[extra]]
    asked = [Requirement(line) for line in lines]
    pinned = pins(lock)
    assert {r.name for r in asked if canonicalize_name(r.name) not in pinned} == set()
    wrong = {r.name for r in asked for version in pinned[canonicalize_name(r.name)] if version not in r.specifier}
    assert wrong == set()


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-test.txt"])
def test_a_lock_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "see CONTRIBUTING.md" in text
    assert re.findall(r".*(?:://|--(?:extra-)?index|--find-links).*", text) == []
    unhashed = [pin for pin, after in re.findall(r"^([\w.-]+==.*)\n(.*)", text, re.MULTILINE) if "--hash=" not in after]
    assert unhashed == []


def test_what_is_tested_is_what_is_run() -> None:
    run, tested = pins("requirements.txt"), pins("requirements-test.txt")
    assert {name for name in run if run[name] != tested[name]} == set()


def test_the_image_is_given_what_the_environment_is_made_of() -> None:
    given = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {name for name in given if not (ROOT / name).exists()} == set()
    built = PROJECT["tool"]["setuptools"]
    package = {f"{module}.py" for module in built["py-modules"]} | set(built["packages"])
    package |= {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    assert given >= package | {"pyproject.toml", "requirements.txt", "setup.sh", "serve.sh", "templates", "static"}


def test_the_image_has_a_python_that_the_project_takes() -> None:
    found = re.match(r"FROM python:([\d.]+)-slim\n", (ROOT / "Dockerfile").read_text())
    assert found is not None
    assert found[1] in SpecifierSet(PROJECT["project"]["requires-python"])


def test_a_start_installs_nothing_until_the_lock_changes(tmp_path: Path) -> None:
    for name in ("serve.sh", "setup.sh", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    installer = tmp_path / "bin" / "uv"
    installer.parent.mkdir()
    # Stands for the installer: it notes that it was called, and leaves a command that says what it is told.
    installer.write_text(
        '#!/bin/sh\necho "$1" >>calls\nmkdir -p .venv/bin\n'
        "printf '#!/bin/sh\\necho \"$@\"\\n' >.venv/bin/byline\nchmod +x .venv/bin/byline\n"
    )
    installer.chmod(0o755)
    path = {"PATH": f"{installer.parent}:{os.environ['PATH']}"}
    calls: list[int] = []
    for change in ("", "", "# changed\n"):
        with (tmp_path / "requirements.txt").open("a") as lock:
            lock.write(change)
        done = subprocess.run([tmp_path / "serve.sh"], env=path, capture_output=True, text=True, check=True)
        assert done.stdout == "serve\n"
        calls.append(len((tmp_path / "calls").read_text().splitlines()))
    assert calls[0] == calls[1] < calls[2]
