"""The whole life of a block: who is nobody from when on, what they still send, and what readers find of theirs."""

import io
import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import request

from app import LINKS
from auth.blocking.blocking import block, set_hidden, unblock
from auth.permissions import Role, Scope
from auth.sessions.roles import give_role
from auth.tokens.queries import delete_token, list_tokens
from auth.users.events import USER_PROFILE_CHANGED
from blog.posts.hiding import hide
from blog.tagging.renaming import RENAME, rename_rest
from eventlog.log.appending import append_event
from tests.blog.media.pictures import picture
from tests.support import TESTER, Client, Site, find_form_token

HTML = {"Accept": "text/html"}
WORDS = "Precious words that nobody may lose."


def just_after_letting_in(site: Site, path: str, change: Callable[[], None]) -> None:
    """Do that once, when a request to `path` has been told who it comes from and nothing else has been done."""
    done: list[bool] = []

    def meanwhile() -> None:
        if request.path == path and request.method != "GET" and not done:
            done.append(True)
            change()

    site.app.before_request_funcs.setdefault(None, []).append(meanwhile)


def everything(site: Site) -> dict[str, Any]:
    """All rows of all tables."""
    with site.database.reading() as db:
        names = db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
        return {name: db.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names.scalars().all()}


def blocked(site: Site, name: str) -> dict[str, Any]:
    """Block somebody; everything that is there after that."""
    with site.database.transaction() as db:
        block(db, name, by=TESTER, links=LINKS)
    return everything(site)


FORMS = [
    ("/new", {"title": "Mine", "body": WORDS}),
    ("/posts/mine/edit", {"title": "Mine", "body": WORDS, "version": "1", "slug": "mine", "tags": ""}),
    ("/posts/mine/delete", {"version": "1", "note": WORDS}),
    ("/posts/mine/previews", {"days": "7", "note": WORDS}),
    ("/posts/mine/unpublish", {"note": WORDS}),
    ("/account/profile", {"display_name": "Ed", "biography": WORDS, "time_zone": ""}),
    ("/account/tokens", {"name": WORDS, "scopes": "posts:read", "expires": "never"}),
    ("/account/series", {"title": WORDS}),
    ("/account/devices/end-others", {"note": WORDS}),
    ("/admin/settings", {"name": WORDS, "tagline": "", "language": "en", "time_zone": "UTC"}),
    ("/admin/tags/rename", {"tag": "old", "name": "new", "note": WORDS}),
    ("/admin/people/rita/role", {"role": "author", "note": WORDS}),
    ("/admin/people/rita/block", {"reason": WORDS}),
    ("/admin/log/retention", {"days": "7", "note": WORDS}),
    ("/account/delete", {"posts": "delete", "confirm": "edith", "note": WORDS}),
]


@pytest.fixture
def edith(site: Site) -> Client:
    """An owner beside olive, with a post."""
    with site.database.transaction() as db:
        give_role(db, "edith", Role.OWNER, by=TESTER, links=LINKS)
    site.post("edith", title="Mine", slug="mine", tags=["old"])
    return site.client("edith")


@pytest.mark.parametrize(("path", "fields"), FORMS, ids=[path for path, _fields in FORMS])
def test_who_is_blocked_after_being_let_in_gets_the_text_back_and_nothing_is_stored(
    site: Site, edith: Client, path: str, fields: dict[str, str]
) -> None:
    seen: dict[str, Any] = {}
    form_token = edith.form_token()
    just_after_letting_in(site, path, lambda: seen.update(blocked(site, "edith")))
    answer = edith.post(path, data={"csrf_token": form_token, **fields}, headers=HTML)
    assert answer.status_code == 401
    assert WORDS in answer.text
    assert "block" not in answer.text.lower().replace(fields.get("reason", " "), "").replace("/block", "")
    assert seen
    assert everything(site) == seen
    assert "session=;" in answer.headers["Set-Cookie"] or "v." in answer.headers["Set-Cookie"]
    assert edith.get("/account").status_code == 303
    # Whoever signs in on that page goes on with the text.
    assert find_form_token(answer.text)


@pytest.mark.parametrize("path", ["/v1/posts", "/new"])
def test_programs_are_told_so_by_401(site: Site, edith: Client, path: str) -> None:
    seen: dict[str, Any] = {}
    headers = {"X-CSRF-Token": edith.form_token(), "Accept": "application/json"}
    just_after_letting_in(site, path, lambda: seen.update(blocked(site, "edith")))
    answer = edith.post(path, json={"title": "Mine", "body": WORDS}, headers=headers)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert everything(site) == seen


@pytest.mark.parametrize("end", ["blocked", "revoked"])
def test_a_token_that_ends_meanwhile_stores_nothing(site: Site, edith: Client, end: str) -> None:
    program = site.client(token=site.token("edith", Scope.POSTS_WRITE, Scope.MEDIA_WRITE))
    assert program.get("/v1/media").status_code == 200  # its first use is noted
    seen: dict[str, Any] = {}

    def stop() -> None:
        if end == "revoked":
            with site.database.transaction() as db:
                assert delete_token(db, list_tokens(db)[0].id)
        seen.update(everything(site) if end == "revoked" else blocked(site, "edith"))

    just_after_letting_in(site, "/v1/posts", stop)
    answer = program.post("/v1/posts", json={"title": "Mine", "body": WORDS})
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert everything(site) == seen


