"""Conversations over the API: whose they are, what each request is answered, and in which order it is refused."""

from typing import Any

import pytest
import time_machine

from auth.permissions import Scope
from blog.conversations import owning
from blog.conversations.answering import Silent
from storage.ids import new_id
from tests.blog.conversations.talking import (
    QUESTION,
    answers_with,
    ask,
    begin,
    events_in,
    give,
    harbour,
    messages,
    program,
    take_back,
)
from tests.support import Site
from web.site.queries import change_questions_a_day

ROW = {
    "id", "guide", "post", "title", "message_count", "preview", "is_archived", "created_at", "updated_at",
}  # fmt: skip


def counts(site: Site) -> tuple[int, int]:
    return site.rows("conversations"), site.rows("messages")


def test_a_conversation_from_its_beginning_to_its_answer(site: Site) -> None:
    post, rita = harbour(site), program(site)
    conversation = begin(rita)
    answer = ask(rita, conversation)
    assert answer.status_code == 201
    message = answer.json["message"]
    assert answer.json["message_count"] == 2
    assert (message["role"], message["state"]) == ("guide", "done")
    assert "fishermen" in message["content"]
    passage = message["passages"][0]
    assert (passage["post"], passage["heading"], passage["number"]) == (post.id, "Harbour", 1)
    assert passage["url"] == "http://localhost:8000/posts/harbour#section_harbour"
    assert "1857" in passage["quote"]
    row = rita.get(f"/v1/conversations/{conversation}").json
    assert row is not None
    assert set(row) == ROW | {"summary"}
    assert (row["message_count"], row["title"], row["is_archived"]) == (2, QUESTION, False)
    assert row["preview"].startswith("These passages say the most")
    assert len(row["preview"]) <= 102
    said = messages(rita, conversation)
    assert [each["content"] for each in said] == [QUESTION, message["content"]]
    assert said[1] == message
    listed = rita.get("/v1/conversations").json
    assert listed is not None
    assert [each["id"] for each in listed["items"]] == [conversation]
    assert set(listed["items"][0]) == ROW
    assert listed["next"] is None


