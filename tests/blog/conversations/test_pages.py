"""The pages of conversations: asking, what was said, what is not there any more, and whose it is. No script runs here."""

import html
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from werkzeug.test import TestResponse

from auth.permissions import Scope
from blog.conversations import ask_api
from blog.conversations.answering import Prompt, Quoting, Silent
from blog.conversations.asking import LONGEST_QUESTION
from blog.conversations.transcript import MESSAGES_A_PAGE
from blog.posts.model import Post
from tests.support import PASSWORD, ROOT, Client, Site, find_form_token
from web.errors import Busy, TooMany
from web.site.queries import change_questions_a_day

BODY = """\
Before the first heading.

## Ropes

A rope that is wet must dry in the wind, never in the sun.

## Anchors

An anchor holds by its chain and not by its weight.
"""
SCOPES = (Scope.CONVERSATIONS, Scope.POSTS_READ)
QUESTION = "How must a wet rope dry?"


@pytest.fixture
def post(site: Site) -> Post:
    """Something to ask."""
    return site.post("alan", title="Knots and chains", slug="knots", body=BODY)


def shown(client: Client, path: str) -> str:
    """A page as it is without scripts, which fill the templates in it."""
    return re.sub(r"<template.*?</template>", "", client.get(path).text, flags=re.DOTALL)


def save(client: Client, post: Post) -> None:
    assert client.submit("/library", page=post.path, post=post.id).status_code == 303


def begin(client: Client, post: Post, question: str = QUESTION) -> str:
    """The path of a conversation in which something was asked."""
    page = client.get(f"/conversations/new?post={post.slug}").text
    found = re.search(r'action="(/conversations/[0-9a-f-]{36})/ask"', page)
    assert found is not None, page
    answer = client.post(
        f"{found[1]}/ask", data={"csrf_token": find_form_token(page), "post": post.id, "content": question}
    )
    assert answer.status_code == 303, answer.text
    return found[1]


def ask(client: Client, path: str, content: str = QUESTION, **more: str) -> TestResponse:
    return client.submit(f"{path}/ask", page="/library", content=content, **more)


def hidden_fields(markup: str) -> dict[str, str]:
    """What a form carries that nobody sees."""
    hidden = [each for each in re.findall(r"<input[^>]*>", markup) if 'type="hidden"' in each]
    named = [(re.search(r'name="([^"]*)"', each), re.search(r'value="([^"]*)"', each)) for each in hidden]
    return {name[1]: html.unescape(value[1] if value else "") for name, value in named if name}


def answer_with(site: Site, answerer: Any) -> None:
    site.app.extensions["conversations"] = replace(site.app.extensions["conversations"], answerer=answerer)


class Broken(Quoting):
    """Says a word, and then that it has no answer."""

    def answer(self, prompt: Prompt) -> Iterator[str | None]:
        yield "Well. "
        raise Silent("The model said nothing.")


# Asking


def test_a_reader_saves_a_post_asks_it_and_finds_what_was_said(site: Site, post: Post) -> None:
    rita = site.client("rita")
    assert "Save to your library" in rita.get(post.path).text
    answer = rita.submit("/library", page=post.path, post=post.id, then="ask")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/conversations/new?post=knots")
    page = rita.get("/conversations/new?post=knots").text
    assert "Ask what you want to know" in page, "the greeting"
    assert site.rows("conversations") == 0, "looking at it stores nothing"
    path = begin(rita, post)
    page = rita.get(path).text
    assert QUESTION in page
    assert "never in the sun" in page
    assert '<a href="/posts/knots#section_ropes"><bdi>Ropes</bdi></a>' in page
    assert '<li value="1">' in page
    assert "Ask what you want to know" not in page
    listed = rita.get("/conversations").text
    assert path in listed
    assert "These passages say the most" in listed


