"""The desk: one's posts, found and sorted; many changed at once, after one question, each with its own event."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from werkzeug.datastructures import MultiDict

from auth.permissions import Scope
from blog.desk.many import Chosen, What, do_to_many
from blog.desk.queries import Filters, list_posts
from eventlog.log.following import events_since
from storage import clock
from tests.support import Client, Site, find_form_token


@pytest.fixture
def alan(site: Site) -> Client:
    return site.client("alan")


def titles(client: Client, query: str = "") -> list[str]:
    """What the list shows, in its order."""
    answer = client.get(f"/account{query}")
    assert answer.status_code == 200
    return re.findall(r'<a class="what"[^>]*><bdi>([^<]*)</bdi>', answer.text)


def kinds(site: Site) -> list[str]:
    with site.database.reading() as db:
        return [event.kind for event in events_since(db, None, 0, 0)]


def send(client: Client, posts: list[str], what: str, *, query: str = "", **fields: str):
    """The form of the list, as a browser would send it."""
    token = client.form_token("/account")
    data = MultiDict([("csrf_token", token), ("what", what), *(("post", each) for each in posts), *fields.items()])
    return client.post(f"/account/posts{query}", data=data)


def value(post) -> str:
    return f"{post.id}~{post.version}"


def revisions(site: Site, post) -> list[tuple[int, str, str, str]]:
    with site.database.reading() as db:
        query = "SELECT number, status, tags, origin FROM revisions WHERE post_id = ? ORDER BY number"
        return [tuple(row) for row in db.exec_driver_sql(query, (post.id,))]


def some(site: Site) -> None:
    site.post("alan", title="Zebra", tags=["animals"], body="It has stripes.", status="draft")
    site.post("alan", title="apple", tags=["fruit"], body="Round, 100% sweet.")
    site.post("alan", title="Later", publish_at=clock.now() + clock.DAY)
    site.post("ada", title="Hers", tags=["fruit"], status="draft")


def test_filters_find_by_state_tag_and_words(site: Site, alan: Client) -> None:
    some(site)
    assert titles(alan) == ["Zebra", "Later", "apple"]
    assert titles(alan, "?state=draft") == ["Zebra"]
    assert titles(alan, "?state=scheduled") == ["Later"]
    assert titles(alan, "?state=published") == ["apple"]
    assert titles(alan, "?tag=FRUIT") == ["apple"]
    assert titles(alan, "?q=STRIPES") == ["Zebra"]
    assert titles(alan, "?q=zebra&state=published") == []
    assert titles(alan, "?sort=title") == ["apple", "Later", "Zebra"]
    assert titles(alan, "?sort=published") == ["Later", "apple", "Zebra"]


@pytest.mark.parametrize(("typed", "found"), [("100%", 1), ("%", 1), ("_", 0), ("/", 0), ("\\", 0), ("'; DROP", 0)])
def test_words_are_looked_for_as_they_are_typed(site: Site, alan: Client, typed: str, found: int) -> None:
    some(site)
    assert len(titles(alan, f"?q={quote(typed)}")) == found


def test_everybodys_posts_are_for_editors(site: Site, alan: Client) -> None:
    some(site)
    edith = site.client("edith")
    assert titles(edith) == []
    assert set(titles(edith, "?whose=all")) == {"Zebra", "Later", "apple", "Hers"}
    assert titles(edith, "?whose=all&tag=fruit&state=draft") == ["Hers"]
    refused = alan.get("/account?whose=all")
    assert refused.status_code == 422
    assert "Only editors" in refused.text
    assert "Hers" not in refused.text
    assert titles(site.client("rita"), "?q=a") == []


def test_the_statement_itself_finds_no_strangers_post(site: Site) -> None:
    some(site)
    for name, found in (("ada", {"Hers"}), ("rita", set()), ("olive", {"Zebra", "Later", "apple", "Hers"})):
        who, filters = site.principal(name), Filters(is_everybodys=True)
        with site.database.reading() as db:
            lines = list_posts(db, filters, by=who, at=clock.now(), limit=9)
        assert {line.title for line in lines} == found


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("state=burnt&q=kept", "kept"),
        ("sort=size&q=kept", "kept"),
        ("whose=hers&q=kept", "kept"),
        ("tag=a,b", "a,b"),
        ("tag=" + "x" * 51 + "&q=kept", "kept"),
        ("q=" + "x" * 201, "x" * 201),
        ("q=a%00b&tag=kept", "kept"),
    ],
)
def test_what_cannot_be_asked_for_is_said_beside_what_was_typed(
    site: Site, alan: Client, query: str, kept: str
) -> None:
    some(site)
    answer = alan.get(f"/account?{query}")
    assert answer.status_code == 422
    assert f'value="{kept}"' in answer.text


@pytest.mark.parametrize(
    "query",
    [
        "after=nonsense",
        "after=",
        "after=5~6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
        "after=burnt~5~6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
        "sort=published&after=9999999999999999999~6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
        "sort=published&after=-~6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
        "sort=title&after=" + "x" * 401 + "~6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
    ],
)
def test_a_place_that_is_none_in_this_order_is_no_page(site: Site, alan: Client, query: str) -> None:
    some(site)
    assert alan.get(f"/account?{query}").status_code == 404


@pytest.mark.parametrize("sort", ["changed", "published", "title"])
def test_pages_of_fifty_keep_the_filters_and_show_each_post_once(site: Site, alan: Client, sort: str) -> None:
    for number in range(104):
        state = "draft" if number % 3 else "published"
        site.post("alan", title=f"{'aA'[number % 2]} <{number // 2}>~&", tags=["yes"], status=state)
    site.post("alan", title="not this one", tags=["no"])
    path, seen, pages = f"/account?tag=yes&sort={sort}", [], 0
    while path:
        page = alan.get(path).text
        seen += re.findall(r'name="post" value="([^"]+)"', page)
        pages += 1
        found = re.search(r'rel="next" href="([^"]+)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
        assert not path or "tag=yes" in path
    assert pages == 3
    assert len(seen) == len(set(seen)) == 104


@pytest.mark.parametrize(
    ("what", "begun", "events", "status", "tags"),
    [
        (What.PUBLISH, "draft", ["post.edited", "post.published"], "published", "old"),
        (What.UNPUBLISH, "published", ["post.edited", "post.unpublished"], "draft", "old"),
        (What.ADD_TAG, "draft", ["post.edited"], "draft", "old,new tag"),
        (What.REMOVE_TAG, "draft", ["post.edited"], "draft", ""),
    ],
)
def test_many_are_changed_after_one_question_with_an_event_and_a_revision_each(
    site: Site, alan: Client, what: What, begun: str, events: list[str], status: str, tags: str
) -> None:
    posts = [site.post("alan", title=f"Post <{n}>", status=begun, tags=["old"]) for n in range(3)]
    before = len(kinds(site))
    tag = {What.ADD_TAG: "New  Tag", What.REMOVE_TAG: "OLD"}.get(what, "")
    asked = send(alan, [value(post) for post in posts], what, with_tag=tag, query="?state=draft")
    assert asked.status_code == 200
    assert asked.text.count("Post &lt;") == 3
    assert kinds(site)[before:] == []
    again = re.search(r'action="(/account/posts[^"]*)"', asked.text)
    assert again is not None
    data = MultiDict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', asked.text.split("</header>")[1]))
    assert data["confirm"] == "1"
    done = alan.post(again[1], data=data)
    assert done.status_code == 303
    assert done.headers["Location"].startswith("/account?state=draft&did=")
    assert "3 posts" in alan.get(done.headers["Location"]).text
    assert kinds(site)[before:] == events * 3
    for post in posts:
        assert revisions(site, post)[1:] == [(2, status, tags, "form")]


def test_many_are_deleted_and_lie_in_the_bin(site: Site, alan: Client) -> None:
    posts = [site.post("alan", slug=f"gone-{n}") for n in range(2)]
    assert send(alan, [value(post) for post in posts], "delete", confirm="1").status_code == 303
    assert [site.client().get(f"/posts/gone-{n}").status_code for n in range(2)] == [410, 410]
    assert alan.get("/account/bin").text.count("A post</bdi>") == 2
    assert kinds(site)[-2:] == ["post.deleted"] * 2


def test_what_could_not_be_done_is_named_and_the_others_are_done(site: Site, alan: Client) -> None:
    good = site.post("alan", title="Good", status="draft")
    stale = site.post("alan", title="Saved meanwhile", status="draft")
    full = site.post("alan", title="Full", status="draft", tags=[f"t{n}" for n in range(20)])
    gone = site.post("alan", title="Gone")
    hers = site.post("ada", title="Her letter")
    secret = site.post("ada", title="Her secret", status="draft")
    shown = [value(post) for post in (good, stale, full, gone, hers, secret)]
    alan.submit(f"/posts/{stale.slug}/edit", title="Saved meanwhile", body="More.", version="1")
    alan.submit(f"/posts/{gone.slug}/delete", version="1")
    question = send(alan, shown, "tag", with_tag="sea")
    assert "Her" not in question.text
    assert "3 of those you chose" in question.text
    before = len(kinds(site))
    answer = send(alan, shown, "tag", with_tag="sea", confirm="1")
    assert answer.status_code == 409
    assert "One post tagged" in answer.text
    for words in ("Saved meanwhile", "Full", "at most 20 tags", "Her letter"):
        assert words in answer.text
    assert "Her secret" not in answer.text
    assert kinds(site)[before:] == ["post.edited"]
    assert [len(revisions(site, post)) for post in (good, stale, full, hers, secret)] == [2, 2, 1, 1, 1]
    # Sent once more, nothing is done twice.
    assert send(alan, shown, "tag", with_tag="sea", confirm="1").status_code == 409
    assert kinds(site)[before:] == ["post.edited"]
    assert len(revisions(site, good)) == 2


@pytest.mark.parametrize(
    ("what", "begun", "tag", "said"),
    [
        (What.PUBLISH, "draft", "", "3 posts published."),
        (What.UNPUBLISH, "published", "", "3 posts made drafts."),
        (What.ADD_TAG, "draft", "sea", "3 posts tagged."),
        (What.REMOVE_TAG, "draft", "old", "3 posts changed."),
        (What.DELETE, "draft", "", "3 posts deleted; they are in the bin for 30 days."),
    ],
)
def test_a_double_click_is_answered_with_what_the_first_click_did(
    site: Site, alan: Client, what: What, begun: str, tag: str, said: str
) -> None:
    posts = [value(site.post("alan", status=begun, tags=["old"])) for _ in range(3)]
    first = send(alan, posts, what, with_tag=tag, confirm="1")
    before = len(kinds(site))
    second = send(alan, posts, what, with_tag=tag, confirm="1")
    assert (second.status_code, second.headers["Location"]) == (303, first.headers["Location"])
    assert said in alan.get(second.headers["Location"]).text
    assert kinds(site)[before:] == []
    # To somebody else it is what it is: changed by another one since they looked.
    assert send(site.client("edith"), posts, what, with_tag=tag, confirm="1").status_code == 409


def test_another_save_of_ones_own_is_not_what_was_asked(site: Site, alan: Client) -> None:
    edited = site.post("alan", title="Edited", status="draft", tags=["sea"])
    twice = site.post("alan", title="Twice", status="draft")
    shown = [value(edited), value(twice)]
    alan.submit(f"/posts/{edited.slug}/edit", title="Edited", body="More.", tags="sea", version="1")
    assert send(alan, [value(twice)], "tag", with_tag="sea", confirm="1").status_code == 303
    alan.submit(f"/posts/{twice.slug}/edit", title="Twice", body="More.", tags="sea", version="2")
    answer = send(alan, shown, "tag", with_tag="sea", confirm="1")
    assert answer.status_code == 409
    assert answer.text.count("Somebody saved it since you opened the list") == 2


def test_moments_are_in_the_zone_that_they_are_typed_in(site: Site, alan: Client) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET time_zone = 'America/New_York' WHERE username = 'alan'")
    fields = {"title": "Later", "body": "Words.", "status": "published", "publish_at": "2035-03-01T19:00"}
    assert alan.submit("/new", **fields).status_code == 303
    said = "1 Mar 2035, 19:00, America/New_York time."
    assert said in alan.get("/account").text
    assert said in alan.get("/posts/later").text
    post = re.findall(r'name="post" value="([^"]+)"', alan.get("/account").text)
    assert said in send(alan, post, "delete").text
    # Edith has chosen no zone: hers is the site's.
    assert "2 Mar 2035, 00:00, UTC time." in site.client("edith").get("/account?whose=all").text


def test_what_is_said_of_the_past_is_in_the_writers_zone_too(site: Site, alan: Client) -> None:
    post = site.post("alan", title="Old", slug="old", status="draft")
    site.post("alan", title="Gone", slug="gone")
    alan.submit("/posts/gone/delete", version="1")
    headers, fields = {"X-CSRF-Token": alan.form_token()}, {"title": "Half", "version": "1", "submission": "s"}
    assert alan.put(f"/account/working-copies/{post.id}", json=fields, headers=headers).status_code == 204
    assert alan.submit("/posts/old/previews", days="7").status_code == 200
    # An hour of the day that it is in no other zone on these pages, neither then nor now.
    at = clock.now() - clock.DAY - clock.DAY // 8
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET time_zone = 'Asia/Tokyo' WHERE username = 'alan'")
        for column in ("posts.updated_at", "revisions.made_at", "working_copies.saved_at", "preview_links.created_at"):
            table, name = column.split(".")
            db.exec_driver_sql(f"UPDATE {table} SET {name} = ?", (at,))
        db.exec_driver_sql("UPDATE posts SET deleted_at = ? WHERE slug = 'gone'", (at,))
    then = f", {clock.to_datetime(at).astimezone(ZoneInfo('Asia/Tokyo')):%H:%M}"
    for path in ("", "/edit", "/revisions", "/previews"):
        assert then in alan.get(f"/posts/old{path}").text
    for path in ("", "/bin", "/working-copies", f"/working-copies/{post.id}/text"):
        assert then in alan.get(f"/account{path}").text
    merge = alan.submit("/posts/old/edit", title="Mine", body="Mine.", version="0")
    assert merge.status_code == 409
    assert f"{then}, Asia/Tokyo time</h2>" in merge.text


@pytest.mark.parametrize("typed", ["ärger", "ÄRGER IM BÜRO", "A\u0308rger", "strasse", "STRAẞE", "ΣΊΣΥΦΟΣ"])
def test_words_are_found_in_either_case_in_every_script(site: Site, alan: Client, typed: str) -> None:
    site.post("alan", title="Ärger im Büro", body="In der Straße, says Σίσυφος.")
    site.post("alan", title="Another")
    assert titles(alan, f"?q={quote(typed)}") == ["Ärger im Büro"]


def test_two_people_who_do_it_at_once_do_it_once(site: Site, alan: Client) -> None:
    posts = [value(site.post("alan", status="draft")) for _ in range(3)]
    assert send(alan, posts, "publish", confirm="1").status_code == 303
    before = len(kinds(site))
    second = send(site.client("edith"), posts, "publish", confirm="1")
    assert second.status_code == 409
    assert second.text.count("Somebody saved it since you opened the list") == 3
    assert kinds(site)[before:] == []


@pytest.mark.parametrize(
    ("what", "begun", "events"),
    [
        (What.PUBLISH, "draft", ["post.edited", "post.published"]),
        (What.UNPUBLISH, "published", ["post.edited", "post.unpublished"]),
        (What.ADD_TAG, "draft", ["post.edited"]),
        (What.DELETE, "draft", ["post.deleted"]),
    ],
)
def test_two_people_in_two_threads_change_each_post_once(site: Site, what: What, begun: str, events: list[str]) -> None:
    posts = [site.post("alan", title=f"Post {n}", status=begun) for n in range(6)]
    chosen = [value(post) for post in posts]
    clients = [site.client("alan"), site.client("edith")]
    tokens = [client.form_token("/account") for client in clients]
    before, start = len(kinds(site)), threading.Barrier(2)

    def act(number: int) -> tuple[int, str]:
        # In opposite orders, so that they meet in the middle.
        given = chosen if number == 0 else chosen[::-1]
        fields = [("csrf_token", tokens[number]), ("what", what), ("with_tag", "sea"), ("confirm", "1")]
        data = MultiDict([*fields, *(("post", each) for each in given)])
        start.wait()
        answer = clients[number].post("/account/posts", data=data)
        return answer.status_code, answer.text

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(act, range(2)))
    assert sorted(status for status, _ in answers) == [303, 409]
    (refusal,) = (text for status, text in answers if status == 409)
    assert "6 posts were left as they were" in refusal
    assert sorted(kinds(site)[before:]) == sorted(events * 6)
    for post in posts:
        assert [number for number, *_ in revisions(site, post)] == ([1] if what == What.DELETE else [1, 2])


def test_tags_of_two_people_in_two_threads_are_both_there_or_one_is_told(site: Site) -> None:
    posts = [site.post("alan", status="draft") for _ in range(8)]
    people, start = [site.principal("alan"), site.principal("edith")], threading.Barrier(2)
    before = len(kinds(site))

    def tag_all(number: int) -> list[bool]:
        """Post by post, in a transaction each: whether it was done."""
        done = []
        start.wait()
        for post in posts:
            with site.database.transaction() as db:
                outcome = do_to_many(db, What.ADD_TAG, [Chosen(post.id, 1)], by=people[number], tag=f"t{number}")
            assert outcome.done + len(outcome.left) == 1
            done.append(outcome.done == 1)
        return done

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(tag_all, range(2))
    assert [one + other for one, other in zip(first, second, strict=True)] == [1] * 8
    for post, is_first in zip(posts, first, strict=True):
        assert revisions(site, post)[1:] == [(2, "draft", "t0" if is_first else "t1", "form")]
    assert kinds(site)[before:] == ["post.edited"] * 8


def test_the_desk_says_how_many_unsaved_texts_are_kept(site: Site, alan: Client) -> None:
    assert "Unsaved texts" not in alan.get("/account").text
    headers = {"X-CSRF-Token": alan.form_token()}
    fields = {"title": "Half", "submission": "s"}
    assert alan.put("/account/working-copies/new-s", json=fields, headers=headers).status_code == 204
    page = alan.get("/account").text
    assert '<a href="/account/working-copies">Unsaved texts (1 of the 50 that fit)</a>' in page
    assert "Unsaved texts" not in site.client("edith").get("/account").text


def test_what_is_so_already_makes_no_revision(site: Site, alan: Client) -> None:
    post = site.post("alan", tags=["sea", "lake"])
    answer = send(alan, [value(post)], "tag", with_tag="sea", confirm="1")
    assert answer.status_code == 303
    assert "One post was so already." in alan.get(answer.headers["Location"]).text
    assert len(revisions(site, post)) == 1


@pytest.mark.parametrize(
    ("posts", "what", "tag", "fault"),
    [
        ([], "publish", "", "at least one"),
        (["6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01~1"], "", "", "Choose what to do"),
        (["6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01~1"], "burn", "", "Choose what to do"),
        (["6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01~1"], "tag", "<script>", "without"),
        (["6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01~1"], "tag", "", "without"),
        (["6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01~"], "publish", "", "no post of the list"),
        (["' OR 1=1 --~1"], "publish", "", "no post of the list"),
        ([f"6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c{n:04x}~1" for n in range(51)], "delete", "", "at most 50"),
    ],
)
def test_a_choice_that_is_none_is_said_on_the_list(
    site: Site, alan: Client, posts: list[str], what: str, tag: str, fault: str
) -> None:
    site.post("alan", title="Still here", slug="here")
    answer = send(alan, posts, what, with_tag=tag, confirm="1")
    assert answer.status_code == 422
    assert fault in answer.text
    assert "Still here" in answer.text
    assert site.client().get("/posts/here").status_code == 200


def test_a_stale_form_token_asks_again_with_the_same_choice(site: Site, alan: Client) -> None:
    post = site.post("alan", title="Chosen", status="draft")
    data = {"csrf_token": "bad", "what": "publish", "post": value(post), "confirm": "1"}
    answer = alan.post("/account/posts", data=data)
    assert answer.status_code == 403
    assert value(post) in answer.text
    assert len(revisions(site, post)) == 1
    fresh = find_form_token(answer.text)
    assert alan.post("/account/posts", data=data | {"csrf_token": fresh}).status_code == 303


def test_signing_in_again_brings_the_question_back(site: Site) -> None:
    posts = [site.post("alan", title=f"Kept {n}", status="draft") for n in range(2)]
    visitor = site.client()
    data = MultiDict([("what", "publish"), ("confirm", "1"), *(("post", value(post)) for post in posts)])
    refused = visitor.post("/account/posts", data=data, headers={"Accept": "text/html"})
    assert refused.status_code == 401
    fields = MultiDict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', refused.text))
    fields.update({"username": "alan", "password": "correct horse battery staple"})
    fields["csrf_token"] = find_form_token(refused.text)
    answer = visitor.post("/login", data=fields)
    assert answer.status_code == 200
    assert all(value(post) in answer.text for post in posts)
    assert [len(revisions(site, post)) for post in posts] == [1, 1]


def test_who_may_not(site: Site) -> None:
    post = site.post("alan", title="His", slug="his")
    for name, status in (("rita", 403), ("ada", 409)):
        client = site.client(name)
        data = {"csrf_token": client.form_token("/account/password"), "what": "delete", "post": value(post)}
        assert client.post("/account/posts", data=data | {"confirm": "1"}).status_code == status
    for client in (site.client("bob"), site.client()):
        assert client.get("/account").status_code == 303
        assert client.post("/account/posts", data={"what": "delete"}).status_code == 401
    program = site.client(token=site.token("alan", *Scope))
    assert program.get("/account").status_code == 403
    assert program.post("/account/posts", data={"what": "delete", "post": value(post)}).status_code == 403
    assert site.client().get("/posts/his").status_code == 200


def test_a_notice_says_only_what_it_may(site: Site, alan: Client) -> None:
    for query in ("did=burn&count=3&same=0", "did=publish&count=<b>&same=0", "did=publish&count=99999&same=1"):
        assert 'class="notice"' not in alan.get(f"/account?{query}").text
    assert "3 posts published." in alan.get("/account?did=publish&count=3&same=0").text


def test_the_list_is_one_statement_however_many(site: Site, alan: Client) -> None:
    def cost() -> int:
        with site.counted_statements() as seen:
            assert alan.get("/account").status_code == 200
        return len(seen)

    site.post("alan")
    alan.get("/account")
    few = cost()
    for _ in range(30):
        site.post("alan")
    assert cost() == few
