"""Searching: what is found, by whom, in which order, and how the page shows it."""

import re
import threading
from html import unescape
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from auth.permissions import Scope
from auth.principal import VISITOR, Principal
from blog.bin.restoring import take_out
from blog.posts.content import prepare
from blog.posts.deleting import delete
from blog.posts.publishing import publish, unpublish
from blog.posts.writing import change, write
from blog.search import searching
from blog.tagging import renaming
from blog.tagging.renaming import RENAME, rename_rest, rename_tag
from storage import clock
from tests.support import Site


def titles(site: Site, text: str, *, by: Principal = VISITOR, page: int = 1) -> list[str]:
    """The titles of what is found, the best first."""
    with site.database.reading() as db:
        return [result.line.title for result in searching.search(db, text, by=by, page=page).results]


def shown(site: Site, text: str, client=None, **query: object) -> str:
    response = (client or site.client()).get("/search", query_string={"q": text, **query})
    assert response.status_code == 200
    return response.text


def say(site: Site, post, **changes: object):
    with site.database.transaction() as db:
        return change(db, post.id, prepare(changes, current=post), by=site.principal("edith"))


# Who finds what


ASKERS = (None, "rita", "alan", "ada", "edith", "olive")
STATES = (
    "draft",
    "scheduled",
    "public",
    "members",
    "scheduled for members",
    "unpublished",
    "deleted",
    "binned and back",
)


@pytest.fixture
def everything(site: Site) -> Site:
    """One post of alan's in every state, each with the word that they all have and one of its own."""
    for state in STATES:
        values: dict[str, object] = {
            "title": f"Kept {state}",
            "tags": [f"tag of {state}"],
            "slug": state.replace(" ", "-"),
        }
        values |= {"body": f"Zanzibar and {state.replace(' ', '')}word.", "excerpt": f"About {state}."}
        if "members" in state:
            values["visibility"] = "members"
        if "scheduled" in state:
            values["publish_at"] = clock.now() + clock.HOUR
        if state == "draft":
            values["status"] = "draft"
        post = site.post("alan", **values)
        alan = site.principal("alan")
        with site.database.transaction() as db:
            if state == "unpublished":
                unpublish(db, post.id, by=alan)
            if state in ("deleted", "binned and back"):
                delete(db, post.id, by=alan)
            if state == "binned and back":
                take_out(db, post.id, by=alan)
    return site


@pytest.mark.parametrize("name", ASKERS)
def test_everybody_finds_what_they_may_read_and_nothing_tells_of_more(everything: Site, name: str | None) -> None:
    by = VISITOR if name is None else everything.principal(name)
    expected = {"Kept public"} | ({"Kept members"} if name else set())
    client = everything.client(name)
    for question in ("zanzibar", "zan", "kept", '"kept"', "tag:x zanzibar -nothing", "author:alan", "-nothing", "and"):
        found = [] if "tag:x" in question else expected
        assert set(titles(everything, question, by=by)) == set(found), question
    for state in STATES:
        own = [
            f"{state.replace(' ', '')}word",
            f"zanzibar kept {state.replace(' ', '')}",
            f'tag:"tag of {state}"',
            f'"tag of {state}"',
            f'"kept {state}"',
        ]
        for question in own:
            page = shown(everything, question, client)
            is_there = f"Kept {state}" in expected
            text = unescape(re.sub(r"<form.*?</form>|<title>.*?</title>|</?mark>", "", page, flags=re.DOTALL))
            assert ("One post fits." in text) is is_there, question
            assert ("Nothing was found." in text) is not is_there, question
            assert (f"Kept {state}" in text) is is_there, question
            assert is_there or f"{state.replace(' ', '')}word" not in text


