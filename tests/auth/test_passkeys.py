"""Passkeys: adding one, signing in with one, living with nothing else, and everything that is refused."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from werkzeug.test import TestResponse

from auth.passkeys.own import MOST
from auth.signin.resetting import make_reset_link
from storage import clock
from tests.authenticator import PRESENT, Authenticator, Passkey, to_bytes, to_text
from tests.support import PASSWORD, SECRET, TESTER, Client, Site, find_form_token, make_site
from web.signing import Keys

PAGE, NEW, LOGIN = "/account/passkeys", "/account/passkeys/new", "/login/passkey"


def options_in(page: TestResponse) -> dict[str, Any]:
    found = re.search(r'data-options="([^"]+)"', page.text)
    assert found is not None, "the page offers no passkey"
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


def fields_of(page: TestResponse) -> dict[str, str]:
    """The form token and the challenge that a page carries."""
    found = re.search(r'name="challenge"[^>]*value="([^"]+)"', page.text)
    assert found is not None
    return {"csrf_token": find_form_token(page.text), "challenge": unescape(found[1])}


def send(client: Client, path: str, fields: dict[str, str], **more: Any) -> TestResponse:
    return client.post(path, data=fields, content_type="multipart/form-data", **more)


def add(client: Client, device: Authenticator, name: str = "My laptop", **otherwise: Any) -> TestResponse:
    page = client.get(NEW)
    return send(
        client, NEW, {**fields_of(page), "name": name, "credential": device.create(options_in(page), **otherwise)}
    )


def sign_in(client: Client, device: Authenticator, page: str = "/login", **otherwise: Any) -> TestResponse:
    """As the page's script would; `fields` go into the form."""
    fields = otherwise.pop("fields", {})
    shown = client.get(page)
    return send(client, LOGIN, {**fields_of(shown), "credential": device.get(options_in(shown), **otherwise), **fields})


def at(site: Site, address: str, name: str | None = None) -> Client:
    """A browser that knows the site under that address."""
    client = site.client(name)
    client.open = partial(client.open, base_url=address)  # type: ignore[method-assign]  # of this browser alone
    cookie = client.get_cookie(site.app.extensions["session_cookie_name"])
    if cookie is not None:
        client.set_cookie(cookie.key, cookie.value, domain=urlsplit(address).hostname or "")
    return client


def has_signed_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def events(site: Site, like: str = "passkey.%") -> list[tuple[str, str]]:
    with site.database.reading() as db:
        found = db.exec_driver_sql("SELECT kind, actor FROM events WHERE kind LIKE ? ORDER BY id", (like,))
        return [tuple(row) for row in found]


def rows(site: Site, columns: str = "*") -> list[Any]:
    with site.database.reading() as db:
        return list(db.exec_driver_sql(f"SELECT {columns} FROM passkeys ORDER BY created_at, id"))


def only_id(site: Site) -> str:
    ((passkey_id,),) = rows(site, "id")
    return str(passkey_id)


@pytest.fixture
def device() -> Authenticator:
    return Authenticator()


@pytest.fixture
def alans(site: Site, device: Authenticator) -> Client:
    """A browser of alan, who has a passkey on the device."""
    client = site.client("alan")
    assert add(client, device).location == f"{PAGE}?done=added"
    return client


# Adding one, and signing in with it


def test_a_passkey_is_added_and_opens_the_place(site: Site, device: Authenticator, alans: Client) -> None:
    page = alans.get(f"{PAGE}?done=added")
    assert "My laptop" in page.text
    assert "not used yet" in page.text
    visitor = site.client()
    answer = sign_in(visitor, device, fields={"next": "/account/devices"})
    assert (answer.status_code, answer.location) == (303, "/account/devices")
    assert has_signed_in(visitor)
    assert "with a passkey" in visitor.get("/account/devices").text
    assert "last used" in visitor.get(PAGE).text
    assert events(site) == [("passkey.added", "alan")]
    ((transports, count),) = rows(site, "transports, sign_count")
    assert (transports, count) == ("hybrid internal", 0)


def test_remembering_decides_how_long_the_cookie_lasts(site: Site, device: Authenticator, alans: Client) -> None:
    assert "Max-Age" not in sign_in(site.client(), device).headers["Set-Cookie"]
    assert "Max-Age" in sign_in(site.client(), device, fields={"remember": "y"}).headers["Set-Cookie"]


def test_a_name_is_suggested(site: Site) -> None:
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
    assert 'value="Firefox on Linux"' in site.client("alan").get(NEW, headers=agent).text


