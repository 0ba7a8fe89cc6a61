"""Asking and answering: one at a time, what is kept however it ends, and what the log knows of it."""

import io
import json
import zipfile
from typing import Any

import pytest
import time_machine

from app import LINKS
from auth.permissions import Scope
from blog.conversations.answering import Silent
from blog.conversations.asking import OPERATION
from blog.conversations.events import in_conversation
from blog.conversations.exchanging import Surroundings
from eventlog.ledger.announcing import announce, orphan_intents
from eventlog.log.following import events_since, list_past_sessions
from eventlog.retention.applying import apply_retention
from storage.errors import Busy, Full
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

SECRET = "byl_" + "s3cretABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789x"


def outcomes(site: Site) -> list[tuple[str, str | None]]:
    with site.database.reading() as db:
        return [tuple(row) for row in db.exec_driver_sql("SELECT operation, outcome FROM intents ORDER BY recorded_at")]


def log_of(site: Site, conversation: str) -> list[Any]:
    with site.database.reading() as db:
        return events_since(db, conversation, 0, 100)


def is_free(site: Site) -> bool:
    return site.rows("locks") == 0


def around(site: Site) -> Surroundings:
    found: Surroundings = site.app.extensions["conversations"]
    return found


def test_an_exchange_is_two_events_of_its_conversation_and_an_intent_that_is_done(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    message = ask(rita, conversation).json["message"]
    opened, asked, answered = log_of(site, conversation)
    said = messages(rita, conversation)
    assert [event.kind for event in (opened, asked, answered)] == [
        "conversation.opened",
        "conversation.asked",
        "conversation.answered",
    ]
    assert asked.payload == {"message": said[0]["id"], "content": QUESTION}
    assert answered.payload == {"message": message["id"], "state": "done"}
    assert {event.actor for event in (opened, asked, answered)} == {"rita"}
    assert {event.subject for event in (opened, asked, answered)} == {f"conversation:{conversation}"}
    assert outcomes(site) == [(OPERATION, "done")]
    assert is_free(site)
    with site.database.reading() as db:
        (past,) = [one for one in list_past_sessions(db, 20) if one.session_id == conversation]
    assert (past.first_message, past.event_count) == (QUESTION, 3)


def test_a_secret_in_a_question_is_not_in_the_log_and_the_question_is_as_it_was(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    question = f"Is {SECRET} the harbour's token?"
    assert ask(rita, conversation, question).status_code == 201
    assert messages(rita, conversation)[0]["content"] == question
    with site.database.reading() as db:
        told = db.exec_driver_sql("SELECT payload FROM events").scalars().all()
        (past,) = [one for one in list_past_sessions(db, 20) if one.session_id == conversation]
    assert SECRET not in json.dumps(list(told))
    assert past.first_message.startswith("Is ")
    assert SECRET not in past.first_message


def test_retention_empties_the_question_in_the_log_and_not_the_conversation(site: Site) -> None:
    with time_machine.travel("2026-09-01T12:00:00Z"):
        harbour(site)
        rita = program(site)
        conversation = begin(rita)
        assert ask(rita, conversation).status_code == 201
    apply_retention(site.database, 30)
    assert [event.payload for event in log_of(site, conversation)] == [None] * 3
    with site.database.reading() as db:
        (past,) = [one for one in list_past_sessions(db, 20) if one.session_id == conversation]
    assert past.first_message == ""
    assert messages(rita, conversation)[0]["content"] == QUESTION


def test_ones_own_export_holds_ones_own_conversations_and_nobody_elses(site: Site) -> None:
    harbour(site)
    rita, ada = program(site), program(site, "ada")
    ones, others = begin(rita), begin(ada)
    ask(rita, ones, "What did rita ask about the harbour?")
    ask(ada, others, "What did ada ask about the harbour?")
    answer = site.client("rita").submit("/account/export", level="standard", page="/account/sessions")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.data)) as bundle:
        events = [json.loads(line) for line in bundle.read("events.jsonl").splitlines()]
    kinds = [event["kind"] for event in events if event["session_id"] == ones]
    assert kinds == ["conversation.opened", "conversation.asked", "conversation.answered"]
    assert others not in {event["session_id"] for event in events}
    assert "What did ada" not in str(events)