def test_a_stream_says_accepted_then_passages_then_words_then_done(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answer = ask(rita, conversation, accept="text/event-stream")
    assert answer.status_code == 200
    assert answer.content_type == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    said = events_in(answer.text)
    names = [event.name for event in said]
    assert names[0] == "accepted"
    assert names[-1] == "done"
    assert sorted(set(names)) == ["accepted", "delta", "done", "passage"]
    assert names.index("delta") > max(at for at, name in enumerate(names) if name == "passage")
    stored = messages(rita, conversation)
    assert said[0].data == {"message_id": stored[0]["id"]}
    assert set(said[1].data) >= {"number", "post", "heading", "url", "quote"}
    assert said[-1].data == {"message": stored[1], "message_count": 2}
    assert "".join(event.data["text"] for event in said if event.name == "delta") == stored[1]["content"]


def test_without_a_wish_it_is_a_stream(site: Site) -> None:
    harbour(site)
    rita = program(site)
    assert ask(rita, begin(rita), accept="*/*").content_type.startswith("text/event-stream")


def test_nothing_that_fits_is_said_to_be_nothing(site: Site) -> None:
    harbour(site)
    rita = program(site)
    message = ask(rita, begin(rita), "zygote?").json["message"]
    assert message["passages"] == []
    assert message["content"].startswith("I found nothing")


def test_put_again_is_the_same_row_whatever_else_is_said(site: Site) -> None:
    harbour(site)
    other = site.post("alan", slug="other")
    rita = program(site)
    conversation = begin(rita)
    rita.post("/v1/library", json={"post": other.id})
    for path in (conversation, conversation.upper(), conversation.replace("-", "")):
        again = rita.put(f"/v1/conversations/{path}", json={"post": other.id, "title": "Another"})
        assert again.status_code == 200
        assert again.json is not None
        assert (again.json["id"], again.json["title"]) == (conversation, "The harbour")
    assert site.rows("conversations") == 1


def test_an_uppercase_id_makes_the_same_row(site: Site) -> None:
    harbour(site)
    rita, name = program(site), new_id().upper()
    rita.post("/v1/library", json={"post": "harbour"})
    made = rita.put(f"/v1/conversations/{name}", json={"post": "harbour"})
    assert (made.status_code, made.json and made.json["id"]) == (201, name.lower())
    assert ask(rita, name).status_code == 201


def test_patch_renames_and_archives_and_the_list_keeps_them_apart(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    path = f"/v1/conversations/{conversation}"
    assert rita.patch(path, json={"title": "  My talk "}).json["title"] == "My talk"
    assert rita.patch(path, json={"is_archived": True}).json["is_archived"] is True
    assert rita.get("/v1/conversations").json["items"] == []
    archived = rita.get("/v1/conversations?archived=true").json
    assert archived is not None
    assert [each["title"] for each in archived["items"]] == ["My talk"]
    refused = ask(rita, conversation)
    assert refused.status_code == 409
    assert "archive" in refused.json["detail"]
    assert site.rows("messages") == 0
    assert rita.patch(path, json={"is_archived": False}).status_code == 200
    assert ask(rita, conversation).status_code == 201


def test_nobody_reads_what_another_one_asks_not_even_owners(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    assert ask(rita, conversation).status_code == 201
    before = counts(site)
    everything = tuple(Scope)
    for name in ("olive", "edith", "alan", "ada"):
        for client in (site.client(name), site.client(token=site.token(name, *everything))):
            path = f"/v1/conversations/{conversation}"
            assert client.get(path).status_code == 404
            assert client.get(f"{path}/messages").status_code == 404
            # Before the form token is asked for.
            assert client.patch(path, json={"title": "Mine"}).status_code == 404
            assert client.put(path, json={"post": "harbour"}).status_code == 404
            assert client.post(f"{path}/messages", json={"content": "Hello?"}).status_code == 404
            assert client.get("/v1/conversations").json == {"items": [], "next": None}
    assert counts(site) == before


@pytest.mark.parametrize(
    "name", ["", "none", "1", "0" * 31, "%00", "..", "é", "f" * 4000, "{}", "null", "%F0%9F%98%80"]
)
def test_what_is_no_uuid_is_no_conversation(site: Site, name: str) -> None:
    harbour(site)
    rita = program(site)
    rita.post("/v1/library", json={"post": "harbour"})
    path = f"/v1/conversations/{name}"
    assert rita.get(path + "/messages").status_code in (404, 308)
    assert rita.post(path + "/messages", json={"content": "?"}).status_code in (404, 405)
    assert rita.patch(path, json={"title": "?"}).status_code in (404, 405)
    assert rita.put(path, json={"post": "harbour"}).status_code in (404, 405, 422)
    assert counts(site) == (0, 0)


def test_a_message_to_an_unknown_id_makes_no_conversation(site: Site) -> None:
    harbour(site)
    rita = program(site)
    rita.post("/v1/library", json={"post": "harbour"})
    assert ask(rita, new_id()).status_code == 404
    assert counts(site) == (0, 0)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("", 422), ("   \n\t ", 422), ("x" * 4001, 422), ("x" * 1_000_000, 422), ("a\x00b", 422), ("a\x1bb", 422),
        (None, 422), (5, 422), (["a"], 422), ({}, 422), (True, 422),
        ("x", 201), ("x" * 4000, 201), ("😀" * 4000, 201), ("  " + "é" * 4000 + "\n", 201), ("a\r\nb", 201),
        ("' OR 1=1 --", 201), ('"' * 300, 201), ("NEAR(a b) AND * :", 201), ("‮evil⁦", 201),
    ],
    ids=repr,
)  # fmt: skip
def test_what_may_be_asked(site: Site, content: Any, status: int) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answer = ask(rita, conversation, content)
    assert answer.status_code == status, answer.text
    if status == 422:
        assert [error["field"] for error in answer.json["errors"]] == ["content"]
        assert counts(site) == (1, 0)
    else:
        assert messages(rita, conversation)[0]["content"] == content.strip().replace("\r\n", "\n")


@pytest.mark.parametrize(
    "body",
    [
        b'{"content": "\\ud800"}',
        b'{"content": "a\\udfffb"}',
        b'{"\\ud800": 1, "content": "a"}',
        b'{"content": "a", "role": "guide"}',
        b"{}",
    ],
)
def test_lone_surrogates_and_unknown_fields_are_named_and_nothing_is_stored(site: Site, body: bytes) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    path = f"/v1/conversations/{conversation}/messages"
    answer = rita.post(path, data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json is not None
    assert len(answer.json["errors"]) == 1
    assert counts(site) == (1, 0)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"a", "text/plain", 415),
        (b"x" * 3_000_000, "application/json", 413),
    ],
)
def test_what_is_not_understood(site: Site, body: bytes, kind: str, status: int) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    for path, method in (("/messages", "POST"), ("", "PATCH"), ("", "PUT")):
        answer = rita.open(f"/v1/conversations/{conversation}{path}", method=method, data=body, content_type=kind)
        assert answer.status_code == status
    assert counts(site) == (1, 0)