def test_who_may_read_is_asked_of_the_post_and_not_of_the_index(site: Site) -> None:
    """Whatever went wrong with the index."""
    post = site.post(title="Zanzibar", body="Words.")
    for fault in (
        "status = 'draft'",
        "visibility = 'members'",
        f"deleted_at = {clock.now()}",
        f"published_at = {clock.now() + clock.DAY}",
    ):
        assert titles(site, "zanzibar") == ["Zanzibar"]
        with site.database.transaction() as db:
            before = db.exec_driver_sql("SELECT status, visibility, deleted_at, published_at FROM posts").one()
            db.exec_driver_sql(f"UPDATE posts SET {fault}")
        assert titles(site, "zanzibar") == []
        assert titles(site, "-other") == []
        with site.database.transaction() as db:
            db.exec_driver_sql(
                "UPDATE posts SET status = ?, visibility = ?, deleted_at = ?, published_at = ?", tuple(before)
            )
    assert post.title == "Zanzibar"


def test_a_token_finds_what_its_scopes_let_it_read(site: Site) -> None:
    site.post(title="For members", visibility="members")
    assert "For <mark>members</mark>" in shown(site, "members", site.client(token=site.token("rita", Scope.POSTS_READ)))
    assert "Nothing was found" in shown(site, "members", site.client(token=site.token("rita", Scope.ACCOUNT)))