def test_all_passkeys_of_a_person_know_them_by_one_handle(site: Site, alans: Client) -> None:
    page = alans.get(NEW)
    (excluded,) = options_in(page)["excludeCredentials"]
    assert excluded["transports"] == ["hybrid", "internal"]
    site.app.extensions["keys"] = Keys("another key for tests only 0123456789 ab", (SECRET,))
    other = Authenticator()
    assert add(site.client("alan"), other).status_code == 303
    handles = {handle for (handle,) in rows(site, "user_handle")}
    assert handles == {to_text(other.passkeys[0].user_handle)}
    assert options_in(site.client("ada").get(NEW))["user"]["id"] not in handles


def test_looking_at_the_pages_stores_nothing(site: Site, alans: Client) -> None:
    before = {table: site.rows(table) for table in ("passkeys", "spent_challenges", "events", "sessions")}
    for path in (PAGE, NEW, f"{PAGE}?done=nonsense"):
        assert alans.get(path).status_code == 200
    site.client().get("/login")
    assert {table: site.rows(table) for table in before} == before


def test_scripts_are_allowed_where_there_is_one_and_nowhere_else(site: Site, alans: Client) -> None:
    for page in (alans.get(NEW), site.client().get("/login")):
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert re.search(r'<script type="module" src="/static/passkeys/\w+\.js\?v=\w+">', page.text)
    assert "script-src" not in alans.get(PAGE).headers["Content-Security-Policy"]
    assert "<script" not in alans.get(PAGE).text


def test_a_program_with_a_token_gets_neither_cookie_nor_challenge(site: Site) -> None:
    answer = site.client(token=site.token("alan")).get("/login")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "data-options" not in answer.text


def test_a_text_that_was_parked_comes_back(site: Site, device: Authenticator, alans: Client) -> None:
    visitor = site.client()
    parked = send(visitor, "/new", {"title": "Half a letter", "body": "Dear reader"})
    assert parked.status_code == 401
    carried = {"kept_for": "/new", "kept.title": "Half a letter", "kept.body": "Dear reader"}
    assert all(f'name="{name}" value="{value}"' in parked.text for name, value in carried.items())
    answer = device.get(options_in(parked))
    opened = send(visitor, LOGIN, {**fields_of(parked), **carried, "credential": answer})
    assert opened.status_code == 200
    assert 'value="Half a letter"' in opened.text
    assert has_signed_in(visitor)


def test_a_parked_text_survives_a_passkey_that_is_refused(site: Site, device: Authenticator, alans: Client) -> None:
    fields = {"kept_for": "/new", "kept.body": "Dear reader", "next": "/account/devices"}
    refused = sign_in(site.client(), device, fields=fields, signature=b"forged")
    assert refused.status_code == 401
    assert 'name="kept.body" value="Dear reader"' in refused.text
    assert 'name="next" type="hidden" value="/account/devices"' in refused.text
    assert '"signature"' not in unescape(refused.text)


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_next_leads_to_this_site_alone(site: Site, device: Authenticator, alans: Client, target: str) -> None:
    assert sign_in(site.client(), device, fields={"next": target}).location == "/"


def test_whoever_signed_in_a_while_ago_shows_it_with_a_passkey(site: Site) -> None:
    with time_machine.travel(1_795_000_000) as traveller:
        device, alan = Authenticator(), site.client("alan")
        assert add(alan, device).status_code == 303
        token = alan.form_token()
        traveller.shift(601)
        assert alan.get(NEW).location == f"/login?next={NEW}&again=1"
        assert send(alan, f"{PAGE}/remove-password", {"csrf_token": token}).status_code == 401
        sent = {"csrf_token": token, "name": "My key", "credential": "{}", "challenge": "x"}
        asked = send(alan, NEW, sent)
        assert asked.status_code == 401
        assert 'name="kept.name" value="My key"' in asked.text
        assert "kept.credential" not in asked.text
        fields = {**fields_of(asked), "kept_for": NEW, "kept.name": "My key"}
        opened = send(alan, LOGIN, {**fields, "credential": device.get(options_in(asked))})
        assert opened.status_code == 200
        assert "No passkey was added yet" in opened.text
        assert 'value="My key"' in opened.text
        assert alan.get(NEW).status_code == 200
        assert site.rows("sessions") == 1


# What is refused at a sign-in


def refused(site: Site, answer: TestResponse) -> None:
    """The neutral page, and nothing else."""
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
    assert "This passkey opened nothing here" in answer.text
    assert events(site, "session.signed_in") == []


