"""The end of an account: whose posts they are then, what is erased, and what the log still says."""

import io
import json
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from click.testing import CliRunner

import app as byline
from app import LINKS, WRITINGS
from auth.blocking.blocking import block
from auth.invitations.inviting import invite
from auth.invitations.joining import Newcomer, join
from auth.leaving.forms import LeaveForm
from auth.leaving.leaving import LEAVE, finish_leaving, leave
from auth.permissions import Role, Scope
from auth.sessions.roles import give_role
from auth.tokens.issuing import issue, revoke
from auth.tokens.queries import list_tokens
from auth.users.model import users_table
from auth.users.registering import register
from blog.media.storing import store
from blog.series.arranging import add_part, create_series
from eventlog.log.verifying import verify
from storage import clock
from storage.schema import metadata
from tests.auth.factors import hidden_fields
from tests.blog.media.pictures import picture
from tests.support import TESTER, Client, Site
from web.errors import Conflict, Invalid, NotFound

WORD = "zebrafinch"
# Every table that refers to a person and is not simply erased with them: `blog.leaving` gives them, or a reader of the
# log needs to know that a revision was somebody else's.
KEPT = {"posts.author_id", "series.author_id", "media.user_id", "revisions.user_id"}


def rows(site: Site, query: str, *values: object) -> list[Any]:
    with site.database.reading() as db:
        return list(db.exec_driver_sql(query, values))


def do_the_rest(site: Site) -> int:
    """Work the stored job off; how many pieces it took."""
    (payload,) = rows(site, "SELECT payload FROM jobs WHERE kind = ?", LEAVE)[0]
    pieces = 1
    while finish_leaving(site.database, json.loads(payload), writings=WRITINGS) is not None:
        pieces += 1
    return pieces


def send_picture(site: Site, name: str, size: tuple[int, int]) -> str:
    files = site.app.extensions["media_files"]
    sent = io.BytesIO(picture("PNG", size))
    media, _is_new = store(site.database, files, sent, name="a.png", alt="Words", by=site.principal(name))
    return media.digest


@pytest.fixture
def ada(site: Site) -> Client:
    """Somebody with something in every drawer."""
    shared, own = send_picture(site, "ada", (60, 40)), send_picture(site, "ada", (70, 40))
    site.post("alan", title="Alan's", slug="alans", body=f"![]({f'/media/{shared}'})")
    site.post("ada", title=f"About the {WORD}", slug="mine", body=f"{WORD} ![](/media/{own})", tags=[WORD])
    site.post("ada", title="Draft", slug="draft", status="draft")
    site.post("ada", title="Thrown away", slug="thrown")
    client = site.client()
    client.environ_base |= {"HTTP_USER_AGENT": "Firefox/140.0 (X11; Linux x86_64)", "REMOTE_ADDR": "203.0.113.7"}
    assert client.submit("/login", username="ada", password="correct horse battery staple").status_code == 303
    assert client.submit("/posts/thrown/delete", version="1").status_code == 303
    profile = {"display_name": "Ada L.", "biography": "Born in Marylebone.", "time_zone": "Europe/London"}
    assert client.submit("/account/profile", **profile).status_code == 303
    alans = {"title": "Alan's", "body": f"![]({f'/media/{shared}'}) and more", "slug": "alans", "version": "1"}
    with site.database.transaction() as db:
        give_role(db, "ada", Role.EDITOR, by=TESTER, links=LINKS)
    client.adopt_session("ada")
    assert client.submit("/posts/alans/edit", **alans, status="published", tags="").status_code == 303
    by = site.principal("ada")
    with site.database.transaction() as db:
        series = create_series(db, title="Finches", slug="finches", by=by)
        for slug in ("mine", "alans"):
            add_part(db, series.id, slug=slug, by=by)
        db.exec_driver_sql(
            "INSERT INTO working_copies VALUES (?, 'new-x', NULL, 'x', '{}', ?)", (by.user_id, clock.now())
        )
    return client


def gone(site: Site, name: str, to: str | None = None, by: Any = TESTER) -> None:
    with site.database.transaction() as db:
        leave(db, name, to=to, by=by, writings=WRITINGS)


