"""Posts for those alone whom they were granted: on no address and in no list for anybody else."""

import pytest

from auth.permissions import Scope
from blog.library.holding import withdraw
from blog.posts.model import Post
from blog.previews.sharing import share
from blog.series.arranging import add_part, create_series
from tests.blog.conversations.talking import (
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
from tests.support import Client, Site

WORD = "zebrafinch"
LISTS = [
    *("/", "/tags", "/tags/birds", "/tags/birds/feed.xml", "/archive", "/feed.xml", "/rss.xml", "/feed.json"),
    *("/sitemap.xml", "/series/finches", f"/search?q={WORD}", "/search?q=author:ada", "/posts/before", "/posts/after"),
    *("/authors/ada", "/authors/ada/feed.xml", "/v1/posts"),
]


@pytest.fixture
def secret(site: Site) -> Post:
    """Ada's post for few, with one of hers before and one after it, all in a series."""
    site.post("ada", title="Before", slug="before", tags=["birds"])
    words = {"title": f"The {WORD}", "slug": "secret", "body": f"{WORD} words", "tags": [WORD, "birds"]}
    post = site.post("ada", **words, visibility="granted")
    site.post("ada", title="After", slug="after", tags=["birds"])
    by = site.principal("ada")
    with site.database.transaction() as db:
        series = create_series(db, title="Finches", slug="finches", by=by)
        for slug in ("before", "secret", "after"):
            add_part(db, series.id, slug=slug, by=by)
    assert WORD in site.client("ada").get(f"/account/series/{series.id}").text
    return post


def addresses(post: Post) -> list[str]:
    return [
        "/posts/secret",
        "/posts/secret.md",
        "/posts/secret/revisions",
        "/posts/secret/revisions/1",
        f"/v1/posts/{post.id}",
        f"/v1/posts/{post.id}/revisions",
        f"/v1/posts/{post.id}/revisions/1",
    ]


def everybody_else(site: Site) -> dict[str, Client]:
    return {
        "visitor": site.client(),
        "rita": site.client("rita"),
        "alan": site.client("alan"),
        "a program of rita's": site.client(token=site.token("rita", *Scope)),
        "a program of alan's": site.client(token=site.token("alan", *Scope)),
    }


def test_everybody_else_gets_404_on_every_address(site: Site, secret: Post) -> None:
    for name, client in everybody_else(site).items():
        for path in addresses(secret):
            answer = client.get(path)
            expected = (404,) if "revisions" not in path else (303, 401, 403, 404)
            assert answer.status_code in expected, (name, path)
            assert WORD not in answer.text
        assert client.get(f"/tags/{WORD}").status_code == 404
        assert client.get(f"/tags/{WORD}/feed.xml").status_code == 404
        for path in LISTS:
            text = client.get(path).text
            assert WORD not in text.replace(f'value="{WORD}"', "").replace(f"q={WORD}", "").replace(f"“{WORD}”", ""), (
                name,
                path,
            )
            assert "secret" not in text, (name, path)
        assert client.post("/v1/library", json={"post": secret.id}).status_code in (401, 403, 404)


def test_its_author_and_editors_work_on_it(site: Site, secret: Post) -> None:
    for name in ("ada", "edith", "olive"):
        client = site.client(name)
        assert WORD in client.get("/posts/secret").text
        assert client.get("/posts/secret/edit").status_code == 200
        assert client.get("/posts/secret/revisions").status_code == 200


def test_whoever_it_was_granted_reads_it_and_finds_it_in_no_list(site: Site, secret: Post) -> None:
    give(site, secret, by="ada")
    browser, reading = site.client("rita"), site.client(token=site.token("rita", Scope.POSTS_READ))
    page = browser.get("/posts/secret")
    assert page.status_code == 200
    assert f"{WORD} words" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    assert browser.get("/posts/secret.md").status_code == 200
    assert reading.get(f"/v1/posts/{secret.id}").status_code == 200
    for path in LISTS:
        text = browser.get(path).text
        assert "/posts/secret" not in text, path
    # Others still do not.
    for name, client in everybody_else(site).items():
        if "rita" not in name:
            assert client.get("/posts/secret").status_code == 404


def test_it_is_gone_at_once_when_taken_back(site: Site, secret: Post) -> None:
    browser, asking = site.client("rita"), program(site)
    give(site, secret, by="ada")
    assert browser.get("/posts/secret").status_code == 200
    conversation = begin(asking, "secret", save=False)
    assert ask(asking, conversation, f"What of the {WORD}?").status_code == 201
    take_back(site, secret, by="ada")
    assert browser.get("/posts/secret").status_code == 404
    refused = ask(asking, conversation, "And now?")
    assert refused.status_code == 403
    assert [each["role"] for each in messages(asking, conversation)] == ["reader"]
    for path in (
        f"/v1/conversations/{conversation}",
        "/v1/conversations",
        f"/v1/conversations/{conversation}/messages",
    ):
        text = asking.get(path).text
        assert f"{WORD} words" not in text
        assert "These passages" not in text
    give(site, secret, by="ada")
    assert len(messages(asking, conversation)) == 2


def test_a_preview_still_shows_it(site: Site, secret: Post) -> None:
    with site.database.transaction() as db:
        token = share(db, secret.id, days=1, by=site.principal("ada"))
    assert WORD in site.client().get(f"/preview/{token}").text


def test_a_grant_does_not_open_what_is_not_out(site: Site) -> None:
    post = harbour(site, visibility="granted", status="draft")
    give(site, post)
    assert site.client("rita").get("/posts/harbour").status_code == 404
    assert program(site).get("/v1/library").json == {"items": [], "next": None}


def test_a_saved_post_that_becomes_granted_is_closed(site: Site) -> None:
    post, rita = harbour(site), program(site)
    conversation = begin(rita)
    assert ask(rita, conversation).status_code == 201
    alan = site.client(token=site.token("alan"))
    assert alan.patch(f"/v1/posts/{post.id}", json={"visibility": "granted"}).status_code == 200
    assert ask(rita, conversation).status_code == 403
    assert [each["role"] for each in messages(rita, conversation)] == ["reader"]
    listed = rita.get("/v1/conversations").json
    assert listed is not None
    assert listed["items"][0]["preview"] == ""


def test_a_grant_taken_back_in_the_middle_of_an_answer_ends_it_and_stores_nothing_of_it(site: Site) -> None:
    post, rita = harbour(site, visibility="granted"), program(site)
    give(site, post)
    conversation = begin(rita, save=False)

    def take() -> None:
        with site.database.transaction() as db:
            withdraw(db, post.id, "rita", by=site.principal("alan"))

    answers_with(site, "The beginning. ", take, "The end.")
    said = events_in(ask(rita, conversation, accept="text/event-stream").text)
    assert said[-1].name == "error"
    assert said[-1].data["status"] == 403
    assert site.rows("messages") == 1
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT outcome FROM intents").scalars().all() == ["abandoned"]
        assert db.exec_driver_sql("SELECT kind FROM events WHERE kind = 'conversation.answered'").all() == []
        assert db.exec_driver_sql("SELECT count(*) FROM locks").scalar_one() == 0
    give(site, post)
    answers_with(site, "Again.")
    assert ask(rita, conversation).status_code == 201


def test_the_same_as_one_answer(site: Site) -> None:
    post, rita = harbour(site, visibility="granted"), program(site)
    give(site, post)
    conversation = begin(rita, save=False)
    answers_with(site, "The beginning. ", lambda: take_back(site, post))
    answer = ask(rita, conversation)
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert "beginning" not in answer.text