FORGED: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "http://localhost:8001"},
    "another site": {"origin": "https://evil.example"},
    "an origin that is a list": {"origin": ["http://localhost"]},
    "an origin that is an object": {"origin": {"http://localhost": 1}},
    "within another site's page": {"crossOrigin": True},
    "made for another name": {"host": "evil.example"},
    "the answer to another question": {"kind": "webauthn.create"},
    "nobody there": {"flags": 0},
    "not unlocked": {"flags": PRESENT},
    "another signature": {"signature": b"forged"},
    "no signature": {"signature": b""},
    "somebody else's handle": {"user_handle": b"x" * 32},
    "an empty handle": {"user_handle": b""},
    "another challenge": {"challenge": to_text(bytes(32))},
    "a challenge that is a number": {"challenge": 5},
    "a challenge that is none": {"challenge": None},
}


@pytest.mark.parametrize("otherwise", FORGED.values(), ids=FORGED)
def test_an_answer_that_is_not_right_opens_nothing(
    site: Site, device: Authenticator, alans: Client, otherwise: dict[str, Any]
) -> None:
    visitor = site.client()
    refused(site, sign_in(visitor, device, **otherwise))
    assert not has_signed_in(visitor)
    assert events(site, "session.sign_in_failed") == [("session.sign_in_failed", "(visitor)")]
    assert rows(site, "last_used_at") == [(None,)]
    assert site.rows("spent_challenges") == 1
    assert sign_in(visitor, device).status_code == 303


def test_a_challenge_is_good_once(site: Site, device: Authenticator, alans: Client) -> None:
    visitor, thief = site.client(), site.client()
    page = visitor.get("/login")
    name = site.app.extensions["session_cookie_name"]
    cookie = visitor.get_cookie(name)
    assert cookie is not None
    fields = {**fields_of(page), "credential": device.get(options_in(page))}
    assert send(visitor, LOGIN, fields).status_code == 303
    # All that the first request sent, cookie and all.
    thief.set_cookie(name, cookie.value)
    answer = send(thief, LOGIN, fields)
    assert answer.status_code == 401
    assert not has_signed_in(thief)
    assert len(events(site, "session.signed_in")) == 1
    assert len(events(site, "session.sign_in_failed")) == 1


def test_a_challenge_is_good_for_ten_minutes(site: Site) -> None:
    with time_machine.travel(1_795_000_000) as traveller:
        device, visitor = Authenticator(), site.client()
        assert add(site.client("alan"), device).status_code == 303
        page = visitor.get("/login")
        fields = {**fields_of(page), "credential": device.get(options_in(page))}
        traveller.shift(602)
        refused(site, send(visitor, LOGIN, fields))
        page = visitor.get("/login")
        fields = {**fields_of(page), "credential": device.get(options_in(page))}
        traveller.shift(590)
        assert send(visitor, LOGIN, fields).status_code == 303


def test_a_challenge_is_good_in_its_own_browser_alone(site: Site, device: Authenticator, alans: Client) -> None:
    visitor, thief = site.client(), site.client()
    page = visitor.get("/login")
    stolen = {**fields_of(page), "credential": device.get(options_in(page))}
    refused(site, send(thief, LOGIN, stolen | {"csrf_token": find_form_token(thief.get("/login").text)}))
    assert send(visitor, LOGIN, stolen).status_code == 303


def test_a_challenge_is_good_for_its_own_purpose_alone(site: Site, device: Authenticator, alans: Client) -> None:
    adding, signing = alans.get(NEW), alans.get("/login?again=1")
    assert signing.status_code == 303  # just signed in
    asked = options_in(site.client().get("/login"))
    answer = device.get(asked | {"challenge": options_in(adding)["challenge"]})
    refused(site, send(alans, LOGIN, {**fields_of(adding), "credential": answer}))
    with time_machine.travel((clock.now() + 11 * clock.MINUTE) / clock.SECOND):
        signing = alans.get("/login?again=1")
        made = Authenticator().attest(Passkey("localhost", b"x" * 32), options_in(signing)["challenge"])
        sent = {**fields_of(signing), "name": "x", "credential": made}
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE sessions SET created_at = created_at + {12 * clock.MINUTE}")
    with time_machine.travel((clock.now() + 13 * clock.MINUTE) / clock.SECOND):
        assert send(alans, NEW, sent).status_code == 422
        assert site.rows("passkeys") == 1


def test_a_forged_challenge_is_none(site: Site, device: Authenticator, alans: Client) -> None:
    for signed in ("", "x", "a.b.c.d", "\x00", "é" * 50, "x" * 1_000_000):
        refused(site, sign_in(site.client(), device, fields={"challenge": signed}))