def test_what_they_had_is_somebody_elses_at_once(site: Site, ada: Client) -> None:
    gone(site, "ada", to="alan")
    alan, visitor = site.principal("alan"), site.client()
    assert {row[0] for row in rows(site, "SELECT DISTINCT author_id FROM posts")} == {alan.user_id}
    assert "Alan" in visitor.get("/posts/mine").text
    assert WORD in visitor.get("/authors/alan").text
    assert visitor.get("/authors/ada").status_code == 404
    assert visitor.get("/series/finches").status_code == 200
    assert rows(site, "SELECT DISTINCT author_id FROM series") == [(alan.user_id,)]
    assert {row[0] for row in rows(site, "SELECT user_id FROM media")} == {alan.user_id}
    client = site.client("alan")
    assert client.get("/posts/draft").status_code == 200
    assert "Thrown away" in client.get("/account/bin").text
    assert "Deleted account" in client.get("/posts/mine/revisions").text
    assert "Ada" not in client.get("/posts/mine/revisions").text
    # The search follows, a piece at a time.
    assert WORD not in visitor.get("/search?q=author:alan").text
    do_the_rest(site)
    assert WORD in visitor.get("/search?q=author:alan").text
    assert "/posts/mine" not in visitor.get("/search?q=author:ada").text
    assert do_the_rest(site) == 1  # twice does no harm


def test_what_nobody_gets_is_gone_for_good(site: Site, ada: Client) -> None:
    (mine,) = rows(site, "SELECT id FROM posts WHERE slug = 'mine'")[0]
    gone(site, "ada")
    visitor, olive = site.client(), site.client("olive")
    for path in ("/posts/mine", "/authors/ada", "/series/finches", f"/tags/{WORD}"):
        assert visitor.get(path).status_code == 404, path
    assert WORD not in visitor.get("/").text
    do_the_rest(site)
    assert visitor.get("/posts/mine").status_code == 410
    assert visitor.get(f"/v1/posts/{mine}").status_code == 410
    assert visitor.get("/posts/draft").status_code == 404
    assert olive.get("/posts/draft").status_code == 410
    assert visitor.get("/posts/alans").status_code == 200
    ids = "(SELECT id FROM posts WHERE author_id = (SELECT id FROM users WHERE username = 'ada'))"
    for table in ("revisions", "post_tags", "media_uses", "preview_links", "series_posts", "indexed_posts"):
        assert rows(site, f"SELECT count(*) FROM {table} WHERE post_id IN {ids}") == [(0,)], table
    assert rows(site, f"SELECT DISTINCT title, body, html, excerpt, summary, tags FROM posts WHERE id IN {ids}") == [
        ("",) * 6
    ]
    # No bin gives them back, and no other post gets their address.
    assert "mine" not in olive.get("/account/bin").text
    assert "thrown" not in olive.get("/account/bin").text
    assert olive.submit(f"/account/bin/{mine}/restore", page="/account").status_code == 404
    with time_machine.travel((clock.now() + 40 * clock.DAY) / clock.SECOND, tick=False):
        answer = site.client("alan").submit("/new", title="New", slug="mine", body="x", tags="", status="draft")
        assert answer.status_code == 422
        assert "bin" not in answer.text.split("field-slug-error")[1][:200]


def test_a_picture_in_what_others_wrote_stays_there(site: Site, ada: Client) -> None:
    shared, own = (row[0] for row in rows(site, "SELECT digest FROM media ORDER BY width"))
    gone(site, "ada")
    do_the_rest(site)
    assert rows(site, "SELECT digest, user_id FROM media") == [(shared, site.principal("alan").user_id)]
    assert site.client().get(f"/media/{shared}").status_code == 200
    assert site.client().get(f"/media/{own}").status_code == 404
    assert any(own in row[0] for row in rows(site, "SELECT payload FROM jobs WHERE kind = 'media.sweep'"))


def test_a_picture_that_both_have_is_there_once(site: Site) -> None:
    digest = send_picture(site, "ada", (60, 40))
    send_picture(site, "alan", (60, 40))
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE media SET alt = '' WHERE user_id = ?", (site.principal("alan").user_id,))
    gone(site, "ada", to="alan")
    assert rows(site, "SELECT digest, user_id, alt FROM media") == [(digest, site.principal("alan").user_id, "Words")]