def test_the_same_lock_refuses_a_second_question_and_stores_nothing(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation, other = begin(rita), begin(rita)
    refused: list[Any] = []

    def ask_others() -> None:
        refused.append(ask(program(site), conversation, "And another?"))
        answers_with(site, "Elsewhere.")
        assert ask(program(site), other, "Elsewhere?").status_code == 201

    answers_with(site, "One. ", ask_others)
    assert ask(rita, conversation).status_code == 201
    (answer,) = refused
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert len(messages(rita, conversation)) == 2
    assert is_free(site)


def test_a_reader_who_goes_away_leaves_what_was_said_and_may_ask_again(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "First words. ", "Then more. ", "The end.")
    path = f"/v1/conversations/{conversation}/messages"
    answer = rita.open(path, method="POST", json={"content": QUESTION}, buffered=False)
    stream: Any = iter(answer.response)
    got = b"".join(next(stream) for _ in range(4))
    answer.close()
    assert b"First words" in got
    said = messages(rita, conversation)
    assert [(each["role"], each["state"]) for each in said] == [("reader", "done"), ("guide", "abandoned")]
    assert said[1]["content"].startswith("First words.")
    assert "The end" not in said[1]["content"]
    assert outcomes(site) == [(OPERATION, "abandoned")]
    assert is_free(site)
    assert around(site).places._taken.total() == 0
    assert ask(rita, conversation, "Again?").json["message_count"] == 4


def test_one_who_is_gone_before_the_first_byte(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    path = f"/v1/conversations/{conversation}/messages"
    rita.open(path, method="POST", json={"content": QUESTION}, buffered=False).close()
    assert [each["state"] for each in messages(rita, conversation)] == ["done", "abandoned"]
    assert outcomes(site) == [(OPERATION, "abandoned")]
    assert is_free(site)


def test_an_answer_without_a_word_leaves_the_preview_of_the_one_before(site: Site) -> None:
    def shown() -> Any:
        row = rita.get(f"/v1/conversations/{conversation}").json
        assert row is not None
        return row["preview"]

    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    path = f"/v1/conversations/{conversation}/messages"
    for said, preview in (("", ""), ("A good answer.", "A good answer."), ("", "A good answer."), ("B.", "B.")):
        answers_with(site, said)
        if said:
            assert ask(rita, conversation).status_code == 201
        else:
            rita.open(path, method="POST", json={"content": QUESTION}, buffered=False).close()
        assert shown() == preview
    assert len(messages(rita, conversation)) == 8


def test_a_model_that_says_nothing_leaves_a_sentence_and_the_question(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Half an ans", Silent("It fell silent."))
    said = events_in(ask(rita, conversation, accept="text/event-stream").text)
    message = said[-1].data["message"]
    assert (message["state"], message["content"]) == ("failed", "Half an ans\n\nIt fell silent.")
    assert "".join(event.data["text"] for event in said if event.name == "delta") == message["content"]
    assert outcomes(site) == [(OPERATION, "failed")]
    assert is_free(site)


def test_a_database_that_is_busy_in_the_middle_leaves_a_sentence(site: Site) -> None:
    def fail() -> None:
        raise Busy("nobody knows when")

    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Half. ", fail)
    answer = ask(rita, conversation)
    assert answer.status_code == 201
    assert answer.json["message"]["state"] == "failed"
    assert "too busy" in answer.json["message"]["content"]
    assert is_free(site)


def test_a_lock_that_cannot_be_extended_at_once_does_not_end_the_answer(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blog.conversations.streaming._ASK_SECONDS", -1)
    monkeypatch.setattr("blog.conversations.streaming._EXTEND_SECONDS", -1)
    tries = list[str]()

    def extend(name: str, _token: str) -> bool:
        tries.append(name)
        if len(tries) == 2:
            return True
        raise Busy("not now")

    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "First. ", "Second. ", "Third.")
    monkeypatch.setattr(around(site).locks, "extend", extend)
    message = ask(rita, conversation).json["message"]
    assert (message["content"], message["state"]) == ("First. Second. Third.", "done")
    assert tries == [f"conversation:{conversation}"] * 3
    assert is_free(site)


def test_a_silent_model_keeps_the_connection_in_use_and_no_more(site: Site) -> None:
    harbour(site)
    rita = program(site)
    answers_with(site, None, None, "Words. ", None, "More.")
    text = ask(rita, begin(rita), accept="text/event-stream").text
    assert text.count(": \n\n") == 1
    assert events_in(text)[-1].data["message"]["content"] == "Words. More."


def test_a_fault_of_ours_in_the_middle_is_concluded_too(site: Site) -> None:
    class Unforeseen(Exception):
        pass

    def fail() -> None:
        raise Unforeseen

    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Half. ", fail)
    with pytest.raises(Unforeseen):
        ask(rita, conversation)
    assert [each["state"] for each in messages(rita, conversation)] == ["done", "abandoned"]
    assert outcomes(site) == [(OPERATION, "abandoned")]
    assert is_free(site)


@pytest.mark.parametrize(("error", "tries"), [(Busy, 3), (Full, 1)])
def test_an_answer_that_cannot_be_written_at_once(
    site: Site, error: type[Exception], tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blog.conversations import concluding

    real, count = concluding._write, 0

    def write(*args: Any) -> Any:
        nonlocal count
        count += 1
        if count <= 2:
            raise error("not now")
        return real(*args)

    monkeypatch.setattr(concluding, "_write", write)
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answer = ask(rita, conversation)
    assert count == tries
    if error is Busy:
        assert answer.status_code == 201
    else:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "Your question is" in answer.json["detail"]
        assert len(messages(rita, conversation)) == 1
    assert is_free(site)


@pytest.mark.parametrize("is_asked_for", [False, True], ids=["not asked for", "nobody can say"])
def test_a_question_that_came_later_bars_a_late_answer(
    site: Site, is_asked_for: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    if is_asked_for:

        def extend(_name: str, _token: str) -> bool:
            raise Busy("not now")

        monkeypatch.setattr("blog.conversations.streaming._ASK_SECONDS", -1)
        monkeypatch.setattr("blog.conversations.streaming._EXTEND_SECONDS", -1)
        monkeypatch.setattr(around(site).locks, "extend", extend)

    def pause_and_be_overtaken() -> None:
        # As if this process had been stopped past the lock's time, and another had gone on.
        with site.database.transaction() as db:
            db.exec_driver_sql("UPDATE locks SET held_until = 0")
        late = around(site).answerer
        answers_with(site, "The second answer.")
        assert ask(program(site), conversation, "The second?").status_code == 201
        site.app.extensions["conversations"] = around(site)
        assert late is not None

    answers_with(site, "The first ", pause_and_be_overtaken, "answer.")
    answer = ask(rita, conversation, "The first?")
    assert answer.status_code == 409
    assert [each["content"] for each in messages(rita, conversation)] == [
        "The first?",
        "The second?",
        "The second answer.",
    ]
    assert sorted(outcome or "" for _name, outcome in outcomes(site)) == ["abandoned", "done"]
    assert is_free(site)


def test_what_died_is_listed_and_asking_again_works(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    with site.database.transaction() as db:
        actor = in_conversation(conversation, site.principal("rita"))
        announce(db, OPERATION, by=actor, call_id="died", payload={"message": "x"})
    with site.database.reading() as db:
        assert [intent.call_id for intent in orphan_intents(db, conversation)] == ["died"]
    assert ask(rita, conversation).status_code == 201
    with site.database.reading() as db:
        assert [intent.call_id for intent in orphan_intents(db, conversation)] == ["died"]


def test_an_intent_that_a_person_concluded_meanwhile_does_not_lose_the_answer(site: Site) -> None:
    def conclude_by_hand() -> None:
        with site.database.transaction() as db:
            db.exec_driver_sql("UPDATE intents SET outcome = 'failed', concluded_at = 1")

    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Words.", conclude_by_hand)
    assert ask(rita, conversation).status_code == 201
    assert outcomes(site) == [(OPERATION, "failed")]


def end_credentials(site: Site) -> None:
    with site.database.transaction(is_checked=False) as db:
        db.exec_driver_sql("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE username = 'rita')")
        db.exec_driver_sql("DELETE FROM tokens")


@pytest.mark.parametrize("is_at_the_end", [True, False])
@pytest.mark.parametrize("has_token", [True, False])
def test_a_session_or_token_that_ends_in_the_middle_gets_no_more_and_what_was_said_is_kept(
    site: Site, is_at_the_end: bool, has_token: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blog.conversations.streaming._ASK_SECONDS", 1000 if is_at_the_end else -1)
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    browser = site.client("rita")
    token = browser.form_token(f"/conversations/{conversation}")
    answers_with(site, "Words. ", lambda: end_credentials(site), "More.")
    asking = rita if has_token else browser
    path, headers = f"/v1/conversations/{conversation}/messages", {"X-CSRF-Token": token}
    answer = asking.post(path, json={"content": QUESTION}, headers=headers)
    said = events_in(answer.text)
    assert (said[-1].name, said[-1].data["status"]) == ("error", 401)
    assert ("This token" if has_token else "You were signed out") in said[-1].data["detail"]
    assert "What was said so far is kept" in said[-1].data["detail"]
    assert outcomes(site) == [(OPERATION, "abandoned")]
    assert is_free(site)
    question, kept = messages(program(site), conversation)
    assert (kept["content"], kept["state"]) == ("Words. More." if is_at_the_end else "Words. ", "abandoned")
    assert "This answer broke off." in site.client("rita").get(f"/conversations/{conversation}").text
    assert question["content"] == QUESTION


def test_where_it_is_answered_as_a_whole_the_challenge_says_so(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Words. ", lambda: end_credentials(site))
    answer = ask(rita, conversation)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_one_who_is_signed_out_while_the_post_is_taken_back_keeps_nothing(site: Site) -> None:
    def end_both() -> None:
        take_back(site, post)
        end_credentials(site)

    post = harbour(site, visibility="granted")
    give(site, post)
    rita = program(site)
    conversation = begin(rita, save=False)
    answers_with(site, "Words. ", end_both)
    assert ask(rita, conversation).status_code == 403
    assert site.rows("messages") == 1


def test_one_who_is_given_another_role_is_asked_by_that_role(site: Site) -> None:
    def demote() -> None:
        with site.database.transaction(is_checked=False) as db:
            db.exec_driver_sql("UPDATE users SET role = 'reader' WHERE username = 'edith'")

    harbour(site, status="draft")
    edith = program(site, "edith", *Scope)
    conversation = begin(edith)
    answers_with(site, "Words. ", demote)
    assert ask(edith, conversation).status_code == 403
    assert site.rows("messages") == 1


def test_somebody_who_is_blocked_in_the_middle_gets_no_more(site: Site) -> None:
    from auth.blocking.blocking import block
    from tests.support import TESTER

    def block_rita() -> None:
        with site.database.transaction() as db:
            block(db, "rita", by=TESTER, links=LINKS)

    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Words. ", block_rita, "Secret.")
    said = events_in(ask(rita, conversation, accept="text/event-stream").text)
    assert (said[-1].name, said[-1].data["status"]) == ("error", 403)
    assert site.rows("messages") == 1
    assert outcomes(site) == [(OPERATION, "abandoned")]


def test_a_post_that_is_unpublished_in_the_middle(site: Site) -> None:
    harbour(site)

    def unpublish() -> None:
        with site.database.transaction(is_checked=False) as db:
            db.exec_driver_sql("UPDATE posts SET status = 'draft'")

    rita = program(site)
    conversation = begin(rita)
    answers_with(site, "Words. ", unpublish)
    assert ask(rita, conversation).status_code == 403
    assert site.rows("messages") == 1


def test_the_longest_question_fits_into_its_event(site: Site) -> None:
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    question = "\U0001f600" * 4000
    assert ask(rita, conversation, question).status_code == 201
    assert log_of(site, conversation)[1].payload["content"] == question


def test_what_was_said_goes_with_its_account(site: Site) -> None:
    from auth.leaving.leaving import leave
    from tests.support import TESTER

    harbour(site)
    rita, ada = program(site), program(site, "ada")
    ask(rita, begin(rita), "Something private?")
    ask(ada, begin(ada), "Something else?")
    with site.database.transaction() as db:
        leave(db, "rita", to=None, by=TESTER, writings=site.app.extensions["writings"])
    assert site.rows("conversations") == 1
    assert site.rows("messages") == 2
    assert site.rows("library") == 1