def test_a_counter_that_does_not_grow_may_be_a_copy_of_the_key(site: Site) -> None:
    device = Authenticator(counts=True)
    assert add(site.client("alan"), device).status_code == 303
    for _ in range(3):
        assert sign_in(site.client(), device).status_code == 303
    assert rows(site, "sign_count") == [(3,)]
    for count in (3, 2, 0):
        assert sign_in(site.client(), Authenticator(passkeys=device.passkeys), sign_count=count).status_code == 401
        assert rows(site, "sign_count") == [(3,)]
    assert len(events(site, "session.sign_in_failed")) == 1
    assert sign_in(site.client(), Authenticator(passkeys=device.passkeys), sign_count=4).status_code == 303


def test_a_device_that_begins_to_count_is_held_to_it(site: Site, device: Authenticator, alans: Client) -> None:
    assert sign_in(site.client(), device, sign_count=7).status_code == 303
    assert sign_in(site.client(), device, sign_count=0).status_code == 401


def test_a_passkey_opens_its_own_account_alone(site: Site, device: Authenticator, alans: Client) -> None:
    adas = Authenticator()
    assert add(site.client("ada"), adas).status_code == 303
    # Alan's handle with Ada's key, and the other way round; and Ada's id with Alan's key.
    refused(site, sign_in(site.client(), adas, user_handle=device.passkeys[0].user_handle))
    refused(site, sign_in(site.client(), device, user_handle=adas.passkeys[0].user_handle))
    mixed = Passkey("localhost", adas.passkeys[0].user_handle, adas.passkeys[0].credential_id)
    refused(site, sign_in(site.client(), Authenticator(passkeys=[mixed])))
    with site.database.reading() as db:
        subjects = db.exec_driver_sql("SELECT subject FROM events WHERE kind = 'session.sign_in_failed' ORDER BY id")
        assert [subject for (subject,) in subjects] == ["user:ada", "user:alan"]


def test_unknown_blocked_and_refused_get_the_same_page(site: Site, device: Authenticator, alans: Client) -> None:
    bobs = Authenticator()
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET blocked_at = NULL WHERE username = 'bob'")
    assert add(site.client("bob"), bobs).status_code == 303
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET blocked_at = 1 WHERE username = 'bob'")
    unknown = Authenticator(passkeys=[Passkey("localhost", b"x" * 32)])
    pages = set()
    for answer in (
        sign_in(site.client(), bobs),
        sign_in(site.client(), unknown),
        sign_in(site.client(), device, signature=b"forged"),
        sign_in(site.client(), device, fields={"credential": "{}"}),
    ):
        refused(site, answer)
        pages.add(re.sub(r'(value|data-options)="[^"]*"', "", answer.text))
    assert len(pages) == 1


GARBAGE = [
    "", "{", "[]", "null", "5", '"x"', "{}", "\x00", "é", '{"id": NaN}', "[" * 10_000, '{"a":' * 3_000, "x" * 1_000_000,
    '{"id": 5, "rawId": 5, "type": 5, "response": 5}',
    '{"id": "", "rawId": "", "type": "public-key", "response": {}}',
    '{"id": "AA", "rawId": "AA", "type": ["public-key"], "response": {}}',
]  # fmt: skip
PARTS = ["id", "rawId", "type", "response"]
VALUES = [None, 5, True, "", "x", "%%%", "é", [], {}, "A" * 5_000, {"toString": 1}]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_refused_in_words(site: Site, text: str) -> None:
    visitor, alan = site.client(), site.client("alan")
    page = visitor.get("/login")
    refused(site, send(visitor, LOGIN, {**fields_of(page), "credential": text}))
    answer = send(alan, NEW, {**fields_of(alan.get(NEW)), "name": "x", "credential": text})
    assert answer.status_code == 422
    assert "could not be taken for a passkey" in answer.text
    assert site.rows("passkeys") == site.rows("spent_challenges") == 0


def test_every_part_of_an_answer_may_be_of_a_wrong_type(site: Site, device: Authenticator, alans: Client) -> None:
    """Spread over addresses, so that it is not the throttle that refuses."""
    visitor = site.client()
    page = visitor.get("/login")
    whole = json.loads(device.get(options_in(page)))
    places = [(whole, part) for part in PARTS] + [(whole["response"], part) for part in whole["response"]]
    tried = 0
    for holder, part in places:
        kept = holder[part]
        for value in VALUES:
            holder[part] = value
            tried += 1
            fields = {**fields_of(page), "credential": json.dumps(whole)}
            answer = send(visitor, LOGIN, fields, environ_base={"REMOTE_ADDR": f"10.0.{tried}.1"})
            assert answer.status_code == 401, (part, value)
        holder[part] = kept
    assert not has_signed_in(visitor)
    assert send(visitor, LOGIN, {**fields_of(page), "credential": json.dumps(whole)}).status_code == 303