def test_the_answer_to_the_form_leads_to_the_answer(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    answer = ask(rita, path, "What does an anchor hold by?")
    assert answer.status_code == 303
    place, _, anchor = answer.headers["Location"].partition("#")
    assert place == path
    page = shown(rita, path)
    assert f'<li class="answered" id="{anchor}">' in page
    assert page.count('<li class="asked"') == 2


def test_the_author_asks_without_saving(site: Site, post: Post) -> None:
    alan = site.client("alan")
    page = alan.get(post.path).text
    assert "Save to your library" not in page
    assert f'href="/conversations/new?post={post.slug}"' in page
    assert "never in the sun" in alan.get(begin(alan, post)).text


def test_a_post_that_is_not_saved_is_offered_and_not_asked(site: Site, post: Post) -> None:
    rita = site.client("rita")
    page = rita.get("/conversations/new?post=knots").text
    assert "Save it, and ask" in page
    assert "Your question" not in page
    answer = ask(rita, f"/conversations/{uuid.uuid4()}", post=post.id)
    assert answer.status_code == 403
    assert QUESTION in answer.text, "what was typed is kept"
    assert site.rows("conversations") == 0


def test_new_without_a_post_leads_to_the_library(site: Site) -> None:
    answer = site.client("rita").get("/conversations/new")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/library")


@pytest.mark.parametrize("name", ["nowhere", "draft", "\x00", "x" * 5000, "46b6020b-9a82-4332-bff1-85156021e7f4"])
def test_what_may_not_be_known_cannot_be_asked(site: Site, post: Post, name: str) -> None:
    site.post("alan", title="A draft", slug="draft", status="draft")
    rita = site.client("rita")
    assert rita.get("/conversations/new", query_string={"post": name}).status_code == 404
    token = rita.form_token("/account/profile")
    assert rita.post("/library", data={"csrf_token": token, "post": name}).status_code == 404
    path = f"/conversations/{uuid.uuid4()}/ask"
    asked = {"csrf_token": token, "post": name, "content": QUESTION}
    assert rita.post(path, data=asked).status_code == 404
    assert (site.rows("library"), site.rows("conversations")) == (0, 0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "Ask with 1 to 4,000 characters"),
        ("  \n ", "Ask with 1 to 4,000 characters"),
        ("x" * (LONGEST_QUESTION + 1), "Ask with 1 to 4,000 characters"),
        ("a\x00b", "cannot be stored"),
    ],
)
def test_a_question_that_cannot_be_taken_comes_back(site: Site, post: Post, content: str, sentence: str) -> None:
    rita = site.client("rita")
    save(rita, post)
    first = f"/conversations/{uuid.uuid4()}"
    answer = ask(rita, first, content, post=post.id)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'action="{first}/ask"' in answer.text, "the same conversation goes on"
    assert (site.rows("conversations"), site.rows("messages")) == (0, 0)
    path = begin(rita, post)
    again = ask(rita, path, content)
    assert (again.status_code, sentence in again.text) == (422, True)
    assert site.rows("messages") == 2