def test_a_token_whose_person_gets_another_role_meanwhile_stores_nothing(site: Site, edith: Client) -> None:
    program = site.client(token=site.token("edith", Scope.POSTS_WRITE))
    program.get("/v1/posts")

    def lower() -> None:
        with site.database.transaction() as db:
            give_role(db, "edith", Role.READER, by=TESTER, links=LINKS)

    just_after_letting_in(site, "/v1/posts", lower)
    assert program.post("/v1/posts", json={"title": "Mine", "body": WORDS}).status_code == 403
    assert site.rows("posts") == 1


@pytest.mark.parametrize("path", ["/v1/media", "/account/media"])
def test_a_picture_of_somebody_blocked_while_it_was_sent_is_not_kept(site: Site, edith: Client, path: str) -> None:
    page = edith.get("/account/media").text
    seen: dict[str, Any] = {}
    just_after_letting_in(site, path, lambda: seen.update(blocked(site, "edith")))
    sent = {"csrf_token": find_form_token(page), "file": (io.BytesIO(picture("PNG", (40, 30))), "a.png"), "alt": WORDS}
    headers = {"X-CSRF-Token": find_form_token(page)} | ({} if path.startswith("/v1") else HTML)
    assert edith.post(path, data=sent, headers=headers, content_type="multipart/form-data").status_code == 401
    assert everything(site) == seen
    assert not [each for each in (site.folder / "media").rglob("*") if each.is_file()]


def test_a_picture_blocked_between_its_announcement_and_its_row_is_concluded_as_failed(
    site: Site, edith: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = site.app.extensions["media_files"]
    keep = files.keep

    def keep_and_block(unfinished: Any) -> None:
        keep(unfinished)
        blocked(site, "edith")

    monkeypatch.setattr(files, "keep", keep_and_block)
    sent = {"file": (io.BytesIO(picture("PNG", (40, 30))), "a.png")}
    headers = {"X-CSRF-Token": edith.form_token()}
    assert edith.post("/v1/media", data=sent, headers=headers).status_code == 401
    assert site.rows("media") == 0
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT outcome FROM intents").scalars().all() == ["failed"]


def test_a_write_asks_one_statement_more_and_a_sign_in_none(site: Site, edith: Client) -> None:
    form_token = edith.form_token()
    asked = "FROM users JOIN sessions ON"
    with site.counted_statements() as seen:
        edith.post("/account/profile", data={"csrf_token": form_token, "display_name": "Ed", "time_zone": ""})
    assert len([each for each in seen if "users.role" in each and asked in each.replace("\n", "")]) == 1
    with site.database.reading() as db:
        plan = db.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT users.role FROM users JOIN sessions ON sessions.user_id = users.id "
            "WHERE sessions.id = '1.1' AND users.blocked_at IS NULL"
        ).all()
    assert all("SEARCH" in row[-1] for row in plan), plan
    visitor = site.client()
    with site.counted_statements() as seen:
        visitor.submit("/login", username="alan", password="wrong")
    assert not [each for each in seen if "users.role" in each and asked in each.replace("\n", "")]


def test_two_owners_who_lower_each_other_at_once_leave_one(site: Site, edith: Client) -> None:
    olive = site.client("olive")
    tokens = {each: each.form_token() for each in (olive, edith)}

    def other_way() -> None:
        data = {"csrf_token": tokens[edith], "role": "reader"}
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(edith.post, "/admin/people/olive/role", data=data).result().status_code == 303

    just_after_letting_in(site, "/admin/people/edith/role", other_way)
    answer = olive.post("/admin/people/edith/role", data={"csrf_token": tokens[olive], "role": "reader"})
    assert answer.status_code == 401
    assert (site.principal("olive").role, site.principal("edith").role) == (Role.READER, Role.OWNER)


def test_tokens_open_nothing_while_their_person_is_blocked_and_work_again_after(site: Site) -> None:
    token = site.token("ada", Scope.POSTS_WRITE)
    session = site.client("ada")
    for _time in range(2):
        blocked(site, "ada")
        assert site.client(token=token).get("/v1/posts").status_code == 401
        with site.database.transaction() as db:
            unblock(db, "ada", by=TESTER)
        assert site.client(token=token).get("/v1/posts").status_code == 200
        assert session.get("/account").status_code == 303


# Jobs in somebody's name