def test_every_part_of_a_new_passkey_may_be_of_a_wrong_type(site: Site, device: Authenticator) -> None:
    alan = site.client("alan")
    page = alan.get(NEW)
    whole = json.loads(device.create(options_in(page)))
    places = [(whole, part) for part in PARTS]
    places += [(whole["response"], part) for part in ("clientDataJSON", "attestationObject")]
    for holder, part in places:
        kept = holder[part]
        for value in VALUES:
            holder[part] = value
            answer = send(alan, NEW, {**fields_of(page), "name": "x", "credential": json.dumps(whole)})
            assert answer.status_code == 422, (part, value)
        holder[part] = kept
    assert site.rows("passkeys") == 0
    assert send(alan, NEW, {**fields_of(page), "name": "x", "credential": json.dumps(whole)}).status_code == 303


def test_a_bit_that_flips_anywhere_in_the_answer_opens_nothing(
    site: Site, device: Authenticator, alans: Client
) -> None:
    visitor = site.client()
    page = visitor.get("/login")
    whole = json.loads(device.get(options_in(page)))
    for part in ("authenticatorData", "signature", "clientDataJSON"):
        kept = whole["response"][part]
        raw = to_bytes(kept)
        for place in range(0, len(raw), 7):
            flipped = raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1 :]
            whole["response"][part] = to_text(flipped)
            fields = {**fields_of(page), "credential": json.dumps(whole)}
            answer = send(visitor, LOGIN, fields, environ_base={"REMOTE_ADDR": f"10.{len(raw)}.{place}.1"})
            assert answer.status_code == 401, (part, place)
        whole["response"][part] = kept
    assert not has_signed_in(visitor)


def test_a_refusal_that_is_reloaded_is_the_page_to_sign_in_on(site: Site) -> None:
    assert site.client().get(LOGIN).location == "/login"


def test_a_form_token_that_is_stale_tries_nothing(site: Site, device: Authenticator, alans: Client) -> None:
    answer = sign_in(site.client(), device, fields={"csrf_token": "stale"})
    assert answer.status_code == 403
    assert site.rows("signin_counters") == 0
    assert "data-options" in answer.text


# How often one may try


def test_tries_count_for_the_address_together_with_passwords(site: Site, device: Authenticator, alans: Client) -> None:
    visitor = site.client()
    fields = {**fields_of(visitor.get("/login")), "credential": "{}"}
    assert {send(visitor, LOGIN, fields).status_code for _ in range(49)} == {401}
    assert send(visitor, "/login", {**fields, "username": "nobody", "password": "wrong"}).status_code == 401
    answer = sign_in(visitor, device)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    shown = visitor.get("/login")
    elsewhere = {**fields_of(shown), "credential": device.get(options_in(shown))}
    assert send(visitor, LOGIN, elsewhere, environ_base={"REMOTE_ADDR": "203.0.113.1"}).status_code == 303


def test_a_success_takes_its_count_back_and_makes_the_place_known(
    site: Site, device: Authenticator, alans: Client
) -> None:
    assert [sign_in(site.client(), device).status_code for _ in range(60)] == [303] * 60
    assert site.rows("known_places") == 1
    wrong = {"username": "alan", "password": "wrong"}
    for _ in range(2):
        visitor = site.client()
        assert {visitor.submit("/login", **wrong).status_code for _ in range(9)} == {401}
        assert sign_in(site.client(), device).status_code == 303


def test_somebody_who_tries_a_name_does_not_keep_its_passkey_out(
    site: Site, device: Authenticator, alans: Client
) -> None:
    visitor = site.client()
    for _ in range(10):
        visitor.submit("/login", username="alan", password="wrong")
    assert visitor.submit("/login", username="alan", password=PASSWORD).status_code == 429
    assert sign_in(site.client(), device).status_code == 303


# What is refused when one is added