def test_a_scheduled_post_is_found_from_its_minute_on(site: Site) -> None:
    at = (clock.now() // clock.SECOND + 3600) * clock.SECOND
    site.post(title="Tomorrow", publish_at=at)
    assert titles(site, "tomorrow", by=site.principal("olive")) == []
    with time_machine.travel(at / 1_000_000 - 1, tick=False):
        assert titles(site, "tomorrow") == []
    with time_machine.travel(at / 1_000_000, tick=False):
        assert titles(site, "tomorrow") == ["Tomorrow"]


def test_what_an_index_entry_says_is_gone_from_the_file_once_it_is_deleted(site: Site) -> None:
    post = site.post(title="Kept", body="Nothing but quixotically here.")
    for number in range(30):
        site.post(title=f"Other {number}", body="other words " * 30)
    assert b"quixotical" in _index_bytes(site)
    with site.database.transaction() as db:
        delete(db, post.id, by=site.principal("alan"))
    assert b"quixotical" not in _index_bytes(site)
    assert b"ixotically" not in _index_bytes(site)


def _index_bytes(site: Site) -> bytes:
    with site.database.reading() as db:
        pages = db.exec_driver_sql(
            "SELECT block FROM post_words_data UNION ALL SELECT c2 FROM post_words_content"
        ).scalars()
        return b"".join(page.encode() if isinstance(page, str) else page for page in pages)


# Fresh with the change


def test_each_change_is_found_in_its_own_transaction(site: Site) -> None:
    alan = site.principal("alan")

    def found(db, word: str) -> bool:
        return bool(searching.search(db, word, by=VISITOR).results)

    with site.database.transaction() as db:
        post = write(db, prepare({"title": "One", "body": "first", "tags": ["sea"], "status": "published"}), by=alan)
        assert found(db, "first")
        assert found(db, "tag:sea")
        post = change(db, post.id, prepare({"title": "Two", "body": "second", "tags": ["air"]}, current=post), by=alan)
        assert [found(db, word) for word in ("first", "one", "tag:sea", "sea")] == [False] * 4
        assert [found(db, word) for word in ("second", "two", "tag:air", "air")] == [True] * 4
        unpublish(db, post.id, by=alan)
        assert not found(db, "second")
        publish(db, post.id, by=alan)
        assert found(db, "second")
        delete(db, post.id, by=alan)
        assert not found(db, "second")
        take_out(db, post.id, by=alan)
        assert not found(db, "second")
        publish(db, post.id, by=alan)
        assert found(db, "second")


def test_a_change_that_is_rolled_back_leaves_the_index_as_it_was(site: Site) -> None:
    post = site.post(title="Before", body="harbour")
    before, by = _rows(site), site.principal("alan")

    class Stop(Exception):
        pass

    def change_much_and_stop(step: int) -> None:
        with site.database.transaction() as db:
            if step == 0:
                change(db, post.id, prepare({"title": "After", "body": "desert"}, current=post), by=by)
            if step == 1:
                delete(db, post.id, by=by)
            write(db, prepare({"title": "New", "body": "desert", "status": "published"}), by=by)
            raise Stop

    for step in range(3):
        with pytest.raises(Stop):
            change_much_and_stop(step)
        assert _rows(site) == before
        assert titles(site, "harbour") == ["Before"]
        assert titles(site, "desert") == []


def test_who_writes_and_who_searches_meanwhile_never_see_half(site: Site) -> None:
    """One word says what the title says; a reader who finds the one with the other has seen two states."""
    post, alan = site.post(title="State 0", body="state0"), site.principal("alan")
    is_done, seen = threading.Event(), []

    def read() -> None:
        while not is_done.is_set():
            with site.database.reading() as db:
                (result,) = searching.search(db, "state", by=VISITOR).results
                number = result.line.title.split()[1]
                (same,) = searching.search(db, f"state{number}", by=VISITOR).results
                seen.append((number, same.line.title.split()[1]))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(1, 41):
            with site.database.transaction() as db:
                values = {"title": f"State {number}", "body": f"state{number}"}
                post = change(db, post.id, prepare(values, current=post), by=alan)
    finally:
        is_done.set()
        reader.join(timeout=30)
    assert not reader.is_alive()
    assert all(one == other for one, other in seen)
    assert titles(site, "state40") == ["State 40"]
    assert titles(site, '"state39"') == []


def test_a_save_that_changes_no_word_leaves_the_entry_alone(site: Site) -> None:
    post = site.post(title="One", body="words", slug="one")
    before = _rows(site)
    post = say(site, post, slug="other", excerpt="Written.")
    assert _rows(site) == before
    say(site, post, publish_at=clock.now() - clock.DAY)
    assert _rows(site) != before
    assert titles(site, "words") == ["One"]


def test_a_renamed_tag_is_found_under_its_new_name_as_far_as_the_renaming_came(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renaming, "_AT_ONCE", 2)
    for number in range(3):
        site.post(title=f"P{number}", tags=["boat"])
    with site.database.transaction() as db:
        rename_tag(db, "boat", "ship", by=site.principal("edith"))
    assert (len(titles(site, "tag:boat")), len(titles(site, "tag:ship"))) == (1, 2)
    while rename_rest(site.database, {"tag": "boat", "user_id": site.principal("edith").user_id}):
        pass
    assert (len(titles(site, "tag:boat boat")), len(titles(site, "tag:ship ship"))) == (0, 3)
    assert RENAME


def test_two_posts_of_one_moment_are_both_found_and_the_newest_is_first_among_equals(site: Site) -> None:
    at = clock.now() - clock.DAY
    for number in range(30):
        site.post(title=f"Twin {number}", slug=f"t{number}", publish_at=at)
    site.post(title="Twin old", slug="old", publish_at=at - 30 * clock.DAY)
    site.post(title="Twin new", slug="new", publish_at=at + clock.HOUR * 20)
    found = titles(site, "twin") + titles(site, "twin", page=2)
    assert sorted(found) == sorted([f"Twin {number}" for number in range(30)] + ["Twin old", "Twin new"])
    assert (found[0], found[-1]) == ("Twin new", "Twin old")


# What can be typed


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("harbour", {"Aleph", "Beth"}),
        ("winter harbour", {"Aleph"}),
        ("harbour winter", {"Aleph"}),
        ('"winter harbour"', set()),
        ('"harbour in winter"', {"Aleph"}),
        ("“harbour in winter”", {"Aleph"}),
        ("harbour -winter", {"Beth"}),
        ('harbour -"in winter"', {"Beth"}),
        ("harb", {"Aleph", "Beth"}),
        ("ha", set()),
        ("harb winter", set()),
        ('"harb"', set()),
        ("winter harb", {"Aleph"}),
        ("HARBOUR", {"Aleph", "Beth"}),
        ("cafe", {"Aleph"}),
        ("CAFÉ", {"Aleph"}),
        ("cafe\u0301", {"Aleph"}),
        ("tag:sea", {"Aleph"}),
        ("tag:SEÁ", {"Aleph"}),
        ('tag:"deep sea"', {"Beth"}),
        ("tag:deep", set()),
        ("deep", {"Beth"}),
        ("-tag:sea harbour", {"Beth"}),
        ("author:alan", {"Aleph", "Gimel"}),
        ("author:@Alan", {"Aleph", "Gimel"}),
        ("author:ada tag:sea", set()),
        ("author:alan -author:alan", set()),
        ("-harbour", {"Gimel"}),
        ("-harbour -日本", set()),
        ("日", {"Gimel"}),
        ("日本", {"Gimel"}),
        ("本日", set()),
        ("日本語の検索", {"Gimel"}),
        ("検索 日本", {"Gimel"}),
        ("python入門", {"Gimel"}),
        ("python", {"Gimel"}),
        ("한국", {"Gimel"}),
        ("ภาษา", {"Gimel"}),
        ("हिन्दी", {"Gimel"}),
        ("c++", {"Beth"}),
        ("node.js", {"Beth"}),
        ("foo_bar", {"Beth"}),
        ("don’t", {"Beth"}),
        ("don't", {"Beth"}),
    ],
)  # fmt: skip
def test_what_is_found(many: Site, question: str, expected: set[str]) -> None:
    assert set(titles(many, question)) == expected


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory):
    from tests.support import make_site

    site = make_site(tmp_path_factory.mktemp("search") / "instance")
    site.post("alan", title="Aleph", body="The *harb*our in winter, with a café.", tags=["sea"])
    site.post("ada", title="Beth", body="A harbour.\n\n`foo_bar` don't C++ node.js", tags=["deep sea"])
    site.post("alan", title="Gimel", body="日本語の検索。Python入門 한국어로 ภาษาไทย हिन्दी", tags=["語"])
    yield site
    site.close()