class TestRefusalsComeInOrder:
    def test_nobody(self, site: Site) -> None:
        for method, path in (
            ("GET", ""),
            ("GET", f"/{new_id()}"),
            ("PUT", "/x"),
            ("PATCH", "/x"),
            ("POST", "/x/messages"),
        ):
            for client in (site.client(), site.client(token="byl_" + "x" * 43)):
                answer = client.open(f"/v1/conversations{path}", method=method, json={"nonsense": 1})
                assert answer.status_code == 401
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_a_token_without_the_scope(self, site: Site) -> None:
        others = [scope for scope in Scope if scope != Scope.CONVERSATIONS]
        rita = site.client(token=site.token("rita", *others))
        for method, path in (
            ("GET", ""),
            ("GET", f"/{new_id()}"),
            ("PUT", "/x"),
            ("PATCH", "/x"),
            ("POST", "/x/messages"),
        ):
            assert rita.open(f"/v1/conversations{path}", method=method, json={"nonsense": 1}).status_code == 403

    def test_an_unknown_id_before_the_form_token_and_that_before_the_content(self, site: Site) -> None:
        harbour(site)
        rita = program(site)
        conversation, browser = begin(rita), site.client("rita")
        for path, method in ((f"{new_id()}/messages", "POST"), (new_id(), "PATCH")):
            assert browser.open(f"/v1/conversations/{path}", method=method, json={"bad": 1}).status_code == 404
        for path, method in ((f"{conversation}/messages", "POST"), (conversation, "PATCH"), (conversation, "PUT")):
            answer = browser.open(f"/v1/conversations/{path}", method=method, json={"bad": 1})
            assert answer.status_code == 403
            assert "token" in answer.text
        token = browser.form_token("/account/profile")
        for path, method in ((f"{conversation}/messages", "POST"), (conversation, "PATCH"), (conversation, "PUT")):
            answer = browser.open(
                f"/v1/conversations/{path}", method=method, json={"bad": 1}, headers={"X-CSRF-Token": token}
            )
            assert answer.status_code == 422

    def test_archived_and_withdrawn_before_the_content(self, site: Site) -> None:
        post, rita = harbour(site, visibility="granted"), program(site)
        give(site, post)
        conversation = begin(rita, save=False)
        path = f"/v1/conversations/{conversation}"
        rita.patch(path, json={"is_archived": True})
        for body in ({"content": ""}, {"content": 5}, {"bad": 1}):
            assert rita.post(f"{path}/messages", json=body).status_code == 409
        take_back(site, post)
        for body in ({"content": ""}, {"content": 5}, {"bad": 1}):
            assert rita.post(f"{path}/messages", json=body).status_code == 403