_ONLY_OF_ANSWERS = ("another signature", "no signature", "somebody else's handle", "an empty handle")
MADE_WRONG: dict[str, dict[str, Any]] = {
    **{what: otherwise for what, otherwise in FORGED.items() if what not in _ONLY_OF_ANSWERS},
    "the answer to another question": {"kind": "webauthn.get"},
    "an unknown attestation": {"attestation": {"fmt": "tpm"}},
    "an attestation that is a number": {"attestation": {"fmt": 5}},
    "an attestation that says too much": {"attestation": {"attStmt": {"sig": b"x"}}},
    "no key": {"cose_key": b""},
    "a key that is a list": {"cose_key": b"\x80"},
    "a key off its curve": {"cose_key": bytes.fromhex("a5010203262001215820" + "11" * 32 + "225820" + "22" * 32)},
    "a key of another algorithm": {
        "cose_key": bytes.fromhex("a501020338222001215820" + "11" * 32 + "225820" + "22" * 32)
    },
    "more than a key": {"cose_key": b"\x00" * 3_000},
}


@pytest.mark.parametrize("otherwise", MADE_WRONG.values(), ids=MADE_WRONG)
def test_what_is_not_made_right_is_not_added(site: Site, device: Authenticator, otherwise: dict[str, Any]) -> None:
    alan = site.client("alan")
    answer = add(alan, device, **otherwise)
    assert answer.status_code == 422
    assert "No passkey was added yet" in answer.text
    assert "could not be taken for a passkey" in answer.text
    assert 'value="My laptop"' in answer.text
    assert site.rows("passkeys") == site.rows("spent_challenges") == 0
    assert events(site) == []
    assert "data-options" in answer.text


def test_a_new_passkey_needs_a_challenge_that_is_good(site: Site, device: Authenticator) -> None:
    alan, elsewhere = site.client("alan"), site.client("alan")
    page = alan.get(NEW)
    made = device.create(options_in(page))
    fields = {**fields_of(page), "name": "x", "credential": made}
    for bad in ("", "x", fields_of(elsewhere.get(NEW))["challenge"]):
        assert send(alan, NEW, fields | {"challenge": bad}).status_code == 422
    assert send(elsewhere, NEW, fields | {"csrf_token": elsewhere.form_token(NEW)}).status_code == 422
    assert site.rows("passkeys") == 0
    assert send(alan, NEW, fields).status_code == 303
    assert send(alan, NEW, fields).status_code == 422
    again = device.attest(Passkey("localhost", b"x" * 32), options_in(page)["challenge"])
    replayed = send(alan, NEW, fields | {"credential": again})
    assert replayed.status_code == 422
    assert "over ten minutes" in replayed.text
    assert site.rows("passkeys") == 1


def test_a_passkey_is_added_once_whoever_tries(site: Site, device: Authenticator, alans: Client) -> None:
    for name in ("alan", "ada"):
        client = site.client(name)
        page = client.get(NEW)
        same = device.attest(device.passkeys[0], options_in(page)["challenge"])
        answer = send(client, NEW, {**fields_of(page), "name": "x", "credential": same})
        assert answer.status_code == 422
        assert "was added before" in answer.text
    assert site.rows("passkeys") == 1
    assert sign_in(site.client(), device).status_code == 303


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\x07bells", "\u202eback"])
def test_a_name_can_be_shown(site: Site, device: Authenticator, alans: Client, name: str) -> None:
    ada = site.client("ada")
    assert add(ada, Authenticator(), name).status_code == 422
    renamed = alans.submit(f"{PAGE}/{only_id(site)}/rename", page=PAGE, name=name)
    assert renamed.status_code == 422
    assert "Use 1 to 100 characters" in renamed.text
    assert rows(site, "name") == [("My laptop",)]


def test_secrets_and_markup_in_a_name_do_no_harm(site: Site) -> None:
    alan = site.client("alan")
    assert add(alan, Authenticator(), "<script>x</script> byl_" + "a" * 43).status_code == 303
    page = alan.get(PAGE).text
    assert "&lt;script&gt;x" in page
    assert "byl_aaa" not in page


def test_a_person_has_fifty_at_most(site: Site, device: Authenticator, alans: Client) -> None:
    with site.database.transaction() as db:
        for number in range(1, MOST):
            db.exec_driver_sql(
                "INSERT INTO passkeys SELECT 'p' || ?, user_id, 'c' || ?, user_handle, host, public_key, 0, '', name, "
                "created_at, NULL FROM passkeys WHERE name = 'My laptop' LIMIT 1",
                (number, number),
            )
    assert site.rows("passkeys") == MOST
    assert f"You have {MOST} passkeys" in alans.get(PAGE).text
    answer = add(alans, Authenticator())
    assert answer.status_code == 422
    assert f"at most {MOST} passkeys" in answer.text
    assert site.rows("passkeys") == MOST