def test_words_in_the_title_weigh_more_than_tags_and_these_more_than_the_text(site: Site) -> None:
    filler = "some other words about nothing in particular " * 3
    site.post(title="In the text", body=f"lighthouse {filler} lighthouse")
    site.post(title="In a tag", body=filler, tags=["lighthouse"])
    site.post(title="The lighthouse", body=filler)
    assert titles(site, "lighthouse") == ["The lighthouse", "In a tag", "In the text"]


def test_the_whole_word_weighs_more_than_one_that_only_begins_with_it(site: Site) -> None:
    for title in ("Harbouring", "Harbour", "Harbours"):
        site.post(title=title)
    assert titles(site, "harbour")[0] == "Harbour"
    assert set(titles(site, "harbour")) == {"Harbouring", "Harbour", "Harbours"}


def test_pages_beside_the_posts_are_found_at_their_address(site: Site) -> None:
    site.post(title="Imprint", kind="page", slug="imprint")
    assert 'href="/imprint"' in shown(site, "imprint")


HOSTILE = [
    "", " ", "\0", "a\0b", '"', '""', '"""', "'", "*", "**", "a*", "^a", "-", "--", "- -", "+", "(", ")", "()", "((((",
    "NEAR(", "NEAR(a b, 5)", "AND", "OR", "NOT", "a AND", "OR b", "a NOT", "title:a", "{title} : a", "col:", ":", "tag:",
    "author:", "-tag:", 'tag:"', 'tag:""', "tag:-", "tag: x", "🎉", "tag:🎉", "👩‍👩‍👧", "\u200d", "\ufe0f", "\u0301", "\U0001e900",
    "\ud7ff\ue000\uffff", "\U0010ffff", "a" * 10_000, "a " * 5_000, '"' * 10_000, "-" * 10_000, "(" * 10_000, "日" * 10_000,
    "tag:" * 2_500, "tag:a " * 1_600, "-a " * 3_000, '"a b" ' * 1_600, "कि" * 5_000, "é" * 10_000, "\U00011347",
    "; DROP TABLE posts --", "%", "_", "\\", "<script>alert(1)</script>", "{{ 7*7 }}", "\n\t\r", "a\x1fb", "\x01\x02",
]  # fmt: skip