@pytest.mark.parametrize("to", ["alan", None])
def test_nothing_private_stays_and_the_log_is_whole(site: Site, ada: Client, to: str | None) -> None:
    site.token("ada", Scope.POSTS_READ)
    send = {"username": "ada", "password": "wrong"}
    assert site.client().submit("/login", **send).status_code == 401
    before = rows(site, "SELECT id, session_id, kind, actor, subject, occurred_at, digest FROM events ORDER BY id")
    gone(site, "ada", to=to)
    do_the_rest(site)
    (row,) = rows(site, "SELECT * FROM users WHERE username = 'ada'")
    person = row._asdict()
    assert person.pop("deleted_at")
    assert person.pop("blocked_at")
    assert person.pop("created_at")
    assert person.pop("id")
    assert person.pop("has_hidden_posts") == (to is None)
    assert {name: value for name, value in person.items() if value} == {
        "username": "ada", "display_name": "Deleted account", "role": "reader",
    }  # fmt: skip
    whose = "user_id = (SELECT id FROM users WHERE username = 'ada')"
    for table in ("sessions", "tokens", "working_copies"):
        assert rows(site, f"SELECT count(*) FROM {table} WHERE {whose}") == [(0,)], table
    # Envelopes stay as they were; details of what they did, or that are about them, are emptied.
    after = rows(site, "SELECT id, session_id, kind, actor, subject, occurred_at, digest FROM events ORDER BY id")
    assert after[: len(before)] == before
    told = rows(site, "SELECT kind, payload FROM events WHERE actor = 'ada' OR subject = 'user:ada' ORDER BY id")
    kept = {"posts": "given", "to": "alan", "count": 2} if to else {"posts": "deleted", "count": 2}
    assert [(kind, json.loads(payload)) for kind, payload in told if payload] == [
        ("log.erasure_applied", {"also": [row[0] for row in before if row[2] == "token.created"]}),
        ("user.deleted", kept),
    ]
    assert rows(site, "SELECT count(*) FROM log_sessions WHERE actor = 'ada' AND first_message != ''") == [(0,)]
    assert rows(site, "SELECT count(*) FROM intents WHERE actor = 'ada' AND payload != '{}'") == [(0,)]
    verdict = verify(site.database)
    assert verdict.fault is None
    assert verdict.emptied_count > 5
    for text in (b"Marylebone", b"203.0.113", b"Ada L."):
        assert text not in site.settings.database_path.read_bytes(), text


def test_what_others_recorded_about_things_of_theirs_is_emptied_too(site: Site) -> None:
    """Tokens that the command line made, and the invitations that they came by, are subjects of their own."""
    olive = site.principal("olive")
    with site.database.transaction() as db:
        own, shared = (invite(db, role="reader", days=1, uses=uses, note=f"Uses {uses}", by=olive) for uses in (1, 2))
        for invitation, name in ((own, "nina"), (shared, "otto"), (shared, "ines")):
            join(db, invitation.token, Newcomer(name, name, "hash"))
        for name in ("nina", "ines"):
            for place in ("Graz", "Wien"):
                issue(db, name, scopes=[Scope.POSTS_READ], by=TESTER, label=f"{name}'s phone in {place}")
        revoke(db, list_tokens(db, username="nina")[0].id, by=TESTER)
    for name in ("nina", "otto"):
        gone(site, name, by=olive)
    for (payload,) in rows(site, "SELECT payload FROM jobs WHERE kind = ?", LEAVE):
        assert finish_leaving(site.database, json.loads(payload), writings=WRITINGS) is None
    kept = rows(site, "SELECT kind, payload FROM events WHERE payload != '{}' AND kind GLOB '[ti]*'")
    assert sorted((kind, *sorted(map(str, json.loads(payload).values()))) for kind, payload in kept) == [
        ("invitation.made", "1", "2", "Uses 2", "reader"),
        ("invitation.used", "ines", "reader"),
        ("token.created", "['posts:read']", "ines", "ines's phone in Graz"),
        ("token.created", "['posts:read']", "ines", "ines's phone in Wien"),
    ]
    assert b"nina's phone" not in site.settings.database_path.read_bytes()
    assert verify(site.database).fault is None
    # Also when whoever had it done has left, and had their own details emptied.
    with site.database.transaction() as db:
        give_role(db, "edith", Role.OWNER, by=TESTER, links=LINKS)
    gone(site, "olive", by=olive)
    (payload,) = rows(site, "SELECT payload FROM jobs WHERE kind = ? ORDER BY id DESC LIMIT 1", LEAVE)[0]
    assert finish_leaving(site.database, json.loads(payload), writings=WRITINGS) is None
    assert verify(site.database).fault is None
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE events SET payload = NULL, salt = NULL WHERE kind = 'token.created'")
    assert "was emptied" in str(verify(site.database).fault)


