"""Tags: renamed and put together on every post at once, and found under what they were called before."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.permissions import Scope
from blog.tagging import renaming
from blog.tagging.renaming import RENAME, rename_rest, rename_tag
from blog.tags.queries import find_present_tag, keep_former_tag
from eventlog.log.following import events_since
from storage.engine import Database
from storage.upgrading import upgrade
from tests.support import Client, Site, find_form_token
from web.errors import Conflict, NotFound


@pytest.fixture
def edith(site: Site) -> Client:
    return site.client("edith")


def rename(client: Client, tag: str, name: str, **fields: str):
    token = client.form_token("/account")
    data = {"csrf_token": token, "tag": tag, "name": name, **fields}
    return client.post("/admin/tags/rename", data=data)


def tags_of(site: Site, post) -> tuple[str, int, list[str], list[int]]:
    """What the post says, its version, where it is found, and its revisions."""
    with site.database.reading() as db:
        tags, version = db.exec_driver_sql("SELECT tags, version FROM posts WHERE id = ?", (post.id,)).one()
        found = db.exec_driver_sql("SELECT tag FROM post_tags WHERE post_id = ? ORDER BY tag", (post.id,)).scalars()
        numbers = db.exec_driver_sql("SELECT number FROM revisions WHERE post_id = ? ORDER BY number", (post.id,))
        return tags, version, list(found), list(numbers.scalars())


def events(site: Site) -> list:
    with site.database.reading() as db:
        return [event for event in events_since(db, None, 0, 0) if event.kind == "tag.renamed"]


def test_the_list_counts_what_is_not_deleted(site: Site, edith: Client) -> None:
    for number in range(3):
        site.post("alan", tags=["sea", f"<b>{number}".replace("<", "(").replace(">", ")")], slug=f"p{number}")
    site.client("alan").submit("/posts/p0/delete", version="1")
    page = edith.get("/admin/tags").text
    assert "2 posts" in page
    assert "(b)0" not in page
    assert page.count("One post") == 2


def test_a_renamed_tag_is_another_one_everywhere_and_its_address_leads_on(site: Site, edith: Client) -> None:
    post = site.post("alan", tags=["boats", "boat", "a boat"])
    draft = site.post("ada", tags=["boat"], status="draft")
    other = site.post("ada", tags=["boats"])
    with site.database.reading() as db:
        version = db.exec_driver_sql("SELECT content_version FROM site").scalar_one()
    answer = rename(edith, "boat", "  Ships &  more ")
    assert answer.status_code == 303
    assert tags_of(site, post) == ("boats,ships & more,a boat", 2, ["a boat", "boats", "ships & more"], [1, 2])
    assert tags_of(site, draft) == ("ships & more", 2, ["ships & more"], [1, 2])
    assert tags_of(site, other) == ("boats", 1, ["boats"], [1])
    (event,) = events(site)
    assert (event.actor, event.payload) == ("edith", {"from": "boat", "to": "ships & more", "count": 2})
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT content_version FROM site").scalar_one() > version
    moved = site.client().get("/tags/boat")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/tags/ships%20%26%20more")
    assert site.client().get(moved.headers["Location"]).status_code == 200
    assert "renamed the tag" in site.client("olive").get("/admin/log").text


def test_an_editor_that_is_open_meanwhile_meets_the_new_name(site: Site, edith: Client) -> None:
    post = site.post("alan", slug="open", title="Open", body="Words.", tags=["boat"])
    rename(edith, "boat", "ship")
    alan = site.client("alan")
    answer = alan.submit("/posts/open/edit", title="Open", body="More words.", tags="boat", version="1")
    assert answer.status_code == 409
    assert 'value="ship"' in answer.text
    assert tags_of(site, post)[0] == "ship"


def test_two_tags_become_one_only_when_that_is_agreed_to(site: Site, edith: Client) -> None:
    both = site.post("alan", tags=["ship", "sea", "boat"])
    one = site.post("alan", tags=["boat", "sea"])
    asked = rename(edith, "boat", "SHIP")
    assert asked.status_code == 409
    assert "Both become one" in asked.text
    assert events(site) == []
    assert rename(edith, "boat", "sea", merge="ship").status_code == 409  # agreed to another one
    assert rename(edith, "boat", "ship", merge="ship").status_code == 303
    assert tags_of(site, both) == ("ship,sea", 2, ["sea", "ship"], [1, 2])
    assert tags_of(site, one) == ("ship,sea", 2, ["sea", "ship"], [1, 2])


def test_chains_are_one_step_and_there_and_back_is_no_loop(site: Site, edith: Client) -> None:
    site.post("alan", tags=["one"])
    for tag, name in (("one", "two"), ("two", "three")):
        assert rename(edith, tag, name).status_code == 303
    visitor = site.client()
    assert visitor.get("/tags/one").headers["Location"] == "/tags/three"
    assert visitor.get("/tags/two").headers["Location"] == "/tags/three"
    assert rename(edith, "three", "one").status_code == 303
    assert visitor.get("/tags/one").status_code == 200
    assert visitor.get("/tags/two").headers["Location"] == "/tags/one"
    assert visitor.get("/tags/three").headers["Location"] == "/tags/one"
    # Somebody uses a former name again: it is a tag like all others.
    site.post("alan", tags=["two"])
    assert visitor.get("/tags/two").status_code == 200


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("tags") / "byline.db"
    upgrade(path)
    database = Database(path, readers=1)
    yield database
    database.close()


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")).filter(lambda p: p[0] != p[1])))
def test_no_order_of_renamings_makes_a_chain_or_a_loop(database: Database, pairs: list[tuple[str, str]]) -> None:
    with database.transaction() as db:
        db.exec_driver_sql("DELETE FROM former_tags")
        for former, present in pairs:
            keep_former_tag(db, former, present=present)
            assert find_present_tag(db, former) == present
            assert find_present_tag(db, present) is None
        rows = dict(tuple(row) for row in db.exec_driver_sql("SELECT tag, present FROM former_tags"))
    assert set(rows).isdisjoint(rows.values())
    assert {former for former, _present in pairs} - {pairs[-1][1] if pairs else ""} >= set(rows)


def test_whether_drafts_bear_a_tag_stays_unknown(site: Site, edith: Client) -> None:
    site.post("alan", tags=["secret"], status="draft")
    rename(edith, "secret", "plan")
    assert site.client().get("/tags/secret").status_code == 404
    assert site.client().get("/tags/plan").status_code == 404


@pytest.mark.parametrize("name", ["", "  ", "a,b", "..", "<b>", "x" * 51, "a\x00b", "ﷺ" * 51, "a/b"])
def test_a_name_that_no_tag_can_have_is_said_beside_it(site: Site, edith: Client, name: str) -> None:
    post = site.post("alan", tags=["sea"])
    answer = rename(edith, "sea", name)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert tags_of(site, post)[:2] == ("sea", 1)


@pytest.mark.parametrize("tag", ["", "nowhere", "a,b", "\x00", "x" * 300, "' OR 1=1"])
def test_a_tag_that_nobody_uses_is_not_there(site: Site, edith: Client, tag: str) -> None:
    assert rename(edith, tag, "sea").status_code == 404
    assert edith.get("/admin/tags/rename", query_string={"tag": tag}).status_code == 404


def test_who_may_not(site: Site) -> None:
    site.post("alan", tags=["sea"])
    for name in ("alan", "rita"):
        client = site.client(name)
        assert client.get("/admin/tags").status_code == 403
        assert rename(client, "sea", "lake").status_code == 403
    assert site.client("bob").get("/admin/tags").status_code == 303
    assert site.client().post("/admin/tags/rename", data={"tag": "sea", "name": "x"}).status_code == 401
    program = site.client(token=site.token("olive", *Scope))
    assert program.get("/admin/tags").status_code == 403
    assert program.post("/admin/tags/rename", data={"tag": "sea", "name": "x"}).status_code == 403
    assert events(site) == []


def test_a_stale_form_token_changes_nothing_and_keeps_the_name(site: Site, edith: Client) -> None:
    site.post("alan", tags=["sea"])
    answer = edith.post("/admin/tags/rename", data={"csrf_token": "bad", "tag": "sea", "name": "Lake"})
    assert answer.status_code == 403
    assert 'value="Lake"' in answer.text
    assert find_form_token(answer.text)
    assert events(site) == []


def test_two_editors_at_once_rename_it_once(site: Site) -> None:
    posts = [site.post("alan", tags=["sea"]) for _ in range(5)]
    start = threading.Barrier(2)
    ended: list[str | None] = []

    def one(name: str, by: str) -> None:
        start.wait()
        try:
            with site.database.transaction() as db:
                rename_tag(db, "sea", name, by=who[by])
            ended.append(name)
        except NotFound:
            ended.append(None)

    who = {name: site.principal(name) for name in ("edith", "olive")}
    threads = [threading.Thread(target=one, args=each) for each in (("lake", "edith"), ("pond", "olive"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [name for name in ended if name]
    assert [tags_of(site, post)[0] for post in posts] == [winner] * 5
    assert len(events(site)) == 1


def test_more_than_fit_are_renamed_by_a_job_that_may_run_twice(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renaming, "_AT_ONCE", 4)
    posts = [site.post("alan", tags=["sea", f"n{n}"]) for n in range(10)]
    edith = site.principal("edith")
    with site.database.transaction() as db:
        assert rename_tag(db, "sea", "lake", by=edith) == 10
    with site.database.reading() as db:
        (kind, payload) = db.exec_driver_sql("SELECT kind, payload FROM jobs WHERE kind = 'tags.rename'").one()
    assert kind == RENAME
    job = json.loads(payload)
    assert rename_rest(site.database, job) is not None
    assert rename_rest(site.database, job) is None
    assert rename_rest(site.database, job) is None
    assert [tags_of(site, post) for post in posts] == [(f"lake,n{n}", 2, ["lake", f"n{n}"], [1, 2]) for n in range(10)]
    assert len(events(site)) == 1


def test_a_job_that_is_late_does_not_undo_a_renaming_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renaming, "_AT_ONCE", 2)
    posts = [site.post("alan", tags=["sea"]) for _ in range(5)]
    edith = site.principal("edith")
    with site.database.transaction() as db:
        rename_tag(db, "sea", "lake", by=edith)
    with site.database.transaction() as db, pytest.raises(Conflict):
        rename_tag(db, "lake", "sea", by=edith)
    with site.database.transaction() as db:
        rename_tag(db, "lake", "sea", by=edith, may_merge=True)
    for tag in ("sea", "lake", "lake", "lake", "sea", "sea"):
        rename_rest(site.database, {"tag": tag, "user_id": edith.user_id})
    assert [tags_of(site, post)[0] for post in posts] == ["sea"] * 5


def test_the_revisions_say_that_a_tag_was_renamed(site: Site, edith: Client) -> None:
    post = site.post("alan", title="Boats", tags=["boat"])
    assert rename(edith, "boat", "ship").status_code == 303
    with site.database.reading() as db:
        origins = db.exec_driver_sql("SELECT origin FROM revisions WHERE post_id = ? ORDER BY number", (post.id,))
        assert list(origins.scalars()) == ["form", "rename"]
    assert "a tag renamed" in site.client("alan").get("/posts/boats/revisions").text
    listed = site.client(token=site.token("alan")).get(f"/v1/posts/{post.id}/revisions").json
    assert [item["origin"] for item in listed["items"]] == ["rename", "form"]