def test_a_person_begins_so_many_in_a_day(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owning, "MOST_A_DAY", 2)
    with time_machine.travel(1_900_000_000, tick=False) as now:
        harbour(site)
        rita, alan = program(site), program(site, "alan")
        first, _second = begin(rita), begin(rita)
        events = site.rows("events")
        refused = rita.put(f"/v1/conversations/{new_id()}", json={"post": "harbour"})
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (429, True)
        assert (site.rows("conversations"), site.rows("events")) == (2, events)
        assert rita.put(f"/v1/conversations/{first}", json={"post": "harbour"}).status_code == 200
        page = site.client("rita").submit(
            f"/conversations/{new_id()}/ask", page="/library", post="harbour", content=QUESTION
        )
        assert (page.status_code, QUESTION in page.text) == (429, True)
        begin(alan, save=False)
        now.shift(24 * 3600 + 1)
        later = program(site)
        begin(later)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"post": ""},
        {"post": 5},
        {"post": "harbour", "guide": "none"},
        {"post": "harbour", "guide": new_id()},
        {"post": "harbour", "title": ""},
        {"post": "harbour", "title": "x" * 201},
        {"post": "harbour", "title": "a\nb"},
        {"post": "harbour", "message_count": 3},
        {"post": "harbour", "title": "\x00"},
    ],
)
def test_a_beginning_that_makes_no_sense(site: Site, body: Any) -> None:
    harbour(site)
    rita = program(site)
    rita.post("/v1/library", json={"post": "harbour"})
    answer = rita.put(f"/v1/conversations/{new_id()}", json=body)
    assert answer.status_code == 422
    assert site.rows("conversations") == 0


def test_a_post_that_is_not_held_unknown_unreadable_or_deleted(site: Site) -> None:
    harbour(site)
    draft, granted = site.post("alan", slug="draft", status="draft"), harbour(site, slug="given", visibility="granted")
    rita = program(site)
    refused = rita.put(f"/v1/conversations/{new_id()}", json={"post": "harbour"})
    assert refused.status_code == 403
    assert refused.json is not None
    assert "POST /v1/library" in refused.json["detail"]
    for name in ("unknown", new_id(), draft.id, granted.id, "given", "\x00", "/"):
        assert rita.put(f"/v1/conversations/{new_id()}", json={"post": name}).status_code == 404
    assert site.rows("conversations") == 0


def test_ones_own_post_is_held_anyway(site: Site) -> None:
    harbour(site, visibility="granted")
    for scopes in ((Scope.CONVERSATIONS,), tuple(Scope)):
        alan = program(site, "alan", *scopes)
        conversation = begin(alan, save=False)
        assert ask(alan, conversation).status_code == 201
        listed = alan.get("/v1/conversations").json
        assert listed is not None
        assert listed["items"][0]["preview"]


def test_lists_have_limits_and_places(site: Site) -> None:
    harbour(site)
    rita = program(site)
    made = [begin(rita) for _ in range(5)]
    seen: list[str] = []
    path = "/v1/conversations?limit=2"
    while path:
        page = rita.get(path).json
        assert page is not None
        seen += [each["id"] for each in page["items"]]
        path = (page["next"] or "").removeprefix("http://localhost:8000")
    assert seen == made[::-1]
    for query in (
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=٣",
        "limit=99999",
        "archived=yes",
        "archived=",
    ):
        assert rita.get(f"/v1/conversations?{query}").status_code == 422
    for before in ("x", "1~x", "~", f"{'9' * 19}~{made[0]}", f"-1~{made[0]}", f"1e5~{made[0]}", "\x00", "%F0%9F"):
        assert rita.get("/v1/conversations", query_string={"before": before}).status_code == 422
    # Well formed, and nobody's place: an empty page, or what stands behind it.
    assert rita.get(f"/v1/conversations?before=1~{new_id()}").json == {"items": [], "next": None}
    for query in ("limit=0", "limit=101", "after=-1", "after=x", "after=9999999999", "after="):
        assert rita.get(f"/v1/conversations/{made[0]}/messages?{query}").status_code == 422


