"""An author leaves and takes their words along: what others were answered from them is gone too."""

from typing import Any

import pytest

from app import WRITINGS
from auth.leaving.leaving import finish_leaving, leave
from blog.conversations.asking_models import Model
from blog.conversations.summarising import summarise
from blog.leaving import erasing
from blog.posts.model import Post
from tests.blog.conversations.talking import QUESTION, answers_with, ask, begin, harbour, messages, program
from tests.support import TESTER, Client, Site

WORD = "zebrafinch"
BODY = f"## Harbour\n\nThe lighthouse of the harbour was built by a {WORD}.\n"
GONE = "This answer is gone: what it was made of was deleted by its author."


def erased(site: Site, name: str = "alan", to: str | None = None) -> None:
    """They leave, and all that takes long is done."""
    with site.database.transaction() as db:
        rest = leave(db, name, to=to, by=TESTER, writings=WRITINGS)
    while finish_leaving(site.database, rest, writings=WRITINGS) is not None:
        pass


def kept(site: Site) -> str:
    """All that is stored of conversations."""
    with site.database.reading() as db:
        tables = ("messages", "conversations")
        return "\n".join(str(row) for table in tables for row in db.exec_driver_sql(f"SELECT * FROM {table}"))


def whole_blog(site: Site) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE guides SET scope = 'blog', version = version + 1")


def of_finches(site: Site, **values: Any) -> Post:
    return harbour(site, **{"title": f"The {WORD}", "body": BODY} | values)


def summed_up(site: Site, conversation: str) -> None:
    with site.database.transaction() as db:
        statement = "UPDATE conversations SET summary = ?, summary_count = 1 WHERE id = ?"
        db.exec_driver_sql(statement, (f"Of a {WORD}.", conversation))


def asked(site: Site, client: Client, post: str) -> str:
    conversation = begin(client, post)
    answer = ask(client, conversation)
    assert WORD in answer.json["message"]["content"]
    summed_up(site, conversation)
    return conversation


def test_a_conversation_about_it_keeps_only_what_its_reader_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "_ANSWERS_AT_ONCE", 1)
    of_finches(site)
    rita = program(site)
    conversation = asked(site, rita, "harbour")
    ask(rita, conversation, "And the harbour of the lighthouse?")
    other, unasked = asked(site, rita, "harbour"), begin(rita)
    assert rita.patch(f"/v1/conversations/{other}", json={"title": "Mine"}).status_code == 200
    assert WORD in kept(site)
    erased(site)
    assert WORD not in kept(site)
    assert [each["content"] for each in messages(rita, conversation)] == [
        QUESTION,
        "And the harbour of the lighthouse?",
    ]
    page = site.client("rita").get(f"/conversations/{conversation}").text
    assert page.count(GONE) == 2
    assert "This post was deleted." in page
    assert f'<h1 dir="auto">{QUESTION}</h1>' in page
    page = site.client("rita").get(f"/conversations/{unasked}").text
    assert '<h1 dir="auto">Untitled</h1>' in page
    assert "Save it" not in page
    assert "Mine</h1>" in site.client("rita").get(f"/conversations/{other}").text
    assert ask(rita, conversation).status_code == 403


def test_an_answer_that_quotes_it_elsewhere_is_gone_and_the_others_stay(site: Site) -> None:
    of_finches(site)
    harbour(site, "ada", title="Ropes", slug="ropes", body="## Ropes\n\nA wet rope dries in the wind.\n")
    whole_blog(site)
    rita = program(site)
    conversation = asked(site, rita, "ropes")
    dry = ask(rita, conversation, "What dries a wet rope?").json["message"]
    assert dry["content"]
    version = version_of(site, conversation)
    erased(site)
    assert WORD not in kept(site)
    assert version_of(site, conversation) > version
    said = messages(rita, conversation)
    assert [(each["role"], each["state"]) for each in said] == [
        ("reader", "done"),
        ("guide", "erased"),
        ("reader", "done"),
        ("guide", "done"),
    ]
    assert (said[1]["content"], said[1]["html"], said[1]["passages"]) == ("", "", [])
    assert said[3] == dry
    page = site.client("rita").get(f"/conversations/{conversation}").text
    assert page.count(GONE) == 1
    assert "dries in the wind" in page
    assert ask(rita, conversation).status_code == 201
    assert WORD not in kept(site)


def test_what_is_given_to_somebody_stays(site: Site) -> None:
    of_finches(site)
    rita = program(site)
    conversation = asked(site, rita, "harbour")
    before = messages(rita, conversation)
    erased(site, to="ada")
    assert messages(rita, conversation) == before


def test_an_answer_on_its_way_that_quotes_it_is_not_stored(site: Site) -> None:
    of_finches(site)
    harbour(site, "ada", title="Ropes", slug="ropes", body="## Ropes\n\nA wet rope dries in the wind.\n")
    whole_blog(site)
    rita = program(site)
    conversation = begin(rita, "ropes")
    answers_with(site, f"A {WORD}. ", lambda: erased(site), "The end.")
    refused = ask(rita, conversation)
    assert (refused.status_code, "deleted meanwhile" in refused.text) == (410, True)
    assert WORD not in kept(site)
    assert [each["role"] for each in messages(rita, conversation)] == ["reader"]


def test_a_summary_that_is_being_made_of_it_comes_too_late(site: Site) -> None:
    of_finches(site)
    harbour(site, "ada", title="Ropes", slug="ropes", body="## Ropes\n\nA wet rope dries in the wind.\n")
    whole_blog(site)
    rita = program(site)
    conversation = begin(rita, "ropes")
    for _ in range(5):
        ask(rita, conversation)

    class Late(Model):
        def summarise(self, former: str, said: Any) -> str | None:
            erased(site)
            return f"Of a {WORD}."

    assert summarise(site.database, {"conversation": conversation}, answerer=Late("", "", None)) is None
    assert WORD not in kept(site)


def version_of(site: Site, conversation: str) -> int:
    with site.database.reading() as db:
        statement = "SELECT version FROM conversations WHERE id = ?"
        return int(db.exec_driver_sql(statement, (conversation,)).scalar_one())
