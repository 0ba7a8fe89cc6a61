"""Over the whole blog: what is quoted is what this reader may read at this moment, and no more; and whether it stands."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from app import LINKS
from auth.blocking.blocking import block, unblock
from auth.permissions import Role
from auth.permissions import Scope as TokenScope
from auth.principal import Principal
from blog.conversations import nearby
from blog.conversations.model import Passage, Scope
from blog.conversations.passages import find_changed, find_passages
from blog.conversations.ranking import keywords
from blog.library.holding import grant, remove, save, withdraw
from blog.posts.content import prepare
from blog.posts.deleting import delete
from blog.posts.hiding import hide
from blog.posts.model import Post
from blog.posts.publishing import publish, unpublish
from blog.posts.reading import read_post
from blog.posts.writing import change
from storage import clock
from tests.support import TESTER, Site

WORD = "zebrafinch"


def ask(site: Site, who: Principal, post: Post, question: str, scope: Scope = Scope.BLOG) -> list[Passage]:
    """What is quoted to somebody."""
    with site.database.reading() as db:
        return find_passages(db, post, keywords(question), scope=scope, by=who, at=clock.now())


@pytest.fixture
def at_hand(site: Site) -> Post:
    """The post that a conversation is about; beside it stands one of every kind, all about the same."""
    kinds: dict[str, dict[str, Any]] = {
        "public": {},
        "members": {"visibility": "members"},
        "page": {"kind": "page"},
        "granted": {"visibility": "granted"},
        "ungranted": {"visibility": "granted"},
        "draft": {"status": "draft"},
        "scheduled": {"publish_at": clock.now() + clock.HOUR},
        "deleted": {},
        "unpublished": {},
    }
    for name, values in kinds.items():
        body = f"## About {name}\n\nA {WORD} called {name} is striped."
        site.post("ada", title=f"The {name} one", slug=name, body=body, **values)
    ada = site.principal("ada")
    with site.database.transaction() as db:
        delete(db, read_post(db, by=ada, slug="deleted").post.id, by=ada)
        unpublish(db, read_post(db, by=ada, slug="unpublished").post.id, by=ada)
        grant(db, "granted", "rita", by=ada)
    return site.post("alan", title="At hand", slug="at-hand", body=f"## Here\n\nA {WORD} sings.", visibility="granted")


def found_by(site: Site, who: Principal, at_hand: Post, scope: Scope = Scope.BLOG) -> set[str]:
    """The slugs that are quoted to somebody. Asked for one at a time, since there are more than are shown at once."""
    names = ("public", "members", "page", "granted", "ungranted", "draft", "scheduled", "deleted", "here")
    questions = [f"Is the {WORD} called {name} striped?" for name in names]
    found = [passage for question in questions for passage in ask(site, who, at_hand, question, scope)]
    return {passage.url.partition("#")[0].rpartition("/")[2] for passage in found}


def test_readers_are_quoted_what_they_may_read_and_what_was_granted_to_them(site: Site, at_hand: Post) -> None:
    rita = site.principal("rita")
    assert found_by(site, rita, at_hand) == {"at-hand", "public", "members", "page", "granted"}
    assert found_by(site, rita, at_hand, Scope.POST) == {"at-hand"}


def test_authors_are_quoted_their_own_granted_posts_and_never_drafts(site: Site, at_hand: Post) -> None:
    expected = {"at-hand", "public", "members", "page", "granted", "ungranted"}
    assert found_by(site, site.principal("ada"), at_hand) == expected
    assert found_by(site, site.principal("alan"), at_hand) == {"at-hand", "public", "members", "page"}


@pytest.mark.parametrize("name", ["edith", "olive"])
def test_whoever_may_read_every_draft_is_quoted_none(site: Site, at_hand: Post, name: str) -> None:
    assert found_by(site, site.principal(name), at_hand) == {"at-hand", "public", "members", "page"}


def test_a_token_that_may_not_read_is_quoted_what_everybody_reads(site: Site, at_hand: Post) -> None:
    token = replace(site.principal("rita"), session_id=None, scopes=frozenset({TokenScope.ACCOUNT}))
    assert token.role == Role.READER
    assert found_by(site, token, at_hand) == {"at-hand", "public", "page"}
    asking = replace(token, scopes=frozenset({TokenScope.CONVERSATIONS}))
    assert found_by(site, asking, at_hand) == {"at-hand", "public", "members", "page", "granted"}


def _id(db: Connection, slug: str, ada: Principal) -> str:
    return read_post(db, by=ada, slug=slug).post.id


def _grant_only(db: Connection, slug: str, ada: Principal) -> None:
    post = read_post(db, by=ada, slug=slug).post
    values = {"title": post.title, "body": post.body, "slug": slug, "status": "published", "visibility": "granted"}
    change(db, post.id, prepare(values), by=ada)


LOSSES: dict[str, tuple[str, Callable[[Connection, Principal], object]]] = {
    "withdrawn": ("granted", lambda db, ada: withdraw(db, _id(db, "granted", ada), "rita", by=ada)),
    "deleted": ("public", lambda db, ada: delete(db, _id(db, "public", ada), by=ada)),
    "unpublished": ("public", lambda db, ada: unpublish(db, _id(db, "public", ada), by=ada)),
    "granted only": ("members", lambda db, ada: _grant_only(db, "members", ada)),
    "hidden": ("public", lambda db, _ada: block(db, "ada", by=TESTER, links=LINKS, hide=hide)),
    "hidden, granted": ("granted", lambda db, _ada: block(db, "ada", by=TESTER, links=LINKS, hide=hide)),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_lost_is_quoted_no_more_from_that_moment_on(site: Site, at_hand: Post, loss: str) -> None:
    slug, lose = LOSSES[loss]
    rita, ada = site.principal("rita"), site.principal("ada")
    assert slug in found_by(site, rita, at_hand)
    with site.database.transaction() as db:
        lose(db, ada)
    assert slug not in found_by(site, rita, at_hand)


def test_what_comes_back_is_quoted_again(site: Site, at_hand: Post) -> None:
    rita, ada = site.principal("rita"), site.principal("ada")
    with site.database.transaction() as db:
        publish(db, _id(db, "unpublished", ada), by=ada)
        block(db, "ada", by=TESTER, links=LINKS, hide=hide)
        unblock(db, "ada", by=TESTER, hide=hide)
    assert found_by(site, rita, at_hand) >= {"public", "granted"}


def test_a_post_that_was_saved_and_is_for_others_now_is_not_quoted(site: Site, at_hand: Post) -> None:
    rita, ada = site.principal("rita"), site.principal("ada")
    with site.database.transaction() as db:
        saved, _held, _is_new = save(db, "members", by=rita)
        _grant_only(db, "members", ada)
    assert "members" not in found_by(site, rita, at_hand)
    with site.database.transaction() as db:
        remove(db, saved.id, by=rita)
        grant(db, "members", "rita", by=ada)
    assert "members" in found_by(site, rita, at_hand)


def test_an_old_post_is_found_among_many_that_say_the_common_words(
    site: Site, at_hand: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearby, "_MOST_HOLDING", 20)
    monkeypatch.setattr(nearby, "_MOST_HITS", 20)
    site.post(
        title="Old",
        slug="old",
        body="## Rare\n\nThe river has an ancient heron.",
        publish_at=clock.now() - 1000 * clock.DAY,
    )
    for number in range(30):
        site.post(title=f"River {number}", slug=f"river-{number}", body=f"The river has a bridge, number {number}.")
    found = ask(site, site.principal("rita"), at_hand, "Which heron lives at the river?")
    assert found[0].heading == "Rare"


def test_of_a_large_blog_one_rare_word_is_enough(site: Site, at_hand: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    question = "Who painted chrysanthemums when it was snowing in Kyoto?"
    site.post(title="Flowers", slug="flowers", body="## Autumn\n\nThe chrysanthemum flowers late.")
    rita = site.principal("rita")
    assert ask(site, rita, at_hand, question) == []
    monkeypatch.setattr(nearby, "_FEW", 8)
    assert [found.heading for found in ask(site, rita, at_hand, question)] == ["Autumn"]


def test_words_that_stand_everywhere_are_looked_for_together(
    site: Site, at_hand: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearby, "_MOST_HOLDING", 5)
    for number in range(8):
        site.post(title="A", slug=f"a-{number}", body=f"The river floods, {number}.")
        site.post(title="B", slug=f"b-{number}", body=f"The bridge burns, {number}.")
    site.post(title="Both", slug="both", body="The bridge over the river.")
    found = ask(site, site.principal("rita"), at_hand, "river bridge")
    assert found[0].title == "Both"


def test_how_much_is_asked_of_the_database_does_not_depend_on_the_question(site: Site, at_hand: Post) -> None:
    rita = site.principal("rita")

    def statements(question: str) -> int:
        with site.counted_statements() as seen:
            ask(site, rita, at_hand, question)
        return len(seen)

    most = statements(" ".join(f"word{n} {WORD}{n}" for n in range(2000)))
    assert most <= 20


@pytest.mark.parametrize(
    "question", ['" OR *', "tag:birds -zebrafinch", "NEAR(a b)", "\x00", "'; DROP TABLE posts", "🐦"]
)
def test_no_question_is_taken_for_the_language_of_the_index(site: Site, at_hand: Post, question: str) -> None:
    ask(site, site.principal("rita"), at_hand, question)
    assert site.rows("posts") == 10


def test_a_question_that_names_nothing_is_answered_with_the_opening(site: Site) -> None:
    post = site.post(body="An opening sentence.\n\n## Later\n\nWhat is this about? This is about that.")
    rita = site.principal("rita")
    found = ask(site, rita, post, "What is this about?", Scope.POST)
    assert [(each.quote, each.url) for each in found] == [("An opening sentence.", post.path)]
    assert ask(site, rita, post, "???", Scope.POST) == []


class TestAPassageThatWasQuotedOnce:
    """Whether it still stands, once its post was edited."""

    BODY = "## One\n\nThe owl is brown.\n\n## Two\n\nThe wren is small."

    def has_changed(self, passage: Passage, post: Post) -> bool:
        return find_changed([passage], {post.id: post.html}) == {passage}

    def quote(self, site: Site, post: Post) -> Passage:
        (found,) = ask(site, site.principal("rita"), post, "Is the owl brown?", Scope.POST)
        return found

    def edited(self, site: Site, post: Post, **values: str) -> Post:
        content = prepare({"title": post.title, "body": post.body, "slug": post.slug, "status": "published"} | values)
        alan = site.principal("alan")
        with site.database.transaction() as db:
            return change(db, post.id, content, by=alan)

    def test_it_stands_where_nothing_was_edited(self, site: Site) -> None:
        post = site.post(body=self.BODY)
        assert not self.has_changed(self.quote(site, post), post)

    @pytest.mark.parametrize(
        "values",
        [
            {"body": BODY.replace("small", "tiny")},
            {"body": BODY.replace("The owl", "Here is more.\n\nThe owl")},
            {"body": f"## None\n\nBefore.\n\n{BODY}"},
            {"body": BODY.replace("owl is", "owl\nis")},
            {"slug": "another-slug"},
            {"title": "Another title"},
        ],
    )
    def test_it_stands_where_something_else_was(self, site: Site, values: dict[str, str]) -> None:
        post = site.post(body=self.BODY)
        passage = self.quote(site, post)
        assert not self.has_changed(passage, self.edited(site, post, **values))

    @pytest.mark.parametrize(
        "body",
        [
            BODY.replace("brown", "white"),
            BODY.replace("The owl is brown.", ""),
            BODY.replace("## One", "## Another"),
            "## One\n\nNothing.\n\n## Two\n\nThe owl is brown.",
            "Nothing.",
        ],
    )
    def test_it_has_changed_where_it_is_gone_or_stands_elsewhere(self, site: Site, body: str) -> None:
        post = site.post(body=self.BODY)
        passage = self.quote(site, post)
        assert self.has_changed(passage, self.edited(site, post, body=body))

    def test_another_post_says_nothing_of_it(self, site: Site) -> None:
        post, other = site.post(body=self.BODY), site.post(body="Nothing.", slug="other")
        assert not self.has_changed(self.quote(site, post), other)

    def test_it_stands_at_a_place_of_any_name(self, site: Site) -> None:
        body = self.BODY.replace("## One", '<h2 id="a) &amp;[b](/c) 港 %41">One</h2>')
        post = site.post(body=body)
        passage = self.quote(site, post)
        assert not self.has_changed(passage, post)
        assert self.has_changed(passage, self.edited(site, post, body=body.replace("%41", "A")))