def test_a_refused_token_gives_the_question_back(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    for target in (path, f"/conversations/{uuid.uuid4()}"):
        answer = rita.post(f"{target}/ask", data={"csrf_token": "bad", "content": "Kept?", "post": post.id})
        assert answer.status_code == 403
        assert ">\nKept?</textarea>" in answer.text.replace("\r\n", "\n")
    assert site.rows("messages") == 2


def test_a_question_of_somebody_signed_out_is_there_again_after_the_sign_in(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    for target, more in ((path, {}), (f"/conversations/{uuid.uuid4()}", {"post": post.id})):
        browser = site.client()
        token = browser.form_token("/login")
        refused = browser.post(f"{target}/ask", data={"csrf_token": token, "content": "Still there?", **more})
        assert refused.status_code == 401
        signed_in = browser.post(
            "/login", data=hidden_fields(refused.text) | {"username": "rita", "password": PASSWORD}
        )
        assert signed_in.status_code == 200
        assert "Still there?</textarea>" in signed_in.text
        assert f'action="{target}/ask"' in signed_in.text
    assert site.rows("messages") == 2


def test_another_answer_on_its_way_is_429_with_the_question_kept(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    locks = site.app.extensions["conversations"].locks
    assert locks.take(f"conversation:{path.rpartition('/')[2]}") is not None
    answer = ask(rita, path, "And now?")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert "And now?</textarea>" in answer.text
    assert "still on its way" in answer.text
    assert site.rows("messages") == 2


def test_a_server_without_a_place_is_503_with_the_question_kept(
    site: Site, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)

    def refuse(*_arguments: object) -> None:
        raise Busy("As many streams as this server allows are open.", retry_after_seconds=30)

    monkeypatch.setattr("blog.conversations.ask_pages.exchange", refuse)
    answer = ask(rita, path, "And now?")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "And now?</textarea>" in answer.text


def test_the_questions_of_a_day_have_an_end(site: Site, post: Post) -> None:
    with site.database.transaction() as db:
        change_questions_a_day(db, 1)
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    answer = ask(rita, path, "One more?")
    assert answer.status_code == 429
    assert "One more?</textarea>" in answer.text
    answer = ask(rita, f"/conversations/{uuid.uuid4()}", "And one to begin with?", post=post.id)
    assert answer.status_code == 429
    assert "And one to begin with?</textarea>" in answer.text
    assert site.rows("conversations") == 1


def test_a_form_that_is_sent_twice_asks_once(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    page = rita.get("/conversations/new?post=knots").text

    def send(page: str, **more: str) -> TestResponse:
        form = re.search(r'<form[^>]*action="(/conversations/[^"]+/ask)".*?</form>', page, re.DOTALL)
        assert form is not None
        return rita.post(form[1], data=hidden_fields(form[0]) | more)

    answer_with(site, Broken())
    first, second = (send(page, content=f"\r\n{QUESTION} ") for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert (site.rows("conversations"), site.rows("messages")) == (1, 2)
    answer_with(site, Quoting())
    page = shown(rita, first.headers["Location"])
    first, second = send(page), send(page)
    assert first.headers["Location"] == second.headers["Location"], "of a question that is asked again, too"
    assert site.rows("messages") == 4
    assert send(page, content="Something else?").status_code == 303
    assert site.rows("messages") == 6, "another question is another question"
    page = shown(rita, first.headers["Location"])
    assert send(page, content=QUESTION).headers["Location"] != first.headers["Location"]
    assert site.rows("messages") == 8, "and the same may be asked anew, where its answer is seen"


def test_a_form_that_is_sent_again_while_its_answer_is_on_its_way_leads_there(
    site: Site, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    begin_exchange = ask_api.exchange

    def refuse(*arguments: Any) -> None:
        # The other one has begun just before this one would.
        begin_exchange(*arguments).close()
        raise TooMany("The answer to another question is still on its way.", retry_after_seconds=5)

    monkeypatch.setattr("blog.conversations.ask_pages.exchange", refuse)
    answer = ask(rita, path, "And now?", seen="2")
    assert answer.status_code == 303
    _, _, anchor = answer.headers["Location"].partition("#")
    assert f'<li class="answered" id="{anchor}">' in shown(rita, path)
    with site.database.transaction() as db:
        db.exec_driver_sql("DELETE FROM messages WHERE number = 4")
    _, _, anchor = ask(rita, path, "And now?", seen="2").headers["Location"].partition("#")
    assert f'<li class="asked" id="{anchor}">' in shown(rita, path), "where there is no answer yet"
    assert site.rows("messages") == 3


# What was said


def test_a_failed_answer_says_so_and_can_be_asked_again(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    answer_with(site, Broken())
    path = begin(rita, post)
    page = shown(rita, path)
    assert "The model said nothing." in page
    assert "This was not answered." in page
    assert "Ask again" in page
    answer_with(site, Quoting())
    assert ask(rita, path, QUESTION).status_code == 303
    page = shown(rita, path)
    assert "This was not answered." in page
    assert "Ask again" not in page, "it was"


def test_a_question_without_an_answer_is_marked(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    with site.database.transaction() as db:
        db.exec_driver_sql("DELETE FROM messages WHERE role = 'guide'")
    page = rita.get(path).text
    assert "No answer is here." in page
    assert f'name="content" value="{QUESTION}"' in page
    assert ask(rita, path, "Another?").status_code == 303
    page = rita.get(path).text
    assert "No answer is here." not in page
    assert page.count("This was not answered.") == 1


def test_an_answer_that_broke_off_is_marked(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE messages SET state = 'abandoned' WHERE role = 'guide'")
    page = rita.get(path).text
    assert "This answer broke off." in page
    assert f'name="content" value="{QUESTION}"' in page


def test_a_passage_of_a_post_that_was_changed_since_says_so(site: Site, post: Post) -> None:
    rita, alan = site.client("rita"), site.client("alan")
    save(rita, post)
    path = begin(rita, post)
    assert "changed since" not in rita.get(path).text
    changed = alan.submit("/posts/knots/edit", version="1", body=BODY.replace("sun", "rain"))
    assert changed.status_code == 303
    page = rita.get(path).text
    assert "the post was changed since" in page
    assert "never in the sun" in page, "what it was"


def test_a_passage_that_stands_as_it_did_says_nothing_of_other_changes(
    site: Site, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    rita, alan = site.client("rita"), site.client("alan")
    save(rita, post)
    path = begin(rita, post)
    ask(rita, path, "What holds an anchor?")
    version = 1
    for values in ({"tags": "sea"}, {"title": "Ropes"}, {"body": BODY.replace("chain", "rope")}):
        kept = {"title": "Knots and chains", "body": BODY} | values
        assert alan.submit("/posts/knots/edit", version=str(version), **kept).status_code == 303
        version += 1
        with site.counted_statements() as statements:
            page = rita.get(path).text
        assert page.count("the post was changed since") == ("body" in values)
        assert len([each for each in statements if "html" in each and "posts" in each]) <= 2, "the post, and its texts"
    # Where it cannot be looked at, all of it is said to be of another text.
    monkeypatch.setattr("blog.conversations.transcript._LONGEST_LOOKED_AT", 10)
    assert rita.get(path).text.count("the post was changed since") == 2


def test_a_long_conversation_has_pages(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    for number in range(MESSAGES_A_PAGE // 2):
        assert ask(rita, path, f"Question {number}: rope?").status_code == 303
    page = rita.get(path).text
    assert f">{QUESTION}</p>" not in page
    found = re.search(r'href="([^"]+)">What was said before', page)
    assert found is not None
    earlier = rita.get(found[1]).text
    assert f">{QUESTION}</p>" in earlier
    assert "What was said last" in earlier
    assert "Question 24" not in earlier
    assert rita.get(f"{path}?before=x").status_code == 404


def test_what_readers_and_posts_say_is_never_markup(site: Site) -> None:
    evil = "<script>alert(1)</script> rope <img src=x onerror=alert(2)>"
    post = site.post("alan", title="<b>Rope</b>", slug="evil", body=f"## {evil}\n\nrope `{evil}` rope")
    alan = site.client("alan")
    path = begin(alan, post, evil)
    for address in (path, "/conversations", "/library", f"/conversations/new?post={post.slug}"):
        page = alan.get(address).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>Rope" not in page
    assert "&lt;script&gt;alert(1)" in alan.get(path).text


# Whose it is


def test_somebody_elses_conversation_is_not_there(site: Site, post: Post) -> None:
    rita, ada = site.client("rita"), site.client("ada")
    save(rita, post)
    save(ada, post)
    path = begin(rita, post)
    token = ada.form_token("/library")
    for name in (path, f"/conversations/{uuid.uuid4()}", "/conversations/nothing", "/conversations/1"):
        assert ada.get(name).status_code == 404
        for what, fields in (("title", {"title": "Mine"}), ("archive", {"archived": "yes"}), ("ask", {"content": "?"})):
            for each in (token, "bad"):
                answer = ada.post(f"{name}/{what}", data={"csrf_token": each, **fields})
                assert answer.status_code == 404, (name, what)
    taken = ada.post(f"{path}/ask", data={"csrf_token": token, "content": QUESTION, "post": post.id})
    assert taken.status_code == 404, "also with a post"
    assert path not in ada.get("/conversations").text
    assert site.rows("messages") == 2


def test_a_program_reads_its_owners_api_and_no_page(site: Site, post: Post) -> None:
    program = site.client(token=site.token("rita", *SCOPES))
    for path in ("/library", "/conversations", f"/conversations/{uuid.uuid4()}", "/conversations/new?post=knots"):
        answer = program.get(path)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)


def test_a_visitor_is_sent_to_the_sign_in_page(site: Site, post: Post) -> None:
    visitor = site.client()
    for path in ("/library", "/conversations", f"/conversations/{uuid.uuid4()}", "/posts/knots/grants"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next={path}")
    assert (
        visitor.get("/conversations/new?post=knots").headers["Location"]
        == "/login?next=/conversations/new?post%3Dknots"
    )


def test_whoever_asks_is_told_that_the_owner_can_read_it(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    for page in (rita.get(path).text, site.client("alan").get("/conversations/new?post=knots").text):
        assert "Whoever owns this site can read in its log what you ask." in page
    owner = site.client(token=site.token("olive", Scope.EVENTS_READ))
    told = owner.get(f"/v1/events?session={path.rpartition('/')[2]}").text
    assert QUESTION in told
    assert "never in the sun" not in told


# Closing and opening


def grant(site: Site, post: Post, name: str = "rita") -> None:
    alan = site.client("alan")
    assert alan.submit(f"/posts/{post.slug}/grants", username=name).status_code == 303


def test_a_withdrawn_grant_leaves_the_readers_own_words(site: Site) -> None:
    post = site.post("alan", title="Knots and chains", slug="knots", body=BODY, visibility="granted")
    rita, alan = site.client("rita"), site.client("alan")
    assert rita.get(post.path).status_code == 404
    grant(site, post)
    assert "Ask this post" in rita.get(post.path).text
    path = begin(rita, post)
    assert "never in the sun" in rita.get(path).text
    assert "These passages" in rita.get("/conversations").text
    token = rita.form_token(path)
    taken = alan.submit("/posts/knots/grants/rita/withdraw", page="/posts/knots/grants")
    assert taken.status_code == 303
    page = rita.get(path).text
    assert QUESTION in page
    assert "not in your library any more" in page
    assert "never in the sun" not in page
    assert "Ropes" not in page
    assert "<textarea" not in page
    refused = rita.post(f"{path}/ask", data={"csrf_token": token, "content": "Still?"})
    assert refused.status_code == 403
    assert "Still?" in refused.text, "what was typed is kept"
    named = rita.patch(f"/v1{path}", json={"title": "Still mine"}, headers={"X-CSRF-Token": token})
    for listed in (
        *(rita.get(each).text for each in ("/conversations", "/v1/conversations", f"/v1{path}")),
        named.text,
    ):
        assert "These passages" not in listed, "the preview is of an answer"
    assert rita.get("/library").text.count("knots") == 0
    grant(site, post)
    assert "never in the sun" in rita.get(path).text, "given again, it goes on"


@pytest.mark.parametrize("how", ["removed from the library", "deleted", "taken back"])
def test_a_post_that_is_gone_closes_its_conversations(site: Site, post: Post, how: str) -> None:
    rita, alan = site.client("rita"), site.client("alan")
    save(rita, post)
    path = begin(rita, post)
    if how == "deleted":
        assert alan.submit("/posts/knots/delete", version="1").status_code == 303
    elif how == "taken back":
        assert alan.submit("/posts/knots/unpublish", page=post.path).status_code == 303
    else:
        answer = rita.submit(f"/library/{post.id}/remove", page="/library")
        assert answer.headers["Location"] == "/library"
    page = rita.get(path).text
    assert QUESTION in page
    assert "never in the sun" not in page
    assert "These passages" not in rita.get("/conversations").text


def test_an_archived_conversation_is_apart_and_takes_no_question(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    answer = rita.submit(f"{path}/archive", page=path, archived="yes")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/conversations")
    assert path not in rita.get("/conversations").text
    assert path in rita.get("/conversations?archived").text
    page = rita.get(path).text
    assert "This conversation is archived" in page
    assert "<textarea" not in page
    refused = ask(rita, path, "Still?")
    assert (refused.status_code, "Still?" in refused.text) == (409, True)
    assert rita.submit(f"{path}/archive", page=path, archived="perhaps").status_code == 422
    assert rita.submit(f"{path}/archive", page=path, archived="no").headers["Location"] == path
    assert path in rita.get("/conversations").text
    assert ask(rita, path).status_code == 303


def test_a_conversation_gets_another_name(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path = begin(rita, post)
    assert rita.submit(f"{path}/title", page=path, title=" Ropes, mostly ").status_code == 303
    assert '<h1 dir="auto">Ropes, mostly</h1>' in rita.get(path).text
    for title in ("", "x" * 201, "a\x00b"):
        answer = rita.submit(f"{path}/title", page=path, title=title)
        assert answer.status_code == 422
        assert "Use 1 to 200 characters" in answer.text
    refused = rita.post(f"{path}/title", data={"csrf_token": "bad", "title": "Kept"})
    assert (refused.status_code, 'value="Kept"' in refused.text) == (403, True)
    assert "Ropes, mostly" in rita.get("/conversations").text


def test_a_conversation_is_called_after_its_first_question(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    evil = f"<b>{'rope ' * 30}\n\u202e"
    paths = [begin(rita, post, question) for question in (QUESTION, evil, "\u200b\u200b")]
    titles = [QUESTION, f"<b>{'rope ' * 14}rope …", "Knots and chains"]
    for path, title in zip(paths, titles, strict=True):
        assert f'<h1 dir="auto">{html.escape(title)}</h1>' in rita.get(path).text
        assert rita.submit(f"{path}/title", page=path, title=title).status_code == 303, "which can be saved as it is"
    assert ask(rita, paths[0], "What does an anchor hold by?").status_code == 303
    for page in ("/conversations", f"/conversations/new?post={post.slug}", paths[2]):
        text = rita.get(page).text
        assert f'href="{paths[0]}"><bdi>{QUESTION}</bdi></a>' in text
        assert f'href="{paths[1]}"><bdi>{html.escape(titles[1])}</bdi></a>' in text
    assert rita.get("/conversations").text.count("About <bdi>Knots and chains</bdi>") == 2, "not where it is called so"
    assert rita.get(paths[2]).text.count("About <bdi>Knots and chains</bdi>") == 2


def test_the_name_that_its_reader_gave_a_conversation_stays(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    path, token = f"/conversations/{uuid.uuid4()}", rita.form_token("/library")
    made = rita.put(f"/v1{path}", json={"post": "knots", "title": "Mine"}, headers={"X-CSRF-Token": token})
    assert made.status_code == 201
    assert ask(rita, path).status_code == 303
    assert '<h1 dir="auto">Mine</h1>' in rita.get(path).text


def test_what_may_not_be_read_any_more_is_not_named_in_the_list(site: Site) -> None:
    post = site.post("alan", title="Knots and chains", slug="knots", body=BODY, visibility="granted")
    rita, alan = site.client("rita"), site.client("alan")
    grant(site, post)
    path = begin(rita, post)
    assert "Knots and chains" in rita.get("/conversations").text
    assert alan.submit("/posts/knots/grants/rita/withdraw", page="/posts/knots/grants").status_code == 303
    for page in ("/conversations", path):
        text = rita.get(page).text
        assert QUESTION in text
        assert "Knots and chains" not in text


def test_conversations_are_listed_by_their_last_use_and_in_pages(site: Site, post: Post) -> None:
    with time_machine.travel(1_900_000_000, tick=False) as traveller:
        rita = site.client("rita")
        save(rita, post)
        paths = []
        for _ in range(31):
            traveller.shift(60)
            paths.append(begin(rita, post))
        traveller.shift(60)
        ask(rita, paths[0])
        first = rita.get("/conversations").text
        shown = re.findall(r'class="what" href="(/conversations/[^"]+)"', first)
        assert shown == [paths[0], *paths[:1:-1]]
        more = re.search(r'rel="next" href="([^"]+)"', first)
        assert more is not None
        assert re.findall(r'class="what" href="([^"]+)"', rita.get(more[1].replace("&amp;", "&")).text) == [paths[1]]
        assert rita.get("/conversations?before=x").status_code == 404
        beside = rita.get(f"/conversations/new?post={post.slug}").text
        assert "Your conversations about this post" in beside
        assert paths[0] in beside


# The library


def test_the_library_lists_what_was_saved_and_granted(site: Site, post: Post) -> None:
    granted = site.post("alan", title="For few", slug="few", visibility="granted")
    rita = site.client("rita")
    assert "Nothing is in it yet" in rita.get("/library").text
    save(rita, post)
    save(rita, post)
    grant(site, granted)
    page = rita.get("/library").text
    assert page.index("For few") < page.index("Knots and chains")
    assert f"/library/{post.id}/remove" in page
    assert f"/library/{granted.id}/remove" in page
    answer = rita.submit(f"/library/{post.id}/remove", page="/library", then="post")
    assert answer.headers["Location"] == post.path
    assert rita.submit(f"/library/{post.id}/remove", page="/library").status_code == 404
    assert rita.submit("/library/nothing/remove", page="/library").status_code == 404
    assert site.rows("library") == 1


def test_the_library_has_pages(site: Site) -> None:
    rita = site.client("rita")
    token = rita.form_token("/account/profile")
    for number in range(31):
        made = site.post("alan", title=f"Post {number}", slug=f"post-{number}")
        assert rita.post("/library", data={"csrf_token": token, "post": made.id}).status_code == 303
    first = rita.get("/library").text
    assert first.count('class="what"') == 30
    more = re.search(r'rel="next" href="([^"]+)"', first)
    assert more is not None
    assert re.findall(r"<bdi>(Post \d+)</bdi></a>", rita.get(more[1]).text) == ["Post 0"]


def test_the_buttons_of_a_post_are_for_those_who_are_signed_in(site: Site, post: Post) -> None:
    visitor = site.client()
    page = visitor.get(post.path)
    assert "library" not in page.text
    assert "Set-Cookie" not in page.headers
    rita = site.client("rita")
    save(rita, post)
    assert "In your library" in rita.get(post.path).text
    program = site.client(token=site.token("rita", *SCOPES))
    assert "library" not in program.get(post.path).text
    assert "library" not in visitor.get(post.path).text


def test_saving_without_the_form_s_token_changes_nothing(site: Site, post: Post) -> None:
    rita = site.client("rita")
    assert rita.post("/library", data={"csrf_token": "bad", "post": post.id}).status_code == 403
    save(rita, post)
    assert rita.post(f"/library/{post.id}/remove", data={"csrf_token": "bad"}).status_code == 403
    assert site.rows("library") == 1


# Grants


def test_an_author_grants_and_takes_back(site: Site) -> None:
    post = site.post("alan", title="For few", slug="few", visibility="granted")
    alan = site.client("alan")
    page = alan.get(post.path).text
    assert "/posts/few/grants" in page
    assert "For those whom it was granted" in page
    assert '<span class="flag">Granted</span>' in alan.get("/account").text
    assert "Nobody yet" in alan.get("/posts/few/grants").text
    assert alan.submit("/posts/few/grants", username=" @Rita ").status_code == 303
    assert alan.submit("/posts/few/grants", username="rita").status_code == 303, "again changes nothing"
    page = alan.get("/posts/few/grants").text
    assert page.count("/withdraw") == 1
    assert site.client("rita").get(post.path).status_code == 200
    assert alan.submit("/posts/few/grants/rita/withdraw", page="/posts/few/grants").status_code == 303
    assert alan.submit("/posts/few/grants/rita/withdraw", page="/posts/few/grants").status_code == 404
    assert site.client("rita").get(post.path).status_code == 404
    olive = site.client("olive")
    log = olive.get("/admin/log").text
    assert "granted “<bdi>few</bdi>” to <bdi>rita</bdi>" in log
    assert "took back the grant of “<bdi>few</bdi>” from <bdi>rita</bdi>" in log


@pytest.mark.parametrize(
    ("username", "status", "sentence"),
    [
        ("", 422, "nobody of that name"),
        ("nobody", 422, "nobody of that name"),
        ("x" * 5000, 422, "nobody of that name"),
        ("a\x00b", 422, "nobody of that name"),
        ("alan", 409, "Its author holds a post anyway"),
    ],
)
def test_a_grant_to_nobody_says_so_beside_the_field(site: Site, username: str, status: int, sentence: str) -> None:
    site.post("alan", title="For few", slug="few", visibility="granted")
    answer = site.client("alan").submit("/posts/few/grants", username=username)
    assert answer.status_code == status
    assert sentence in answer.text
    assert site.rows("library") == 0


def test_grants_are_for_those_who_may_change_the_post(site: Site, post: Post) -> None:
    for name, status in (("ada", 403), ("rita", 403), ("edith", 200), ("olive", 200)):
        assert site.client(name).get("/posts/knots/grants").status_code == status
    ada = site.client("ada")
    token = ada.form_token()
    assert ada.post("/posts/knots/grants", data={"csrf_token": token, "username": "ada"}).status_code == 403
    hidden = site.post("alan", title="For few", slug="few", visibility="granted")
    assert ada.get(f"{hidden.path}/grants").status_code == 404
    alan = site.client("alan")
    refused = alan.post("/posts/knots/grants", data={"csrf_token": "bad", "username": "rita"})
    assert (refused.status_code, 'value="rita"' in refused.text) == (403, True)
    assert site.rows("library") == 0


# In words


def test_the_log_has_a_sentence_for_each_of_these(site: Site, post: Post) -> None:
    rita = site.client("rita")
    save(rita, post)
    begin(rita, post)
    assert rita.submit(f"/library/{post.id}/remove", page="/library").status_code == 303
    log = site.client("olive").get("/admin/log").text
    for sentence in ("to their library", "asked a question", "answered a question", "took a post out of their library"):
        assert sentence in log, sentence
    assert "recorded <bdi>library" not in log


@pytest.mark.parametrize("slug", ["library", "conversations"])
def test_no_page_takes_their_addresses(site: Site, slug: str) -> None:
    answer = site.client("alan").submit("/new", title="Taken", slug=slug, body="x", kind="page", status="published")
    assert answer.status_code == 422


def test_scripts_put_nothing_into_a_page_but_text_and_what_the_server_has_sanitised() -> None:
    found = [
        line.strip()
        for path in sorted((ROOT / "static/conversations").glob("*.js"))
        for line in path.read_text().splitlines()
        if re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|DOMParser|\beval\b", line)
    ]
    assert found == ["text.innerHTML = message.html;"]