def test_the_log_still_tells_what_somebody_else_has_emptied(site: Site, ada: Client) -> None:
    gone(site, "ada")
    do_the_rest(site)
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE events SET payload = NULL, salt = NULL WHERE id = (SELECT max(id) FROM events)")
    assert "was emptied" in str(verify(site.database).fault)


def test_an_event_emptied_after_the_erasure_is_told(site: Site) -> None:
    site.client("rita").submit("/account/profile", display_name="R", biography="", time_zone="")
    gone(site, "ada")
    do_the_rest(site)
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE events SET payload = NULL, salt = NULL WHERE actor = 'rita'")
    assert "was emptied" in str(verify(site.database).fault)


def test_the_name_stays_taken_and_no_way_in_is_left(site: Site, ada: Client) -> None:
    token = site.token("ada", Scope.POSTS_READ)
    gone(site, "ada", to="olive")
    assert ada.get("/account").status_code == 303
    assert site.client(token=token).get("/v1/posts").status_code == 401
    assert site.client().submit("/login", username="ada", password="correct horse battery staple").status_code == 401
    with site.database.transaction() as db, pytest.raises(Conflict):
        register(db, "ada", role=Role.READER, password_hash=None, by=TESTER)
    olive = site.client("olive")
    assert ">ada," not in olive.get("/admin").text
    for action, data in (("unblock", {}), ("block", {}), ("role", {"role": "owner"}), ("posts", {"posts": "shown"})):
        assert olive.submit(f"/admin/people/ada/{action}", page="/admin", **data).status_code == 404, action
    assert olive.get("/admin/people/ada/delete").status_code == 404


def test_every_table_says_what_becomes_of_its_rows() -> None:
    """A table that refers to people says by its foreign key whether its rows go with them; the others are known."""
    keys = [
        (f"{table.name}.{key.parent.name}", key.ondelete)
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if key.column is users_table.c.id
    ]
    assert {name for name, ondelete in keys if ondelete not in ("CASCADE", "SET NULL")} == KEPT
    assert len(keys) > len(KEPT)


# Who may, and how it is asked


def test_the_page_says_what_happens_and_needs_the_name_typed(site: Site, ada: Client) -> None:
    page = ada.get("/account/delete")
    assert page.status_code == 200
    assert "cannot be taken back" in page.text
    assert rows(site, "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL") == [(0,)]
    for fields in (
        {"confirm": "ada"},
        {"confirm": "ad", "posts": "delete"},
        {"posts": "delete"},
        {"confirm": "ada", "posts": "give", "to": "alan"},  # not an owner
        {"confirm": "ada", "posts": "give", "to": "ada"},
        {"confirm": "ada", "posts": "give"},
        {"confirm": "ada", "posts": "burn"},
    ):
        answer = ada.submit("/account/delete", **fields)
        assert answer.status_code == 422, fields
        assert "Nothing was deleted." in answer.text
    assert ada.post("/account/delete", data={"confirm": "ada", "posts": "delete"}).status_code == 403
    answer = ada.submit("/account/delete", confirm="ADA ", posts="give", to="olive")
    assert answer.status_code == 200
    assert "Your account is deleted" in answer.text
    assert "Signed in as" not in answer.text
    assert ada.get("/account").status_code == 303
    assert WORD in site.client().get("/authors/olive").text
    assert rows(site, "SELECT actor FROM events WHERE kind = 'user.deleted'") == [("ada",)]


def test_it_needs_a_fresh_sign_in(site: Site) -> None:
    rita = site.client("rita")
    token = rita.form_token("/account/delete")
    with time_machine.travel((clock.now() + clock.HOUR) / clock.SECOND, tick=False):
        assert rita.get("/account/delete").status_code == 303
        answer = rita.post(
            "/account/delete", data={"csrf_token": token, "confirm": "rita"}, headers={"Accept": "text/html"}
        )
        assert answer.status_code == 401
        assert 'name="kept.confirm" value="rita"' in answer.text
    assert rows(site, "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL") == [(0,)]
    assert rita.submit("/account/delete", confirm="rita").status_code == 200