@pytest.mark.parametrize("loss", ["blocked", "lowered", "none"])
def test_a_job_looks_whether_whoever_began_it_may_still_do_it(site: Site, loss: str) -> None:
    for number in range(30):
        site.post("ada", title=f"Post {number}", tags=["former"])
    edith = site.client("edith")
    assert edith.submit("/admin/tags/rename?tag=former", tag="former", name="present").status_code == 303
    with site.database.transaction() as db:
        if loss == "blocked":
            block(db, "edith", by=TESTER, links=LINKS)
        elif loss == "lowered":
            give_role(db, "edith", Role.AUTHOR, by=TESTER, links=LINKS)
    with site.database.reading() as db:
        payload = db.exec_driver_sql("SELECT payload FROM jobs WHERE kind = ?", (RENAME,)).scalar_one()

    before = everything(site)
    assert rename_rest(site.database, json.loads(payload)) is None
    with site.database.reading() as db:
        left = db.exec_driver_sql("SELECT count(*) FROM post_tags WHERE tag = 'former'").scalar_one()
        stopped = db.exec_driver_sql("SELECT payload FROM events WHERE kind = 'tag.renaming_stopped'").scalars().all()
    if loss == "none":
        assert (left, stopped) == (0, [])
    else:
        assert left == 5
        assert [json.loads(each)["count"] for each in stopped] == [5]
        after = everything(site)
        assert all(after[name] == before[name] for name in ("posts", "revisions", "post_tags"))
        # Somebody else may do the rest.
        olive = site.client("olive")
        form = {"tag": "former", "name": "present", "merge": "present"}
        assert olive.submit("/admin/tags/rename", page="/admin/tags/rename?tag=former", **form).status_code == 303
        assert "former" not in {each for (each, *_rest) in everything(site)["post_tags"]}


# The owner's choice


def is_shown(site: Site) -> bool:
    return site.client().get("/posts/mine").status_code == 200


def test_the_owner_chooses_and_may_change_it_later(site: Site) -> None:
    site.post("ada", title="Mine", slug="mine")
    olive = site.client("olive")
    assert "hide_posts" in olive.get("/admin").text
    assert olive.submit("/admin/people/ada/block", page="/admin", reason="spam").status_code == 303
    assert is_shown(site)
    assert olive.submit("/admin/people/ada/posts", page="/admin", posts="hidden").status_code == 303
    assert not is_shown(site)
    assert "Posts hidden" in olive.get("/admin").text
    assert olive.submit("/admin/people/ada/posts", page="/admin", posts="shown").status_code == 303
    assert is_shown(site)
    assert olive.submit("/admin/people/ada/unblock", page="/admin").status_code == 303
    assert olive.submit("/admin/people/ada/block", page="/admin", hide_posts="y").status_code == 303
    assert not is_shown(site)
    assert olive.submit("/admin/people/ada/unblock", page="/admin").status_code == 303
    assert is_shown(site)
    with site.database.reading() as db:
        kinds = db.exec_driver_sql(
            "SELECT kind FROM events WHERE subject = 'user:ada' AND kind LIKE 'user.%'"
        ).scalars()
        assert [kind.removeprefix("user.") for kind in kinds] == [
            *("created", "blocked", "posts_hidden", "posts_shown", "unblocked"),
            *("blocked", "posts_hidden", "unblocked", "posts_shown"),
        ]


@pytest.mark.parametrize(("name", "posts", "status"), [("ada", "hidden", 409), ("bob", "", 422), ("bob", "x", 422)])
def test_what_cannot_be_chosen_is_refused_in_words(site: Site, name: str, posts: str, status: int) -> None:
    olive = site.client("olive")
    assert olive.submit(f"/admin/people/{name}/posts", page="/admin", posts=posts).status_code == status
    assert olive.submit("/admin/people/nobody/posts", page="/admin", posts="hidden").status_code == 404
    assert site.client("edith").post("/admin/people/bob/posts", data={"posts": "hidden"}).status_code == 403


def test_hiding_twice_is_recorded_once(site: Site) -> None:
    with site.database.transaction() as db:
        for _time in range(2):
            set_hidden(db, "bob", True, by=TESTER, hide=hide)
    with site.database.reading() as db:
        query = "SELECT count(*) FROM events WHERE kind = 'user.posts_hidden'"
        assert db.exec_driver_sql(query).scalar_one() == 1


def test_nobody_blocks_themself_and_the_last_owner_stays(site: Site) -> None:
    olive = site.client("olive")
    assert olive.submit("/admin/people/olive/block", page="/admin", hide_posts="y").status_code == 409
    assert site.principal("olive").role == Role.OWNER
    assert olive.get("/admin").status_code == 200


def test_a_download_breaks_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.sessions.watching._ASK_SECONDS", 0)
    who = site.principal("ada")
    with site.database.transaction() as db:
        for _number in range(3000):
            append_event(db, USER_PROFILE_CHANGED, by=who, payload={"biography": secrets.token_hex(400)})
    ada = site.client("ada")
    data = {"csrf_token": ada.form_token("/account/export"), "level": "standard"}
    answer = ada.post("/account/export", data=data, buffered=False)
    pieces = iter(answer.response)
    assert next(pieces)
    blocked(site, "ada")
    with pytest.raises(ConnectionAbortedError):
        for _piece in pieces:
            pass
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT outcome FROM intents").scalars().all() == ["abandoned"]
        kinds = db.exec_driver_sql("SELECT count(*) FROM events WHERE kind = 'log.exported'").scalar_one()
    assert kinds == 0
