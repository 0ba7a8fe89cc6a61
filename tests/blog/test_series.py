"""Series: posts in an order; readers walk along those that are out for them, and only their people arrange them."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.datastructures import MultiDict

from auth.permissions import Scope
from blog.series.arranging import add_part, create_series, move_part
from eventlog.log.following import events_since
from storage import clock
from tests.support import PASSWORD, Client, Site, find_form_token


@pytest.fixture
def alan(site: Site) -> Client:
    return site.client("alan")


def make(site: Site, title: str, *posts, by: str = "alan"):
    who = site.principal(by)
    with site.database.transaction() as db:
        series = create_series(db, title=title, by=who)
        for post in posts:
            add_part(db, series.id, slug=post.slug, by=who)
    return series


def send(client: Client, path: str, **fields: str):
    return client.post(path, data={"csrf_token": client.form_token("/account"), **fields})


def order(site: Site, series) -> list[str]:
    with site.database.reading() as db:
        query = "SELECT slug FROM series_posts JOIN posts ON posts.id = post_id WHERE series_id = ? ORDER BY position"
        return list(db.exec_driver_sql(query, (series.id,)).scalars())


def events(site: Site) -> list[tuple[str, str | None]]:
    with site.database.reading() as db:
        found = [e for e in events_since(db, None, 0, 0) if e.kind.startswith("series.")]
    return [(event.kind, (event.payload or {}).get("change")) for event in found]


def content_version(site: Site) -> int:
    with site.database.reading() as db:
        return db.exec_driver_sql("SELECT content_version FROM site").scalar_one()


def three(site: Site):
    return [site.post("alan", title=f"Part <{n}>", slug=f"part-{n}") for n in (1, 2, 3)]


def test_a_series_is_made_filled_arranged_renamed_and_deleted_without_scripts(site: Site, alan: Client) -> None:
    three(site)
    made = send(alan, "/account/series", title="  The <sea>  ")
    assert made.status_code == 303
    path = made.headers["Location"]
    page = alan.get(path).text
    assert "The &lt;sea&gt;" in page
    assert page.count("<option") == 4
    for fields in ({"post": "part-1"}, {"slug": "https://example.org/posts/part-2?x#y"}, {"slug": "part-3/"}):
        assert send(alan, f"{path}/posts", **fields).status_code == 303
    page = alan.get(path).text
    assert page.count("<option") == 1
    # The second one's "up", as its button has it.
    form = next(each for each in page.split("<form")[1:] if "Move Part &lt;2&gt; up" in each)
    action, button = re.search(r'action="([^"]+)"', form), re.search(r'name="place" value="(\d+)"[^>]*up"', form)
    assert send(alan, action[1], place=button[1]).status_code == 303
    assert send(alan, action[1], place=button[1]).status_code == 303  # a double click
    show = site.client().get("/series/the-sea")
    assert re.findall(r'href="/posts/([^"]+)"', show.text) == ["part-2", "part-1", "part-3"]
    version = re.search(r'name="version" value="(\d+)"', alan.get(path).text)[1]
    assert send(alan, path, title="The river", version=version).status_code == 303
    assert "The river" in site.client().get("/series/the-sea").text
    assert send(alan, action[1], place="out").status_code == 303
    assert send(alan, action[1], place="out").status_code == 303
    assert re.findall(r'href="/posts/([^"]+)"', site.client().get("/series/the-sea").text) == ["part-1", "part-3"]
    assert send(alan, f"{path}/delete").status_code == 303
    assert site.client().get("/series/the-sea").status_code == 404
    assert site.client().get("/posts/part-1").status_code == 200
    changed = [("series.changed", change) for change in (*["added"] * 3, "moved", "renamed", "removed")]
    assert events(site) == [("series.created", None), *changed, ("series.deleted", None)]
    assert "began the series" in site.client("olive").get("/admin/log").text


def test_each_change_makes_pages_older(site: Site, alan: Client) -> None:
    post = site.post("alan")
    versions = [content_version(site)]
    series = make(site, "Sea")
    for path, fields in (("/posts", {"post": post.slug}), ("", {"title": "Lake"}), ("/delete", {})):
        versions.append(content_version(site))
        assert send(alan, f"/account/series/{series.id}{path}", **fields).status_code == 303
    versions.append(content_version(site))
    assert versions == sorted(set(versions))


def test_a_post_says_which_part_it_is_and_leads_on(site: Site) -> None:
    make(site, "The sea & me", *three(site))
    page = site.client().get("/posts/part-2").text
    assert "Part 2 of 3" in page
    assert 'href="/series/the-sea-me"' in page
    assert re.search(r'rel="prev" href="/posts/part-1"', page)
    assert re.search(r'rel="next" href="/posts/part-3"', page)
    first, last = (site.client().get(f"/posts/part-{n}").text for n in (1, 3))
    assert 'rel="prev"' not in first
    assert 'rel="next"' not in last
    assert 'class="part"' in first
    assert 'class="part"' not in site.client().get(f"/posts/{site.post('alan', title='Alone').slug}").text


def test_readers_count_only_what_is_out_for_them(site: Site, alan: Client) -> None:
    posts = [
        site.post("alan", title="First", slug="first"),
        site.post("alan", title="A draft", slug="draft", status="draft"),
        site.post("alan", title="Members", slug="members", visibility="members"),
        site.post("alan", title="Later", slug="later", publish_at=clock.now() + clock.DAY),
        site.post("alan", title="Gone", slug="gone"),
        site.post("alan", title="Last", slug="last"),
    ]
    make(site, "Sea", *posts)
    alan.submit("/posts/gone/delete", version="1")
    visitor, member = site.client(), site.client("rita")
    for client, out in ((visitor, ["First", "Last"]), (member, ["First", "Members", "Last"])):
        page = client.get("/series/sea").text
        assert [title for title in ("First", "A draft", "Members", "Later", "Gone", "Last") if title in page] == out
        assert f"Part {len(out)} of {len(out)}" in client.get("/posts/last").text
    assert 'href="/posts/last"' in visitor.get("/posts/first").text
    assert "Part" not in visitor.get("/posts/members").text
    assert "Part 2 of 4" in alan.get("/posts/draft").text
    assert "A draft" in alan.get("/account/series/" + make(site, "Sea").id).text


def test_a_series_with_nothing_out_is_not_there(site: Site) -> None:
    make(site, "Secret plans", site.post("alan", status="draft"))
    for path in ("/series/secret-plans", "/series/nothing", "/series/%00", "/series/" + "x" * 3000):
        assert site.client().get(path).status_code == 404
    assert site.client().get("/series").status_code == 404


def test_no_page_may_stand_at_its_address(site: Site, alan: Client) -> None:
    answer = alan.submit("/new", title="Mine", slug="series", kind="page", status="published")
    assert answer.status_code == 422
    assert "The site itself uses this address" in answer.text


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"title": ""}, "Give it a title"),
        ({"title": "\u200b \u0301"}, "Give it a title"),
        ({"title": "x" * 301}, "at most 300"),
        ({"title": "a\x00b"}, "cannot be shown"),
        ({"title": "Sea", "slug": "../etc"}, "small letters"),
        ({"title": "Sea", "slug": "x" * 101}, "at most 100"),
        ({"title": "Sea", "slug": "taken"}, "Another series has this address"),
    ],
)
def test_a_series_that_cannot_be_is_said_with_what_was_typed(
    site: Site, alan: Client, fields: dict[str, str], fault: str
) -> None:
    make(site, "Taken", by="ada")
    answer = send(alan, "/account/series", **fields)
    assert answer.status_code == 422
    assert fault in answer.text
    assert site.rows("series") == 1


def test_the_same_title_twice_is_one_series_and_anothers_is_another(site: Site, alan: Client) -> None:
    first, second = (send(alan, "/account/series", title="Sea").headers["Location"] for _ in range(2))
    assert first == second
    assert make(site, "Sea", by="ada").slug == "sea-2"


@pytest.mark.parametrize("slug", ["", "nothing", "hers", "secret", "gone", "\x00", "../..", "x" * 5000, "taken"])
def test_a_post_that_cannot_be_added_is_refused_alike(site: Site, alan: Client, slug: str) -> None:
    site.post("ada", slug="hers", title="Hers")
    site.post("ada", slug="secret", title="Secret title", status="draft")
    site.post("alan", slug="gone")
    alan.submit("/posts/gone/delete", version="1")
    make(site, "Other", site.post("alan", slug="taken"))
    series = make(site, "Sea")
    answer = send(alan, f"/account/series/{series.id}/posts", slug=slug)
    assert answer.status_code == 422
    assert "Secret title" not in answer.text
    assert order(site, series) == []


@pytest.mark.parametrize("place", ["", "0", "-1", "1.5", "99999999999999999999", "up", "²", "\x00"])
def test_a_place_that_is_none_changes_nothing(site: Site, alan: Client, place: str) -> None:
    posts = three(site)
    series = make(site, "Sea", *posts)
    answer = send(alan, f"/account/series/{series.id}/posts/{posts[0].id}", place=place)
    assert answer.status_code == 422
    assert order(site, series) == ["part-1", "part-2", "part-3"]


def test_places_beyond_the_end_are_the_end_and_unknown_posts_are_not_there(site: Site, alan: Client) -> None:
    posts = three(site)
    series = make(site, "Sea", *posts)
    assert send(alan, f"/account/series/{series.id}/posts/{posts[0].id}", place="999").status_code == 303
    assert order(site, series) == ["part-2", "part-3", "part-1"]
    stranger = site.post("alan")
    for post_id in (stranger.id, "nonsense"):
        assert send(alan, f"/account/series/{series.id}/posts/{post_id}", place="1").status_code == 404
    for path in ("/account/series/nonsense", f"/account/series/{stranger.id}"):
        assert alan.get(path).status_code == 404


def test_a_stale_rename_or_delete_shows_what_is_there_now(site: Site, alan: Client) -> None:
    series = make(site, "Sea")
    path = f"/account/series/{series.id}"
    edith = site.client("edith")
    assert send(edith, path, title="Lake", version="1").status_code == 303
    late = send(alan, path, title="My river", version="1")
    assert late.status_code == 409
    assert "“<bdi>Lake</bdi>”" in late.text
    assert 'value="My river"' in late.text
    assert send(alan, f"{path}/delete", version="1").status_code == 409
    again = re.search(r'name="version" value="(\d+)"', late.text)
    assert send(alan, path, title="My river", version=again[1]).status_code == 303
    assert send(alan, f"{path}/delete", version="nonsense").status_code == 409
    assert events(site)[-1] == ("series.changed", "renamed")


def test_two_people_who_arrange_it_at_once_lose_no_post(site: Site) -> None:
    posts = [site.post("alan", slug=f"p{n}") for n in range(8)]
    series = make(site, "Sea", *posts[:4])
    people = [site.principal("alan"), site.principal("edith")]
    start = threading.Barrier(2)

    def arrange(who, mine) -> None:
        start.wait()
        for post in mine:
            with site.database.transaction() as db:
                add_part(db, series.id, slug=post.slug, by=who)
                move_part(db, series.id, post.id, place=1, by=who)

    with ThreadPoolExecutor() as pool:
        for arranged in [pool.submit(arrange, *each) for each in zip(people, (posts[4:6], posts[6:]), strict=True)]:
            arranged.result()
    assert sorted(order(site, series)) == [post.slug for post in posts]
    assert order(site, series)[4:] == [post.slug for post in posts[:4]]


def test_who_may_not(site: Site) -> None:
    posts = three(site)
    series = make(site, "Sea", *posts)
    path = f"/account/series/{series.id}"
    paths = (path, f"{path}/posts", f"{path}/posts/{posts[0].id}", f"{path}/delete")
    fields = {"title": "Mine", "slug": "part-1", "place": "out"}
    ada, rita = site.client("ada"), site.client("rita")
    assert ada.get(path).status_code == 404
    assert "<bdi>Sea</bdi>" not in ada.get("/account/series").text
    assert [send(ada, each, **fields).status_code for each in paths] == [404] * 4
    assert [send(rita, each, **fields).status_code for each in paths] == [403] * 4
    for client in (site.client("bob"), site.client()):
        assert client.get(path).status_code == 303
        assert [client.post(each, data=fields).status_code for each in paths] == [401] * 4
    program = site.client(token=site.token("alan", *Scope))
    assert program.get("/account/series").status_code == 403
    assert [program.post(each, data=fields).status_code for each in paths] == [403] * 4
    assert order(site, series) == ["part-1", "part-2", "part-3"]
    assert site.client("edith").get(path).status_code == 200


def test_an_author_takes_their_own_post_out_of_anothers_series(site: Site, alan: Client) -> None:
    mine, hers = site.post("alan", title="Mine", slug="mine"), site.post("ada", slug="hers")
    series = make(site, "Sea", mine, hers, by="edith")
    path = f"/account/series/{series.id}/posts"
    page = alan.get("/account/series").text
    assert "Your posts in series of others" in page
    assert f'action="{path}/{mine.id}"' in page
    assert hers.id not in page
    # Nothing else about it is theirs to decide.
    assert send(alan, f"{path}/{hers.id}", place="out").status_code == 404
    assert send(alan, f"{path}/{mine.id}", place="2").status_code == 404
    assert send(alan, path, slug="mine").status_code == 404
    assert alan.post(f"{path}/{mine.id}", data={"csrf_token": "bad", "place": "out"}).status_code == 403
    assert order(site, series) == ["mine", "hers"]
    before, version = events(site), content_version(site)
    for _ in range(2):  # a double click
        done = send(alan, f"{path}/{mine.id}", place="out")
        assert (done.status_code, done.headers["Location"]) == (303, "/account/series")
    assert order(site, series) == ["hers"]
    assert events(site)[len(before) :] == [("series.changed", "removed")]
    assert content_version(site) > version
    assert "in series of others" not in alan.get("/account/series").text
    # Whose right to write has ended, decides nothing any more.
    make(site, "Lake", mine, by="edith")
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET role = 'reader' WHERE username = 'alan'")
    token = alan.form_token("/account/password")
    assert alan.post(f"{path}/{mine.id}", data={"csrf_token": token, "place": "out"}).status_code == 403


def test_a_form_without_its_token_changes_nothing(site: Site, alan: Client) -> None:
    posts = three(site)
    series = make(site, "Sea", *posts)
    path = f"/account/series/{series.id}"
    for each in ("/account/series", path, f"{path}/posts", f"{path}/posts/{posts[0].id}", f"{path}/delete"):
        answer = alan.post(each, data={"csrf_token": "bad", "title": "Lake", "place": "out", "slug": "x"})
        assert answer.status_code == 403
        assert find_form_token(answer.text)
    assert order(site, series) == ["part-1", "part-2", "part-3"]
    assert events(site)[-1] == ("series.changed", "added")


def test_signing_in_again_brings_the_title_back(site: Site) -> None:
    series = make(site, "Sea")
    for path in ("/account/series", f"/account/series/{series.id}"):
        visitor = site.client()
        refused = visitor.post(path, data={"title": "A long <title>"}, headers={"Accept": "text/html"})
        assert refused.status_code == 401
        fields = MultiDict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', refused.text))
        fields["kept.title"] = "A long <title>"
        fields.update({"username": "alan", "password": PASSWORD})
        fields["csrf_token"] = find_form_token(refused.text)
        answer = visitor.post("/login", data=fields)
        assert answer.status_code == 200
        assert 'value="A long &lt;title&gt;"' in answer.text
    assert site.rows("series") == 1


def test_a_page_of_a_post_costs_one_statement_more_however_long_the_series(site: Site) -> None:
    def cost(path: str) -> int:
        with site.counted_statements() as seen:
            assert site.client().get(path).status_code == 200
        return len(seen)

    alone = site.post("alan", slug="alone")
    make(site, "Short", site.post("alan", slug="short"))
    make(site, "Long", *(site.post("alan", slug=f"long-{n}") for n in range(30)))
    assert cost(alone.path) == cost("/posts/short") == cost("/posts/long-7")


def test_who_arranges_a_series_sees_nothing_of_a_post_in_it_that_they_may_not_read(site: Site) -> None:
    secret = site.post("alan", title="A surprise for Ada", slug="surprise", body="A party.", status="draft")
    own = site.post("ada", title="Hers", slug="hers", status="draft")
    out = site.post("alan", title="Out", slug="out", visibility="members")
    series = make(site, "Diary", own, by="ada")
    with site.database.transaction() as db:
        for post in (secret, out):
            add_part(db, series.id, slug=post.slug, by=site.principal("edith"))
    path, ada = f"/account/series/{series.id}", site.client("ada")
    page = ada.get(path).text
    assert "surprise" not in page.lower()
    assert "A post that you may not read" in page
    for words in ("Hers", "/posts/hers", "Out", "/posts/out"):
        assert words in page
    assert "A surprise for Ada" in site.client("edith").get(path).text
    # It is still a part that she can move, and take out.
    assert send(ada, f"{path}/posts/{secret.id}", place="1").status_code == 303
    assert order(site, series) == ["surprise", "hers", "out"]
    assert send(ada, f"{path}/posts/{secret.id}", place="out").status_code == 303
    assert order(site, series) == ["hers", "out"]
