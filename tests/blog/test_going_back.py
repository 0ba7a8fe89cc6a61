"""A browser that goes back gives an older text to a newer page: whatever happens before the save, it is about the older."""

from collections.abc import Callable

import pytest
from lxml import html
from werkzeug.test import TestResponse

from tests.support import PASSWORD, Client, Site, find_form_token

THEIRS, MINE = "What the other device saved.", "What I typed before I left."


def _fields(answer: TestResponse) -> dict[str, str]:
    """What a browser would send of the page's only long form, if its button "Save" were pressed."""
    (form,) = [form for form in html.fromstring(answer.text).forms if "body" in form.fields]
    return {name: value for name, value in form.form_values() if name != "action"}


def _preview(alan: Client, fields: dict[str, str]) -> TestResponse:
    return alan.post("/posts/words/edit", data=fields | {"action": "preview"})


def _twice_a_preview(alan: Client, fields: dict[str, str]) -> TestResponse:
    return _preview(alan, _fields(_preview(alan, fields)))


def _with_an_old_token(alan: Client, fields: dict[str, str]) -> TestResponse:
    answer = alan.post("/posts/words/edit", data=fields | {"csrf_token": "old"})
    assert answer.status_code == 403
    return answer


def _with_a_fault(alan: Client, fields: dict[str, str]) -> TestResponse:
    answer = _preview(alan, fields | {"title": ""})
    assert answer.status_code == 422
    return _preview(alan, _fields(answer) | {"title": "Words"})


def _signed_out(alan: Client, fields: dict[str, str]) -> TestResponse:
    alan.delete_cookie(alan.site.app.extensions["session_cookie_name"])
    asked = alan.post("/posts/words/edit", data=fields)
    assert asked.status_code == 401
    (form,) = [form for form in html.fromstring(asked.text).forms if "password" in form.fields]
    sent = dict(form.form_values()) | {"username": "alan", "password": PASSWORD}
    return alan.post("/login", data=sent)


@pytest.mark.parametrize("between", [_preview, _twice_a_preview, _with_an_old_token, _with_a_fault, _signed_out])
def test_the_older_text_meets_the_newer_one_instead_of_replacing_it(
    site: Site, between: Callable[[Client, dict[str, str]], TestResponse]
) -> None:
    site.post("alan", title="Words", body="As it began.")
    alan = site.client("alan")
    alan.submit("/posts/words/edit", version="1", body=THEIRS)
    # Going back: the newer page, with the text and the choice in the list that the browser remembers.
    restored = _fields(alan.get("/posts/words/edit")) | {"body": MINE, "seen": "1"}
    assert restored["version"] == "2"
    answer = between(alan, restored)
    assert MINE in answer.text
    saved = alan.post("/posts/words/edit", data=_fields(answer))
    assert saved.status_code == 409
    assert MINE in saved.text
    assert THEIRS in saved.text
    assert THEIRS in site.client().get("/posts/words").text
    # Both were seen: now it may be saved.
    assert alan.post("/posts/words/edit", data=_fields(saved)).status_code == 303
    assert MINE in site.client().get("/posts/words").text


def test_a_token_is_still_what_it_was(site: Site) -> None:
    """What the helpers above send is what a browser sends."""
    site.post("alan", title="Words")
    page = site.client("alan").get("/posts/words/edit")
    assert _fields(page)["csrf_token"] == find_form_token(page.text)
    assert _fields(page)["seen"] == _fields(page)["version"] == "1"