@pytest.mark.parametrize("question", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_is_answered(many: Site, question: str) -> None:
    page = shown(many, question)
    assert "<h1" in page
    assert "<script" not in page
    assert len(page) < 20_000


@given(
    st.text(
        st.one_of(st.sampled_from('" -*():^+.{}tag:author:NEARab日é'), st.characters(exclude_categories=["Cs"])),
        max_size=60,
    )
)
@settings(max_examples=150, deadline=None)
def test_no_text_reaches_the_index_as_syntax(many: Site, question: str) -> None:
    titles(many, question, by=VISITOR)


def test_other_keys_odd_pages_and_broken_text_are_answered(many: Site) -> None:
    client = many.client()
    for query in (
        "q=a&x=1&x=2",
        "q=a&q=b",
        "q=%00",
        "q=%ff%fe",
        "q=%ED%A0%80",
        "q",
        "",
        "&".join(f"k{n}=1" for n in range(1000)),
    ):
        assert client.get(f"/search?{query}").status_code == 200, query
    for page in ("0", "-1", "2", "101", "999999", "1.5", "x", "", "%00", "١", "1e1", "+1", " 1"):
        assert client.get(f"/search?q=harbour&page={page}").status_code == 404, page
    assert client.get("/search?q=harbour&page=1").status_code == 200
    assert client.get("/search?page=1").status_code == 200
    assert client.post("/search").status_code == 405


# What the page shows


def test_the_page_alone_is_a_form_with_advice(site: Site) -> None:
    page = shown(site, "")
    assert '<form action="/search" role="search"' in page
    assert "tag:sea" in page
    assert "Nothing was found" not in page
    assert "no letter" in shown(site, "🎉 ***")


def test_words_are_marked_where_they_stand_and_nothing_of_a_post_becomes_markup(site: Site) -> None:
    body = (
        "<b>Start</b> "
        + "Other things. " * 60
        + "\n\n`<script>` the Çafés & the lighthouse keeper's *light* house "
        + "ends. " * 90
    )
    site.post(title="On <i>cafes</i> & more", body=body)
    page = shown(site, 'cafes lighthouse "light house"')
    assert "On &lt;i&gt;<mark>cafes</mark>&lt;/i&gt; &amp; more" in page
    assert (
        "&lt;script&gt; the <mark>Çafés</mark> &amp; the <mark>lighthouse</mark> keeper’s <mark>light house</mark>"
        in page
    )
    snippet = re.search(r'<p class="p-summary" dir="auto">(.*?)</p>', page)[1]
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert len(snippet) < 500
    assert "Start" not in snippet


def test_chinese_is_shown_as_it_was_written(site: Site) -> None:
    site.post(title="日本語の検索", body="これは日本語の検索です。" * 40)
    page = shown(site, "語の検索")
    assert "日本<mark>語の検索</mark>" in page
    assert "これは日本<mark>語の検索</mark>です。" in page
    assert "\x1f" not in page


def test_a_post_found_by_its_title_shows_how_it_begins(site: Site) -> None:
    site.post(title="Lighthouse", body="It begins here.", excerpt="")
    assert '<p class="p-summary" dir="auto">It begins here.</p>' in shown(site, "lighthouse")


def test_what_was_asked_stands_in_the_field_and_the_title_and_robots_stay_away(site: Site) -> None:
    page = shown(site, '"><img src=x> ü')
    assert 'value="&#34;&gt;&lt;img src=x&gt; ü"' in page
    assert "<title>“&#34;&gt;&lt;img src=x&gt; ü” – Search" in page
    assert '<meta name="robots" content="noindex">' in page
    assert 'rel="canonical"' not in page


def test_results_come_in_pages_of_twenty_with_their_number(site: Site) -> None:
    for number in range(41):
        site.post(title=f"Twin {number}", slug=f"t{number}")
    first = shown(site, "twin")
    assert "41 posts fit." in first
    assert first.count('class="h-entry"') == 20
    assert 'rel="next" href="/search?q=twin&amp;page=2"' in first
    assert 'rel="prev"' not in first
    second = shown(site, "twin", page=2)
    assert 'rel="prev" href="/search?q=twin"' in second
    last = shown(site, "twin", page=3)
    assert last.count('class="h-entry"') == 1
    assert 'rel="next"' not in last
    every = [set(re.findall(r'href="(/posts/t\d+)"', page)) for page in (first, second, last)]
    assert len(set().union(*every)) == sum(map(len, every)) == 41


def test_beyond_the_most_only_the_newest_are_ranked_and_the_page_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_RANKED", 5)
    start = clock.now() - clock.DAY
    for number in range(6):
        # The oldest would be the best.
        body = "twin" if number == 0 else "twin " + "and others " * number
        site.post(title=f"P{number}", body=body, publish_at=start + number * clock.MINUTE)
    assert titles(site, "twin") == ["P1", "P2", "P3", "P4", "P5"]
    reader = site.client("rita")
    assert "More than" in shown(site, "twin", reader)
    monkeypatch.setattr(searching, "MOST_RANKED", 6)
    assert titles(site, "twin")[0] == "P0"
    assert "6 posts fit." in shown(site, "twin", reader)


def test_too_long_a_question_is_used_as_far_as_it_goes_and_the_page_says_so(site: Site) -> None:
    words = [f"word{number}" for number in range(40)]
    site.post(title="Long", body=" ".join(words))
    assert "only the first words were used" in shown(site, " ".join(words))
    assert titles(site, " ".join(words)) == ["Long"]
    assert "only the first" not in shown(site, " ".join(words[:16]))


def test_a_page_of_results_costs_two_statements_and_one_for_the_site(site: Site) -> None:
    for number in range(25):
        site.post(title=f"Twin {number}", slug=f"t{number}", tags=["sea"])
    for question, most in (("twin tag:sea -other", 3), ("tag:sea", 3), ("-other", 3), ("nothing", 2), ("", 1)):
        with site.counted_statements() as statements:
            shown(site, question)
        assert len(statements) <= most, (question, statements)


def test_no_statement_begins_with_all_posts(site: Site) -> None:
    """Among many that would take half a second; the plan says it without them."""
    site.post(title="Zanzibar", tags=["sea"])
    seen: list[tuple[str, Any]] = []
    engine = site.database.read_engine

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    for question in ("zanzibar", "tag:sea", "-other"):
        assert titles(site, question) == ["Zanzibar"]
    event.remove(engine, "before_cursor_execute", note)
    searched = [each for each in seen if each[0].startswith("SELECT")]
    assert len(searched) == 6
    with site.database.reading() as db:
        for statement, parameters in searched:
            plan = [row.detail for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert [step for step in plan if "ix_posts_reading" in step or step == "SCAN posts"] == [], plan


def test_visitors_get_what_everybody_gets_and_the_signed_in_get_their_own(site: Site) -> None:
    site.post(title="For members", visibility="members")
    site.post(title="For all members of the public")
    own = site.client("rita").get("/search?q=members")
    assert own.headers["Cache-Control"] == "private, no-store"
    assert "2 posts fit." in own.text
    for _again in range(2):
        all_ = site.client().get("/search?q=members")
        assert all_.headers["Cache-Control"] == "public, no-cache"
        assert "One post fits." in all_.text
    site.post(title="More members of the public")
    assert "2 posts fit." in site.client().get("/search?q=members").text


def test_the_way_to_the_search(site: Site) -> None:
    assert '<a href="/search">Search</a>' in site.client().get("/").text
    missing = site.client().get("/posts/nowhere")
    assert missing.status_code == 404
    assert '<form action="/search" role="search">' in missing.text
    assert '<form action="/search"' not in site.client().get("/new").text


def _rows(site: Site) -> Any:
    with site.database.reading() as db:
        query = "SELECT i.*, w.title, w.tags, w.body, w.keys, w.name FROM indexed_posts i JOIN post_words w ON w.rowid = i.id"
        return db.exec_driver_sql(query).fetchall()