def test_messages_come_in_pages(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    for number in range(3):
        assert ask(rita, conversation, f"What about storms, part {number}?").status_code == 201
    whole, seen = messages(rita, conversation), []
    path = f"/v1/conversations/{conversation}/messages?limit=4"
    while path:
        page = rita.get(path).json
        assert page is not None
        seen += page["items"]
        path = (page["next"] or "").removeprefix("http://localhost:8000")
    assert seen == whole
    assert [each["role"] for each in whole] == ["reader", "guide"] * 3


def test_a_day_has_as_many_questions_as_the_owner_says(site: Site) -> None:
    with site.database.transaction() as db:
        change_questions_a_day(db, 3)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        harbour(site)
        rita, ada = program(site), program(site, "ada")
        ones = [begin(rita), begin(rita)]
        for number in range(3):
            assert ask(rita, ones[number % 2]).status_code == 201
        refused = ask(rita, ones[0])
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert "one day, 3." in refused.json["detail"]
        assert site.rows("messages") == 6
        assert ask(ada, begin(ada)).status_code == 201
        clock.shift(24 * 3600 + 1)
        assert ask(rita, ones[0]).status_code == 201


def test_a_question_whose_answer_failed_is_none_of_the_days(site: Site) -> None:
    with site.database.transaction() as db:
        change_questions_a_day(db, 2)
    harbour(site)
    rita = program(site)
    conversation, other = begin(rita), begin(rita)
    answers_with(site, Silent("It fell silent."))
    for _ in range(3):
        assert ask(rita, conversation).json["message"]["state"] == "failed"
    answers_with(site, "Words.")
    assert ask(rita, conversation).status_code == 201
    # One that was broken off counts.
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE messages SET state = 'abandoned' WHERE content = 'Words.'")
    assert ask(rita, other).status_code == 201
    assert ask(rita, other).status_code == 429


def test_the_owner_sets_it_on_the_page_of_settings(site: Site) -> None:
    olive = site.client("olive")
    assert 'value="200"' in olive.get("/admin/settings").text
    fields = {"name": "Byline", "tagline": "", "language": "en", "time_zone": "UTC"}
    assert olive.submit("/admin/settings", **fields, questions_a_day="7").status_code == 303
    assert 'value="7"' in olive.get("/admin/settings").text
    for wrong in ("0", "-1", "x", "100001", "9" * 30, "٣"):
        assert olive.submit("/admin/settings", **fields, questions_a_day=wrong).status_code == 422
    assert olive.submit("/admin/settings", **fields).status_code == 303
    assert 'value="7"' in olive.get("/admin/settings").text


def test_only_so_many_streams_to_one_person_and_in_all(site: Site) -> None:
    harbour(site)
    answers_with(site, *["word "] * 3)
    people = {name: program(site, name) for name in ("rita", "ada", "edith")}
    around = site.app.extensions["conversations"]
    around.places._count, around.places._each = 3, 2
    open_ones, refused = [], None
    for name in ("rita", "rita", "rita", "ada"):
        client = people[name]
        conversation = begin(client)
        path = f"/v1/conversations/{conversation}/messages"
        answer = client.open(path, method="POST", json={"content": QUESTION}, buffered=False)
        if answer.status_code == 200:
            open_ones.append(answer)
        else:
            assert refused is None
            refused = (answer, client, conversation)
    assert refused is not None
    answer, rita, conversation = refused
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    edith = people["edith"]
    full = ask(edith, begin(edith))
    assert full.status_code == 503
    assert "server allows" in full.json["detail"]
    assert messages(rita, conversation) == []
    for each in open_ones:
        each.close()
    # The lock of what was refused is free, and so are the places.
    assert ask(rita, conversation).status_code == 201
    assert ask(edith, begin(edith)).status_code == 201
