"""Addresses that change: every former one leads to its post in one step, and none to anybody else's."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from blog.posts.content import RESERVED, prepare
from blog.posts.writing import change, write
from tests.support import Client, Site, make_site
from web.errors import Invalid
from web.site.queries import touch

# Few, so that they meet all the time; numbers are what a title that is taken becomes.
SLUGS = ("one", "two", "three", "one-2", "two-2")
TAKEN = "Another post has, or had, this address."


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = make_site(tmp_path_factory.mktemp("addresses") / "instance")
    yield site
    site.close()


def test_every_former_address_arrives_in_one_step_whatever_was_renamed(shared: Site, soak: bool) -> None:
    class Renaming(RuleBasedStateMachine):
        """Several posts take each other's addresses, or would like to."""

        @initialize()
        def begin(self) -> None:
            with shared.database.transaction() as db:
                for table in ("post_words", "posts"):
                    db.exec_driver_sql(f"DELETE FROM {table}")
                touch(db)
            self.posts = []
            self.owners: dict[str, int] = {}  # of every address that was ever taken

        @rule(slug=st.sampled_from(SLUGS))
        def write_one(self, slug: str) -> None:
            with shared.database.transaction() as db:
                content = prepare({"title": slug, "slug": slug, "body": "Words.", "status": "published"})
                if slug in self.owners:
                    with pytest.raises(Invalid) as refusal:
                        write(db, content, by=shared.principal("alan"))
                    assert refusal.value.fields["slug"].startswith(TAKEN)
                    return
                self.posts.append(write(db, content, by=shared.principal("alan")))
            self.owners[slug] = len(self.posts) - 1

        @rule(title=st.sampled_from(("One", "Two")))
        def write_one_by_its_title(self, title: str) -> None:
            with shared.database.transaction() as db:
                post = write(db, prepare({"title": title, "status": "published"}), by=shared.principal("alan"))
            assert post.slug not in self.owners
            self.owners[post.slug] = len(self.posts)
            self.posts.append(post)

        @rule(which=st.integers(min_value=0), slug=st.sampled_from(SLUGS))
        def rename(self, which: int, slug: str) -> None:
            if not self.posts:
                return
            which %= len(self.posts)
            with shared.database.transaction() as db:
                post = self.posts[which]
                content = prepare({"slug": slug}, current=post)
                if self.owners.get(slug, which) != which:
                    with pytest.raises(Invalid) as refusal:
                        change(db, post.id, content, by=shared.principal("alan"))
                    assert refusal.value.fields["slug"].startswith(TAKEN)
                    return
                self.posts[which] = change(db, post.id, content, by=shared.principal("alan"))
            self.owners[slug] = which

        @invariant()
        def every_address_arrives(self) -> None:
            visitor = shared.client()
            for slug, which in self.owners.items():
                current = self.posts[which].slug
                answer = visitor.get(f"/posts/{slug}")
                if slug == current:
                    assert answer.status_code == 200
                else:
                    assert answer.status_code == 301
                    assert answer.headers["Location"] == f"/posts/{current}"
            with shared.database.reading() as db:
                former = dict(map(tuple, db.exec_driver_sql("SELECT slug, post_id FROM former_slugs")))
                current_slugs = set(db.exec_driver_sql("SELECT slug FROM posts").scalars())
            # What leads to itself would be a loop; what leads to a former address, a chain.
            assert former.keys().isdisjoint(current_slugs)
            assert {slug: self.posts[which].id for slug, which in self.owners.items()} == former | {
                post.slug: post.id for post in self.posts
            }

    Renaming.TestCase.settings = settings(
        max_examples=100 if soak else 20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    case = Renaming.TestCase()
    case.runTest()


@pytest.fixture
def alan(site: Site) -> Client:
    return site.client("alan")


def test_a_new_post_may_not_take_a_former_address_and_is_told_so_with_its_text(site: Site, alan: Client) -> None:
    post = site.post(title="Moved", slug="here")
    page = f"/posts/{post.slug}/edit"
    assert alan.submit(page, title="Moved", slug="there", body="Words.", version="1").status_code == 303
    refused = alan.submit("/new", title="New", slug="here", body="What I wrote.", status="published")
    assert refused.status_code == 422
    assert TAKEN in refused.text
    assert "What I wrote." in refused.text
    body = {"title": "New", "slug": "here", "body": "What I wrote."}
    by_api = site.client(token=site.token("alan")).post("/v1/posts", json=body)
    assert by_api.status_code == 422
    assert [error["field"] for error in by_api.json["errors"]] == ["slug"]
    # Without an address of its own it gets one that is free.
    assert alan.submit("/new", title="Here", body="Words.", status="published").headers["Location"] == "/posts/here-2"
    assert site.client().get("/posts/here").headers["Location"] == "/posts/there"


def test_the_address_of_a_deleted_post_stays_its_own(site: Site, alan: Client) -> None:
    post = site.post(slug="gone")
    assert alan.submit(f"/posts/{post.slug}/delete", version="1").status_code == 303
    refused = alan.submit("/new", title="New", slug="gone", body="Words.")
    assert refused.status_code == 422
    assert site.client().get("/posts/gone").status_code == 410


def test_who_edits_under_a_former_address_saves_the_same_post(site: Site, alan: Client) -> None:
    post = site.post(slug="before", body="Begun.")
    other = site.client("edith")
    fields = {"title": post.title, "body": "Begun.", "version": "1"}
    assert other.submit("/posts/before/edit", slug="after", **fields).status_code == 303
    met = alan.submit("/posts/before/edit", slug="before", **fields | {"body": "Mine."})
    assert met.status_code == 409
    assert "Mine." in met.text
    assert 'action="/posts/after/edit"' in met.text
    saved = alan.submit("/posts/before/edit", slug="after", **fields | {"body": "Mine.", "version": "2"})
    assert saved.headers["Location"] == "/posts/after"


@pytest.mark.parametrize(
    "slug",
    ["привет", "日本", "grüße", "a" * 300, "..", ".", "a..b", "a.", "a/b", "/", "%2e%2e", "a--b", "-a", "a-", "A", "a b",
     "a\x00b", "con\u202eok", "é", "٣", "①"],
)  # fmt: skip
def test_what_is_no_address_is_refused_beside_its_field_with_the_text(site: Site, alan: Client, slug: str) -> None:
    answer = alan.submit("/new", title="Good", slug=slug, body="What I wrote.", status="published")
    assert answer.status_code == 422
    assert "What I wrote." in answer.text
    assert 'id="field-slug-error"' in answer.text
    assert site.rows("posts") == 0
    for path in (f"/posts/{slug}", f"/posts/{slug}/edit"):
        assert site.client("alan").get(path).status_code in (301, 308, 400, 404)


@pytest.mark.parametrize("path", ["/posts//words", "//posts/words", "/posts///words?a=b", "/posts/words/"])
def test_an_address_with_slashes_too_many_is_none(site: Site, path: str) -> None:
    """Werkzeug would send to the right one, by the name of the host that the request came with."""
    site.post("alan", title="Words")
    answer = site.client().get(path, headers={"Host": "evil.test"})
    assert answer.status_code == 404
    assert "evil.test" not in answer.text


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_no_page_takes_an_address_of_the_site_and_a_post_may(site: Site, alan: Client, word: str) -> None:
    refused = alan.submit("/new", title="Page", slug=word, body="Words.", kind="page", status="published")
    assert refused.status_code == 422
    assert "The site itself uses this address." in refused.text
    by_title = alan.submit("/new", title=word, body="Words.", kind="page", status="published")
    assert by_title.headers["Location"] == f"/{word}-2"
    allowed = alan.submit("/new", title="Post", slug=word, body="Words.", kind="post", status="published")
    assert allowed.headers["Location"] == f"/posts/{word}"
    assert site.client().get(f"/posts/{word}").status_code == 200


@pytest.mark.parametrize("title", ["привет мир", "日本語の題", "🦉🦉", "..", "a" * 300, "Ünï", "עברית"])
def test_a_title_of_any_script_gets_an_address(site: Site, alan: Client, title: str) -> None:
    answer = alan.submit("/new", title=title, body="Words.", status="published")
    assert answer.status_code == 303
    assert answer.headers["Location"].isascii()
    assert site.client().get(answer.headers["Location"]).status_code == 200
