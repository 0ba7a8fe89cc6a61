"""Every route under /account and /admin, asked for by everybody whom it is not for: refused alike, nothing changed.

The table says whom each route is for. A route that is not in it fails the walk: whoever adds one says here whose it is.
"""

import hashlib
from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from auth.invitations.inviting import invite
from auth.passkeys.model import Passkey
from auth.passkeys.queries import insert_passkey
from auth.permissions import Role, Scope
from blog.series.model import series_table
from storage.schema import metadata
from tests.support import Client, Site, make_site

READER, AUTHOR, EDITOR, OWNER = Role.READER, Role.AUTHOR, Role.EDITOR, Role.OWNER
LADDER = [READER, AUTHOR, EDITOR, OWNER]
NAMES = {READER: "rita", AUTHOR: "alan", EDITOR: "edith", OWNER: "olive"}

# The least role that may ask.
WHOSE = {
    "GET /account": READER,
    "GET /account/bin": AUTHOR,
    "POST /account/bin/<post_id>/restore": AUTHOR,
    "GET /account/delete": READER,
    "POST /account/delete": READER,
    "GET /account/devices": READER,
    "POST /account/devices/<session_id>/end": READER,
    "POST /account/devices/end-others": READER,
    "GET /account/export": READER,
    "POST /account/export": READER,
    "GET /account/media": AUTHOR,
    "POST /account/media": AUTHOR,
    "POST /account/media/<media_id>": AUTHOR,
    "POST /account/media/<media_id>/delete": AUTHOR,
    "GET /account/passkeys": READER,
    "GET /account/passkeys/new": READER,
    "POST /account/passkeys/new": READER,
    "POST /account/passkeys/<passkey_id>/remove": READER,
    "POST /account/passkeys/<passkey_id>/rename": READER,
    "POST /account/passkeys/remove-password": READER,
    "GET /account/password": READER,
    "POST /account/password": READER,
    "POST /account/posts": AUTHOR,
    "POST /account/preview": AUTHOR,
    "GET /account/profile": READER,
    "POST /account/profile": READER,
    "GET /account/second-factor": READER,
    "GET /account/second-factor/begin": READER,
    "POST /account/second-factor/begin": READER,
    "POST /account/second-factor/codes": READER,
    "POST /account/second-factor/off": READER,
    "GET /account/series": AUTHOR,
    "POST /account/series": AUTHOR,
    "GET /account/series/<series_id>": AUTHOR,
    "POST /account/series/<series_id>": AUTHOR,
    "POST /account/series/<series_id>/delete": AUTHOR,
    "POST /account/series/<series_id>/posts": AUTHOR,
    "POST /account/series/<series_id>/posts/<post_id>": AUTHOR,
    "GET /account/submissions/<submission>": AUTHOR,
    "GET /account/tokens": READER,
    "POST /account/tokens": READER,
    "POST /account/tokens/<token_id>/revoke": READER,
    "GET /account/working-copies": READER,
    "PUT /account/working-copies/<key>": AUTHOR,
    "GET /account/working-copies/<key>": AUTHOR,
    "POST /account/working-copies/<key>/discard": READER,
    "GET /account/working-copies/<key>/text": READER,
    "GET /admin": OWNER,
    "GET /admin/guides": OWNER,
    "POST /admin/guides": OWNER,
    "GET /admin/guides/<guide_id>": OWNER,
    "POST /admin/guides/<guide_id>": OWNER,
    "POST /admin/guides/<guide_id>/bring-back": OWNER,
    "POST /admin/guides/<guide_id>/retire": OWNER,
    "GET /admin/invitations": OWNER,
    "POST /admin/invitations": OWNER,
    "POST /admin/invitations/<invitation_id>/withdraw": OWNER,
    "GET /admin/log": OWNER,
    "GET /admin/log/retention": OWNER,
    "POST /admin/log/retention": OWNER,
    "POST /admin/people/<username>/block": OWNER,
    "GET /admin/people/<username>/delete": OWNER,
    "POST /admin/people/<username>/delete": OWNER,
    "POST /admin/people/<username>/posts": OWNER,
    "GET /admin/people/<username>/reset": OWNER,
    "POST /admin/people/<username>/reset": OWNER,
    "POST /admin/people/<username>/role": OWNER,
    "POST /admin/people/<username>/sign-out": OWNER,
    "POST /admin/people/<username>/unblock": OWNER,
    "GET /admin/settings": OWNER,
    "POST /admin/settings": OWNER,
    "GET /admin/tags": EDITOR,
    "GET /admin/tags/rename": EDITOR,
    "POST /admin/tags/rename": EDITOR,
    "GET /admin/unfinished": OWNER,
    "POST /admin/unfinished/<path:call_id>": OWNER,
}
# What these routes would do, if they did: each field that any of them reads, with a value that it would take.
FIELDS = {
    "role": "owner", "reason": "x", "name": "Taken", "tagline": "x", "language": "de", "time_zone": "UTC", "tag": "one",
    "new_name": "two", "days": "1", "title": "Taken", "what": "delete", "scopes": "posts:read", "lasts": "30",
    "level": "strict", "display_name": "Taken", "biography": "x", "state": "done", "note": "x", "alt": "x", "body": "x",
    "uses": "1", "registration": "open", "username": "rita", "fate": "delete", "hide": "y", "code": "123456",
    "system_prompt": "x", "greeting": "x", "scope": "blog",
    "description": "x", "post": "00000000-0000-4000-8000-000000000000~1",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where there is something to take."""
    made = make_site(tmp_path_factory.mktemp("walk") / "instance")
    yield made
    made.close()


@pytest.fixture(scope="module")
def there(place: Site) -> dict[str, str]:
    """What each part of an address may name: something of Alan's, or of the site's."""
    post, token_id = place.post("alan", tags=["one"]), "0"
    alan = place.client("alan")
    assert alan.submit("/account/series", title="A series").status_code == 303
    place.token("alan")
    with place.database.transaction() as db:
        invite(db, role=Role.READER, days=1, uses=1, note="", by=place.principal("olive"))
        passkey = Passkey("1" * 32, "an id", "a handle", "localhost", "usb", "A key", 0, None)
        insert_passkey(db, passkey, user_id=place.principal("alan").user_id or 0, public_key=b"", sign_count=0)
    with place.database.reading() as db:
        series_id = str(db.execute(series_table.select()).mappings().one()["id"])
        token_id = str(db.exec_driver_sql("SELECT id FROM tokens").scalar_one())
        invitation_id = str(db.exec_driver_sql("SELECT id FROM invitations").scalar_one())
        guide_id = str(db.exec_driver_sql("SELECT id FROM guides").scalar_one())
        session_id = str(db.exec_driver_sql("SELECT id FROM sessions").scalar_one())
    return {
        "post_id": str(post.id), "key": str(post.id), "series_id": series_id, "token_id": token_id, "session_id": session_id,
        "username": "rita", "submission": "0" * 32, "media_id": "1", "call_id": "1",
        "guide_id": guide_id, "invitation_id": invitation_id, "passkey_id": passkey.id,
    }  # fmt: skip


def routes(site: Site) -> list[tuple[str, Rule]]:
    """Each method of each route that is a person's or an owner's own."""
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.rule.split("/")[1] in ("account", "admin")]
    return [(method, rule) for rule in rules for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]


def addresses(rule: Rule, there: dict[str, str]) -> list[str]:
    """With what is there, and with what is not."""
    found = []
    for values in (there, dict.fromkeys(there, "nothing")):
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<path:{name}>", values[name]).replace(f"<{name}>", values[name])
        assert "<" not in path, f"say in `there` what {rule.rule} may name"
        found.append(path)
    return sorted(set(found))


def ask(client: Client, method: str, path: str, token: str = "", **headers: str) -> TestResponse:
    """With a form that is whole, so that nothing but who asks can be the reason."""
    if method in ("GET", "HEAD"):
        return client.open(path, method=method, headers=headers)
    more = {"X-CSRF-Token": token, **headers} if token else headers
    data = {"csrf_token": token, **FIELDS}
    if method == "PUT":
        return client.open(path, method=method, json={"body": "x", "submission": "0" * 32}, headers=more)
    return client.open(path, method=method, data=data, content_type="multipart/form-data", headers=more)


def everything(site: Site) -> str:
    """A digest of every row of every table."""
    found = hashlib.sha256()
    with site.database.reading() as db:
        for table in metadata.sorted_tables:
            rows = sorted(repr(tuple(row)) for row in db.execute(table.select()))
            found.update("\n".join([table.name, *rows]).encode())
    return found.hexdigest()


def test_the_table_names_every_route_and_no_other(place: Site) -> None:
    assert sorted(f"{method} {rule.rule}" for method, rule in routes(place)) == sorted(WHOSE)


def test_a_visitor_is_sent_to_the_sign_in_page_and_a_write_comes_back(place: Site, there: dict[str, str]) -> None:
    visitor = place.client()
    token = visitor.form_token("/login")
    before = everything(place)
    for method, rule in routes(place):
        for path in addresses(rule, there):
            answer = ask(visitor, method, path, token)
            if method == "GET":
                assert answer.status_code == 303, path
                assert answer.headers["Location"] == f"/login?next={path}"
                assert ask(visitor, "HEAD", path).status_code == 303
            else:
                assert answer.status_code == 401, path
            as_json = ask(visitor, method, path, token, Accept="application/json")
            assert (as_json.status_code, "WWW-Authenticate" in as_json.headers) == (401, True), path
            for each in (answer, as_json):
                assert each.headers["Cache-Control"] == "private, no-store", path
    assert everything(place) == before


@pytest.mark.parametrize("role", LADDER)
def test_whoever_is_below_is_refused_alike_whether_it_is_there_or_not(
    place: Site, there: dict[str, str], role: Role
) -> None:
    client = place.client(NAMES[role])
    token = client.form_token("/account/profile")
    before = everything(place)
    above = [
        (method, rule)
        for method, rule in routes(place)
        if LADDER.index(WHOSE[f"{method} {rule.rule}"]) > LADDER.index(role)
    ]
    for method, rule in above:
        pages = set()
        for path in addresses(rule, there):
            answer = ask(client, method, path, token)
            assert answer.status_code == 403, (role, method, path)
            assert ask(client, method, path, "").status_code == 403
            as_json = ask(client, method, path, token, Accept="application/json")
            assert (as_json.status_code, as_json.mimetype) == (403, "application/problem+json")
            pages.add(answer.text.replace(path, "PATH"))
        assert len(pages) == 1, (role, method, rule.rule)
    assert everything(place) == before
    assert bool(above) is (role != OWNER)


@pytest.mark.parametrize("name", [*NAMES.values()])
def test_no_token_opens_any_of_them_whatever_its_scopes(place: Site, there: dict[str, str], name: str) -> None:
    scopes = [(scope,) for scope in Scope] + [tuple(Scope)] if name == "olive" else [tuple(Scope)]
    programs = [place.client(token=place.token(name, *each)) for each in scopes]
    for program in programs:
        program.get("/")  # the first use of a token is recorded
    before = everything(place)
    for method, rule in routes(place):
        for path in addresses(rule, there):
            for program in programs:
                answer = ask(program, method, path)
                assert answer.status_code == 403, (name, method, path)
                assert "Set-Cookie" not in answer.headers
    assert everything(place) == before


def test_somebody_who_is_blocked_and_whoever_holds_nothing_good_is_nobody(place: Site, there: dict[str, str]) -> None:
    blocked, forged, unknown = place.client(), place.client("rita"), place.client(token="byl_" + "x" * 43)
    blocked.adopt_session("bob")
    cookie = forged.get_cookie("session")
    assert cookie is not None
    forged.set_cookie("session", cookie.value[:-2] + "xx")
    before = everything(place)
    for method, rule in routes(place):
        for path in addresses(rule, there):
            for client in (blocked, forged):
                assert ask(client, method, path).status_code == (303 if method == "GET" else 401), (method, path)
            assert ask(unknown, method, path).status_code == 401, (method, path)
    assert everything(place) == before


def test_those_whom_they_are_for_get_them(place: Site, there: dict[str, str]) -> None:
    """Or the walk would prove nothing."""
    for role in LADDER:
        client = place.client(NAMES[role])
        for method, rule in routes(place):
            if method == "GET" and LADDER.index(WHOSE[f"GET {rule.rule}"]) <= LADDER.index(role):
                answer = client.get(f"{addresses(rule, there)[0]}?tag=one")
                assert answer.status_code in (200, 404), (role, rule.rule)
                assert answer.status_code == 200 or rule.arguments, (role, rule.rule)


def test_a_write_without_the_form_s_token_is_refused_to_those_whom_it_is_for_too(
    place: Site, there: dict[str, str]
) -> None:
    olive = place.client("olive")
    before = everything(place)
    for method, rule in routes(place):
        if method != "GET":
            for path in addresses(rule, there):
                assert ask(olive, method, path).status_code in (403, 404), path
            foreign = ask(olive, method, addresses(rule, there)[0], Origin="https://evil.example")
            assert foreign.status_code == 403, rule.rule
    assert everything(place) == before
