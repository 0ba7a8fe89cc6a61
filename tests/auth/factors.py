"""Somebody with an app that makes codes, and with recovery codes on paper."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pyotp
from werkzeug.test import TestResponse

from auth.factors import queries
from auth.factors.model import Totp
from auth.factors.recovery_codes import digest_of, make_codes
from storage import clock
from tests.support import PASSWORD, Client, Site

STEP = 30 * clock.SECOND
PAGE = "/account/second-factor"


@dataclass(frozen=True)
class App:
    """The app of one person."""

    secret: str

    def code(self, steps: int = 0) -> str:
        """The code that it shows now, or so many steps later."""
        return pyotp.TOTP(self.secret).generate_otp(clock.now() // STEP + steps)


def give_app(site: Site, name: str = "alan") -> App:
    """From now on the person is asked for codes."""
    secret, user_id = pyotp.random_base32(), site.principal(name).user_id
    assert user_id is not None
    with site.database.transaction() as db:
        queries.insert_totp(db, Totp(user_id, secret, -1, clock.now()))
    return App(secret)


def give_codes(site: Site, name: str = "alan") -> list[str]:
    """Ten recovery codes."""
    codes, user_id = make_codes(), site.principal(name).user_id
    assert user_id is not None
    with site.database.transaction() as db:
        queries.replace_recovery_codes(db, user_id, map(digest_of, codes), at=clock.now())
    return codes


def hidden_fields(page: TestResponse, action: str) -> dict[str, list[str]]:
    """What the form for that address carries unseen, as a browser would send it back."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)
    assert form is not None, f"no form for {action}"
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r'<input[^>]*type="hidden"[^>]*>', form[0]):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        assert name is not None
        fields.setdefault(unescape(name[1]), []).append(unescape(value[1]) if value is not None else "")
    return fields


def send(client: Client, page: TestResponse, action: str, **fields: Any) -> TestResponse:
    """Fill in the form of a page and send it."""
    data = hidden_fields(page, action) | fields
    return client.post(action, data=data, content_type="multipart/form-data", headers={"Accept": "text/html"})


def first_step(client: Client, name: str = "alan", password: str = PASSWORD, path: str = "/login") -> TestResponse:
    """The answer to name and password."""
    return send(client, client.get(path), "/login", username=name, password=password)


def second_step(client: Client, page: TestResponse, code: str, **fields: Any) -> TestResponse:
    """The answer to a code."""
    return send(client, page, "/login/code", code=code, **fields)


def events(site: Site, kind: str) -> list[tuple[str, str]]:
    """Actor and payload of the events of a kind."""
    with site.database.reading() as db:
        rows = db.exec_driver_sql("SELECT actor, payload FROM events WHERE kind LIKE ? ORDER BY id", (kind,))
        return [(row[0], row[1]) for row in rows]