def test_many_requests_at_once_with_one_challenge_make_one_passkey(site: Site, device: Authenticator) -> None:
    alan = site.client("alan")
    page = alan.get(NEW)
    made = device.create(options_in(page))
    cookie = alan.get_cookie("session")
    assert cookie is not None

    def try_it(number: int) -> int:
        tab = site.client()
        tab.set_cookie("session", cookie.value)
        return send(tab, NEW, {**fields_of(page), "name": f"No. {number}", "credential": made}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(try_it, range(8))) == [303] + [422] * 7
    assert site.rows("passkeys") == 1


# Renaming and removing, and what is somebody else's


def test_renaming_is_recorded_once_and_signs_nobody_out(site: Site, alans: Client) -> None:
    elsewhere, passkey_id = site.client("alan"), only_id(site)
    for _ in range(2):
        answer = alans.submit(f"{PAGE}/{passkey_id}/rename", page=PAGE, name="  The blue\nkey ")
        assert answer.location == f"{PAGE}?done=renamed"
    assert rows(site, "name") == [("The blue key",)]
    assert events(site) == [("passkey.added", "alan"), ("passkey.renamed", "alan")]
    assert has_signed_in(elsewhere)


def test_a_removed_passkey_opens_nothing(site: Site, device: Authenticator, alans: Client) -> None:
    answer = alans.submit(f"{PAGE}/{only_id(site)}/remove", page=PAGE)
    assert answer.location == f"{PAGE}?done=removed"
    refused(site, sign_in(site.client(), device))
    assert events(site) == [("passkey.added", "alan"), ("passkey.removed", "alan")]
    assert alans.post(f"{PAGE}/nothing/remove").status_code == 404


def test_other_people_s_passkeys_are_not_there(site: Site, alans: Client) -> None:
    passkey_id = only_id(site)
    for name in ("ada", "olive"):
        client = site.client(name)
        token = client.form_token()
        for action in ("rename", "remove"):
            answer = send(client, f"{PAGE}/{passkey_id}/{action}", {"csrf_token": token, "name": "Mine"})
            assert answer.status_code == 404
        assert "My laptop" not in client.get(PAGE).text
    assert rows(site, "name") == [("My laptop",)]


def test_forms_of_other_sites_change_nothing(site: Site, device: Authenticator, alans: Client) -> None:
    passkey_id = only_id(site)
    fields = {"name": "Theirs", "csrf_token": "stale"}
    for path in (f"{passkey_id}/rename", f"{passkey_id}/remove", "remove-password", "new"):
        assert send(alans, f"{PAGE}/{path}", fields).status_code == 403
    assert rows(site, "name") == [("My laptop",)]
    assert alans.submit("/login", page=NEW, username="alan", password=PASSWORD).status_code == 303


def test_adding_and_removing_end_the_other_sessions_and_no_token(site: Site, device: Authenticator) -> None:
    program = site.client(token=site.token("alan"))
    alan = site.client("alan")
    for change in (
        lambda: add(alan, device),
        lambda: alan.submit(f"{PAGE}/{only_id(site)}/remove", page=PAGE),
    ):
        elsewhere = site.client("alan")
        assert has_signed_in(elsewhere)
        assert change().status_code == 303
        assert not has_signed_in(elsewhere)
        assert has_signed_in(alan)
        assert program.get("/v1/posts").status_code == 200
    assert "signs out every device but this one" in alan.get(PAGE).text
    with site.database.reading() as db:
        ended = db.exec_driver_sql("SELECT payload FROM events WHERE kind = 'session.ended' ORDER BY id")
        assert [json.loads(payload)["reason"] for (payload,) in ended] == ["passkey added", "passkey removed"]


# Nothing but a passkey


@pytest.fixture
def passwordless(site: Site, device: Authenticator, alans: Client) -> Client:
    """Alan without a password."""
    assert alans.submit(f"{PAGE}/remove-password", page=PAGE).location == f"{PAGE}?done=password-removed"
    return alans


def test_a_password_is_removed_and_opens_nothing_any_more(site: Site, device: Authenticator, alans: Client) -> None:
    elsewhere = site.client("alan")
    for _ in range(2):
        assert alans.submit(f"{PAGE}/remove-password", page=PAGE).status_code == 303
    assert not has_signed_in(elsewhere)
    assert events(site, "user.password%") == [("user.password_removed", "alan")]
    assert site.client().submit("/login", username="alan", password=PASSWORD).status_code == 401
    assert site.client().submit("/login", username="alan", password="").status_code == 401
    assert sign_in(site.client(), device).status_code == 303