def test_an_owner_deletes_anybody_but_the_last_owner(site: Site, ada: Client) -> None:
    olive = site.client("olive")
    assert olive.submit("/account/delete", confirm="olive").status_code == 409
    page = olive.get("/admin/people/ada/delete").text
    assert all(f'value="{name}"' in page for name in ("alan", "edith", "olive"))
    assert not any(f'value="{name}"' in page for name in ("ada", "rita", "bob"))
    wrong = olive.submit("/admin/people/ada/delete", confirm="ada", posts="give", to="bob")
    assert wrong.status_code == 422
    answer = olive.submit("/admin/people/ada/delete", confirm="ada", posts="give", to="alan")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin?deleted=1")
    assert "The account is deleted." in olive.get("/admin?deleted=1").text
    assert olive.submit("/admin/people/ada/delete", page="/admin", confirm="ada").status_code == 404
    for name in ("edith", "rita"):
        assert site.client(name).get("/admin/people/alan/delete").status_code == 403
        assert site.client(name).post("/admin/people/alan/delete", data={"confirm": "alan"}).status_code == 403
    program = site.client(token=site.token("olive", *Scope))
    assert program.post("/admin/people/alan/delete", data={"confirm": "alan"}).status_code == 403
    assert program.post("/account/delete", data={"confirm": "olive"}).status_code == 403
    assert site.client().post("/admin/people/alan/delete", data={"confirm": "alan"}).status_code == 401


