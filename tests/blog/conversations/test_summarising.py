"""The summary: renewed by a job after every ten messages, and never an older one over a newer one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import LINKS
from auth.blocking.blocking import block
from blog.conversations import queries
from blog.conversations.answering import Quoting, Silent
from blog.conversations.model import Conversation, Message
from blog.conversations.summarising import SUMMARISE, is_due, summarise
from blog.posts.model import Post
from blog.posts.publishing import publish, unpublish
from blog.posts.reading import read_post
from storage import sqlite, upgrading
from storage.jobs import work_off
from tests.blog.conversations.talking import Scripted, answers_with, ask, begin, give, harbour, program, take_back
from tests.support import TESTER, Client, Site


class Summing(Scripted):
    """Says what it was told to, and does something first."""

    def __init__(self, said: Any, first: Callable[[], None] = lambda: None) -> None:
        super().__init__("Words.")
        self.said, self.first, self.heard = said, first, list[tuple[str, int]]()
        self.said_to = list[Message]()

    def summarise(self, former: str, said: Any) -> str | None:
        self.heard.append((former, len(said)))
        self.said_to = list(said)
        self.first()
        if isinstance(self.said, Silent):
            raise self.said
        return self.said


def row(site: Site, conversation: str) -> Conversation:
    with site.database.reading() as db:
        found = queries.find_conversation(db, conversation)
    assert found is not None
    return found


def jobs(site: Site) -> list[Any]:
    with site.database.reading() as db:
        rows = db.exec_driver_sql(f"SELECT payload FROM jobs WHERE kind = '{SUMMARISE}' ORDER BY id").scalars()
        return [json.loads(text) for text in rows]


def talk(rita: Client, conversation: str, count: int) -> None:
    for number in range(count):
        assert ask(rita, conversation, f"What of the harbour, number {number}?").status_code == 201


@pytest.mark.parametrize(
    ("count", "summed_up", "due"),
    [(0, 0, False), (8, 0, False), (9, 0, False), (10, 0, True), (11, 0, True), (12, 10, False), (19, 11, False), (20, 10, True), (21, 19, True), (21, 20, False), (40, 10, True)],
)  # fmt: skip
def test_it_is_due_at_and_past_a_multiple_of_ten(count: int, summed_up: int, due: bool) -> None:
    assert is_due(count, summed_up) is due


def test_the_exchange_that_brings_ten_messages_plans_it_and_the_job_renews_it(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    talk(rita, conversation, 4)
    assert jobs(site) == []
    talk(rita, conversation, 1)
    assert jobs(site) == [{"conversation": conversation}]
    # The lock is free by then.
    assert site.rows("locks") == 0
    asked = iter([False, False, True])
    handler = {SUMMARISE: lambda database, payload: summarise(database, payload, answerer=Quoting())}
    work_off(site.database, handler, lambda _seconds: next(asked))
    assert jobs(site) == []
    found = row(site, conversation)
    assert found.summary_count == 10
    first, second = found.summary.splitlines()[:2]
    assert first == "Asked: What of the harbour, number 0?"
    assert second.startswith("Found in: Harbour")
    shown = rita.get(f"/v1/conversations/{conversation}").json
    assert shown is not None
    assert shown["summary"] == found.summary
    talk(rita, conversation, 4)
    assert jobs(site) == []
    talk(rita, conversation, 1)
    assert jobs(site) == [{"conversation": conversation}]


def test_an_exchange_that_passes_a_multiple_of_ten_plans_it_too(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    talk(rita, conversation, 4)
    # A question without an answer: whoever answered died.
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE conversations SET message_count = 9")
    talk(rita, conversation, 1)
    assert jobs(site) == [{"conversation": conversation}]


def test_it_is_part_of_the_next_prompt(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    talk(rita, conversation, 5)
    summarise(site.database, {"conversation": conversation}, answerer=Summing("It was about the harbour."))
    scripted = answers_with(site, "Words.")
    talk(rita, conversation, 1)
    assert scripted.prompts[0].summary == "It was about the harbour."
    assert len(scripted.prompts[0].last) == 10


def test_twice_is_once(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    talk(rita, conversation, 5)
    model = Summing("First.")
    for _ in range(2):
        summarise(site.database, {"conversation": conversation}, answerer=model)
    assert model.heard == [("", 10)]
    found = row(site, conversation)
    model.said = "Second."
    summarise(site.database, {"conversation": conversation}, answerer=model)
    assert row(site, conversation) == found


def test_an_older_one_never_replaces_a_newer_one(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    talk(rita, conversation, 5)

    def be_overtaken() -> None:
        talk(rita, conversation, 5)
        summarise(site.database, {"conversation": conversation}, answerer=Summing("The newer one."))

    summarise(site.database, {"conversation": conversation}, answerer=Summing("The older one.", be_overtaken))
    found = row(site, conversation)
    assert (found.summary, found.summary_count) == ("The newer one.", 20)


@pytest.mark.parametrize("said", [Silent("no"), None, ""])
def test_where_no_model_says_it_it_is_an_extract(site: Site, said: Any) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    talk(rita, conversation, 5)
    summarise(site.database, {"conversation": conversation}, answerer=Summing(said))
    found = row(site, conversation)
    assert found.summary.startswith("Asked: What of the harbour, number 0?")
    assert found.summary_count == 10


def test_it_has_a_bound(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    for _ in range(5):
        ask(rita, conversation, "harbour " * 500)
    summarise(site.database, {"conversation": conversation}, answerer=Summing("word " * 100_000))
    assert len(row(site, conversation).summary) == 2000
    ask(rita, conversation, "x" * 4000)


def test_of_a_conversation_that_is_gone_there_is_nothing_to_sum_up(site: Site) -> None:
    assert summarise(site.database, {"conversation": "none"}, answerer=Summing("x")) is None


def _withdraw(site: Site, post: Post, _conversation: str) -> None:
    take_back(site, post)


def _unpublish(site: Site, _post: Post, _conversation: str) -> None:
    with site.database.transaction(is_checked=False) as db:
        db.exec_driver_sql("UPDATE posts SET status = 'draft'")


def _block(site: Site, _post: Post, _conversation: str) -> None:
    with site.database.transaction() as db:
        block(db, "rita", by=TESTER, links=LINKS)


@pytest.mark.parametrize("close", [_withdraw, _unpublish, _block])
@pytest.mark.parametrize("is_asked", [False, True], ids=["before", "while it is summed up"])
def test_once_its_reader_may_not_read_it_nobody_sums_it_up(
    site: Site, close: Callable[[Site, Post, str], None], is_asked: bool
) -> None:
    post = harbour(site, visibility="granted")
    give(site, post)
    rita = program(site)
    conversation = begin(rita, save=False)
    talk(rita, conversation, 5)
    before = row(site, conversation)
    model = Summing("It was about the harbour.", lambda: close(site, post, conversation) if is_asked else None)
    if not is_asked:
        close(site, post, conversation)
    assert summarise(site.database, {"conversation": conversation}, answerer=model) is None
    assert model.heard == ([("", 10)] if is_asked else [])
    assert row(site, conversation) == before


def test_once_the_post_is_not_held_any_more_it_is_not_shown(site: Site) -> None:
    post = harbour(site)
    rita = program(site)
    conversation = begin(rita)
    talk(rita, conversation, 5)
    summarise(site.database, {"conversation": conversation}, answerer=Summing("It was about the harbour."))
    assert rita.delete(f"/v1/library/{post.id}").status_code == 204
    assert "about the harbour" not in rita.get(f"/v1/conversations/{conversation}").text


@pytest.fixture
def quoting(site: Site) -> Callable[[], None]:
    """Let answers be found in the whole blog, of which another post tells of the harbour too; take that post away."""
    harbour(site)
    other = site.post("ada", title="Tides", slug="tides", body="## Harbour\n\nThe harbour fills with eels at night.")
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE guides SET scope = 'blog', version = version + 1")

    def take_away() -> None:
        with site.database.transaction() as db:
            unpublish(db, other.id, by=site.principal("ada"))

    return take_away


def shown(rita: Client, conversation: str) -> list[str]:
    """The preview, everywhere it is told, and the summary."""
    row = rita.get(f"/v1/conversations/{conversation}").json
    listed = rita.get("/v1/conversations").json
    renamed = rita.patch(f"/v1/conversations/{conversation}", json={"title": "Eels"}).json
    assert row is not None
    assert listed is not None
    assert renamed is not None
    return [row["preview"], listed["items"][0]["preview"], renamed["preview"], row["summary"]]


def test_what_was_made_of_a_post_that_is_not_theirs_to_read_any_more_is_not_told(
    site: Site, quoting: Callable[[], None]
) -> None:
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Eels come at night.")
    talk(rita, conversation, 5)
    summarise(site.database, {"conversation": conversation}, answerer=Summing("It was about eels."))
    told = shown(rita, conversation)
    assert told == ["Eels come at night."] * 3 + ["It was about eels."]
    assert "Eels come" in site.client("rita").get("/conversations").text
    quoting()
    assert shown(rita, conversation) == [""] * 4
    assert "Eels come" not in site.client("rita").get("/conversations").text
    seen = answers_with(site, "Nothing.")
    talk(rita, conversation, 1)
    assert seen.prompts[0].summary == ""
    with site.database.transaction() as db:
        ada = site.principal("ada")
        publish(db, read_post(db, by=ada, slug="tides").post.id, by=ada)
    assert shown(rita, conversation)[3] == "It was about eels."


def test_the_next_preview_and_the_next_summary_are_made_without_it(site: Site, quoting: Callable[[], None]) -> None:
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Eels come at night.")
    talk(rita, conversation, 5)
    summarise(site.database, {"conversation": conversation}, answerer=Summing("It was about eels."))
    quoting()
    answers_with(site, "The lighthouse.")
    talk(rita, conversation, 5)
    model = Summing("It was about the lighthouse.")
    summarise(site.database, {"conversation": conversation}, answerer=model)
    ((former, said),) = model.heard
    assert (former, said) == ("", 20)
    assert not any("Eels" in message.content for message in model.said_to)
    assert shown(rita, conversation) == ["The lighthouse."] * 3 + ["It was about the lighthouse."]


def test_what_the_former_summary_was_made_of_counts_for_the_next(site: Site, quoting: Callable[[], None]) -> None:
    rita = program(site)
    conversation = begin(rita)
    talk(rita, conversation, 5)
    summarise(site.database, {"conversation": conversation}, answerer=Summing("It was about eels."))
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE guides SET scope = 'post', version = version + 1")
        # So many answers since that none that quotes it is looked at.
        db.exec_driver_sql("UPDATE messages SET passages = '[]'")
    talk(rita, conversation, 5)
    summarise(site.database, {"conversation": conversation}, answerer=Summing("Of eels, and of lighthouses."))
    assert shown(rita, conversation)[3] == "Of eels, and of lighthouses."
    quoting()
    assert shown(rita, conversation)[3] == ""


def test_of_what_was_there_before_the_upgrade_all_that_was_quoted_counts(tmp_path: Path) -> None:
    path = tmp_path / "byline.db"
    upgrading._migrate(path, to="0020")
    with sqlite.opened(path, mode="rw") as db:
        db.execute(
            "INSERT INTO users (id, username, display_name, role, created_at) VALUES (1, 'alan', '', 'author', 0)"
        )
        for name in ("asked", "quoted", "other"):
            db.execute(_POST_OF_0020, (name, name))
        (guide,) = db.execute("SELECT id FROM guides").fetchone()
        db.execute(
            "INSERT INTO conversations VALUES ('talk', 1, ?, 'asked', '', 2, '', 0, 1, '', 0, 1, 0, 0)", (guide,)
        )
        quoting = json.dumps([{"post": "quoted"}, {"post": "asked"}, {"post": "quoted"}, {"post": "gone"}])
        for number, passages in enumerate(("[]", quoting), start=1):
            message = "INSERT INTO messages VALUES (?, 'talk', ?, 'guide', '', '', ?, 'done', 0)"
            db.execute(message, (str(number), number, passages))
    upgrading.upgrade(path)
    with sqlite.opened(path, mode="ro") as db:
        found = db.execute("SELECT * FROM conversation_sources ORDER BY part, post_id").fetchall()
    assert found == [("talk", part, post) for part in ("preview", "summary") for post in ("asked", "quoted")]


_POST_OF_0020 = """
INSERT INTO posts (id, slug, author_id, title, body, html, renderer_version, excerpt, summary, tags, status, visibility,
                   published_at, version, created_at, updated_at)
VALUES (?, ?, 1, '', '', '', 1, '', '', '', 'published', 'public', 0, 1, 0, 0)
"""