def test_with_the_password_goes_a_link_for_a_new_one(site: Site, device: Authenticator, alans: Client) -> None:
    with site.database.transaction() as db:
        path = make_reset_link(db, "alan", by=TESTER).path
    assert site.client().get(path).status_code == 200
    assert alans.submit(f"{PAGE}/remove-password", page=PAGE).status_code == 303
    assert site.client().get(path).status_code == 410


def test_the_last_passkey_of_somebody_without_a_password_stays(
    site: Site, device: Authenticator, passwordless: Client
) -> None:
    first = only_id(site)
    answer = passwordless.submit(f"{PAGE}/{first}/remove", page=PAGE)
    assert answer.status_code == 409
    assert "This is the last way into your account" in answer.text
    second = Authenticator()
    assert add(passwordless, second, "A key").status_code == 303
    assert passwordless.submit(f"{PAGE}/{first}/remove", page=PAGE).status_code == 303
    assert passwordless.submit(f"{PAGE}/{only_id(site)}/remove", page=PAGE).status_code == 409
    assert sign_in(site.client(), second).status_code == 303


def test_without_a_passkey_the_password_stays(site: Site) -> None:
    alan = site.client("alan")
    assert "Remove my password" not in alan.get(PAGE).text
    answer = alan.submit(f"{PAGE}/remove-password", page=NEW)
    assert answer.status_code == 409
    assert "last way into your account" in answer.text
    assert site.client().submit("/login", username="alan", password=PASSWORD).status_code == 303


def test_a_password_is_set_without_the_current_one(site: Site, device: Authenticator, passwordless: Client) -> None:
    page = passwordless.get("/account/password")
    assert "Current password" not in page.text
    assert "Set password" in page.text
    short = passwordless.submit("/account/password", new_password="short")
    assert short.status_code == 422
    assert passwordless.submit("/account/password", new_password="a fresh one, long enough").status_code == 303
    assert "Current password" in passwordless.get("/account/password").text
    assert passwordless.submit("/account/password", new_password="and another, long enough").status_code == 422
    assert site.client().submit("/login", username="alan", password="a fresh one, long enough").status_code == 303
    assert passwordless.submit(f"{PAGE}/{only_id(site)}/remove", page=PAGE).status_code == 303


def test_whoever_has_a_password_must_still_tell_it(site: Site, alans: Client) -> None:
    assert alans.submit("/account/password", new_password="a fresh one, long enough").status_code == 422


def test_a_passkey_for_another_name_is_no_way_in_here(tmp_path: Path, device: Authenticator) -> None:
    address = "https://blog.example.org"
    site = make_site(tmp_path / "instance", BYLINE_URL=address)
    alan = at(site, address, "alan")
    device.origin = address
    assert add(alan, device).status_code == 303
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE passkeys SET host = 'former.example.org'")
    page = alan.get(PAGE)
    assert "Made for former.example.org" in page.text
    assert alan.submit(f"{PAGE}/remove-password", page=PAGE).status_code == 409
    assert add(alan, device).status_code == 303
    assert alan.submit(f"{PAGE}/remove-password", page=PAGE).status_code == 303
    former, here = (passkey_id for (passkey_id,) in rows(site, "id"))
    assert alan.submit(f"{PAGE}/{here}/remove", page=PAGE).status_code == 409
    assert alan.submit(f"{PAGE}/{former}/remove", page=PAGE).status_code == 303
    assert sign_in(at(site, address), device).status_code == 303
    site.close()


# Where there are none


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("http://127.0.0.1:8000", "Open this site as http://localhost:8000 instead."),
        ("http://[::1]:8000", "Open this site as http://localhost:8000 instead."),
        ("http://192.168.1.5", "192.168.1.5 is a number. The owner of this site"),
        ("https://192.168.1.5", "192.168.1.5 is a number. The owner of this site"),
        ("http://blog.lan", "encrypted connections (https). The owner of this site"),
    ],
)
def test_an_address_that_can_have_none_says_why(site: Site, address: str, sentence: str) -> None:
    alan, visitor = at(site, address, "alan"), at(site, address)
    for page in (visitor.get("/login"), alan.get(PAGE), alan.get(NEW)):
        assert page.status_code == 200
        assert sentence in unescape(page.text)
        assert "data-options" not in page.text
        assert "<script" not in page.text
    token = find_form_token(visitor.get("/login").text)
    assert send(visitor, LOGIN, {"csrf_token": token, "credential": "{}", "challenge": "x"}).status_code == 401
    assert send(alan, NEW, {"csrf_token": alan.form_token(NEW), "name": "x", "credential": "{}"}).status_code == 422