def share_the_form(client: Client, other: Client) -> dict[str, str]:
    """The form about rita's own account, filled, in one browser that two clients are from now on."""
    hidden = hidden_fields(client.get("/account/delete"), "/account/delete")
    name = client.site.app.extensions["session_cookie_name"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    other.set_cookie(name, cookie.value)
    return {name: values[0] for name, values in hidden.items()} | {"confirm": "rita"}


@pytest.mark.parametrize("name", ["olive", "OLIVE", "Olive"])
def test_an_owner_deletes_themself_by_their_own_page_only(site: Site, name: str) -> None:
    with site.database.transaction() as db:
        give_role(db, "edith", Role.OWNER, by=TESTER, links=LINKS)
    site.post("olive")
    olive = site.client("olive")
    page = olive.get(f"/admin/people/{name}/delete")
    assert (page.status_code, page.headers["Location"]) == (303, "/account/delete")
    fields = {"confirm": "olive", "posts": "give", "to": "alan"}
    answer = olive.submit(f"/admin/people/{name}/delete", page="/account/delete", **fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/delete")
    assert rows(site, "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL") == [(0,)]


def test_the_second_of_two_clicks_is_told_that_the_account_is_deleted(site: Site) -> None:
    rita, again, later = site.client("rita"), site.client(), site.client()
    fields = share_the_form(rita, again)
    # Not before it is true, and not to whoever made the proof up.
    assert later.post("/account/delete", data=fields).status_code == 401
    assert rita.post("/account/delete", data=fields).status_code == 200
    for client in (again, rita, later):  # with the cookie that the first answer takes away, and without one
        answer = client.post("/account/delete", data=fields, headers={"Accept": "text/html"})
        assert answer.status_code == 200
        assert "Your account is deleted" in answer.text
    for proof in ("", "rita", fields["proof"] + "x"):
        assert later.post("/account/delete", data=fields | {"proof": proof}).status_code == 401
    assert rows(site, "SELECT count(*) FROM events WHERE kind = 'user.deleted'") == [(1,)]


def test_two_clicks_at_once_delete_once_and_both_say_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    rita, other = site.client("rita"), site.client()
    fields = share_the_form(rita, other)
    answers = []

    def be_overtaken(_form: LeaveForm) -> None:
        monkeypatch.undo()
        answers.append(other.post("/account/delete", data=fields))

    # One is let in before the other is done, and comes to its transaction after it.
    monkeypatch.setattr(LeaveForm, "token_error", be_overtaken)
    answers.append(rita.post("/account/delete", data=fields))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all("Your account is deleted" in answer.text for answer in answers)
    assert rows(site, "SELECT count(*) FROM events WHERE kind = 'user.deleted'") == [(1,)]


def test_two_owners_who_delete_each_other_leave_one(site: Site) -> None:
    with site.database.transaction() as db:
        give_role(db, "edith", Role.OWNER, by=TESTER, links=LINKS)
    gone(site, "olive", by=site.principal("edith"))
    with site.database.transaction() as db, pytest.raises(Conflict):
        leave(db, "edith", to=None, by=TESTER, writings=WRITINGS)


def test_what_was_hidden_is_a_draft_of_the_heir_and_no_reader_finds_it(site: Site) -> None:
    at = clock.now()
    site.post("ada", slug="out", title=f"Out {WORD}")
    site.post("ada", slug="later", title=f"Later {WORD}", publish_at=at + clock.DAY)
    site.post("ada", slug="thrown")
    site.post("alan", slug="own")
    assert site.client("ada").submit("/posts/thrown/delete", version="1").status_code == 303
    with site.database.transaction() as db:
        block(db, "ada", by=TESTER, links=LINKS, hide=WRITINGS.hide)
    gone(site, "ada", to="alan", by=site.principal("olive"))
    do_the_rest(site)
    assert rows(site, "SELECT slug, status, is_hidden FROM posts ORDER BY slug") == [
        ("later", "draft", 0), ("out", "draft", 0), ("own", "published", 0), ("thrown", "draft", 0),
    ]  # fmt: skip
    with time_machine.travel((at + 2 * clock.DAY) / clock.SECOND, tick=False):
        visitor, alan = site.client(), site.client("alan")
        for slug in ("out", "later"):
            assert visitor.get(f"/posts/{slug}").status_code == 404, slug
            assert alan.get(f"/posts/{slug}").status_code == 200, slug
        for path in ("/", f"/search?q={WORD}", "/authors/alan"):
            page = visitor.get(path).text
            assert "/posts/out" not in page, path
            assert "/posts/later" not in page, path
        assert alan.submit("/posts/out/publish", page="/posts/out").status_code == 303
        assert visitor.get("/posts/out").status_code == 200


def test_the_posts_of_somebody_blocked_without_hiding_stay_out(site: Site) -> None:
    site.post("ada", slug="mine")
    with site.database.transaction() as db:
        block(db, "ada", by=TESTER, links=LINKS)
    gone(site, "ada", to="alan")
    assert site.client().get("/posts/mine").status_code == 200


@pytest.mark.parametrize("to", ["nobody", "rita", "bob", "ada"])
def test_it_is_given_to_nobody_who_does_not_write(site: Site, to: str) -> None:
    with site.database.transaction() as db, pytest.raises((Invalid, NotFound)):
        leave(db, "ada", to=to, by=TESTER, writings=WRITINGS)


def test_a_large_account_is_erased_in_small_pieces(site: Site) -> None:
    for number in range(60):
        site.post("ada", slug=f"post-{number}")
    gone(site, "ada")
    longest = 0

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal longest
        if statement.startswith("DELETE FROM revisions"):
            longest = max(longest, statement.count("?"))

    sa.event.listen(site.database.write_engine, "before_cursor_execute", note)
    assert do_the_rest(site) == 4  # 25, 25, 10, and that there is nothing more
    assert 0 < longest <= 25
    assert {site.client().get(f"/posts/post-{number}").status_code for number in range(60)} == {410}


# The command


@pytest.mark.parametrize(("options", "status", "says"), [
    (["--posts", "delete"], 0, "what they had written is deleted"),
    (["--posts-to", "alan"], 0, "alan's now"),
    (["--posts-to", "rita"], 1, "Choose somebody who writes here"),
    (["--posts-to", "nobody"], 1, "nobody named nobody"),
    ([], 2, "--posts delete, or --posts-to NAME"),
    (["--posts", "delete", "--posts-to", "alan"], 2, "--posts delete, or --posts-to NAME"),
])  # fmt: skip
def test_the_command(site: Site, monkeypatch: pytest.MonkeyPatch, options: list[str], status: int, says: str) -> None:
    site.post("ada", slug="mine")
    monkeypatch.setenv("BYLINE_INSTANCE", str(site.folder))
    result = CliRunner().invoke(byline.main, ["user", "delete", "ada", *options])
    assert result.exit_code == status, result.output
    assert says in result.output
    assert rows(site, "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL") == [(int(status == 0),)]
    if options == ["--posts", "delete"]:
        assert site.client().get("/posts/mine").status_code == 410
