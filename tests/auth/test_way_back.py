"""Where signing in leads when it was asked for in the middle of something: to the page of it."""

import re

import pytest

from tests.support import PASSWORD, Site, find_form_token


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/posts/a-post/revisions/1/restore", "/posts/a-post/revisions/1"),
        ("/posts/a-post/publish", "/posts/a-post"),
        ("/posts/a-post/delete", "/posts/a-post/delete"),
        ("/account/series/6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01/delete",
         "/account/series/6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01"),
    ],
)  # fmt: skip
def test_a_button_pressed_signed_out_leads_back_to_its_page(site: Site, path: str, page: str) -> None:
    site.post()
    visitor = site.client()
    answer = visitor.post(path, data={"version": "1"}, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    for password, status in (("wrong", 401), (PASSWORD, 303)):
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
        fields |= {"username": "alan", "password": password, "csrf_token": find_form_token(answer.text)}
        fields.setdefault("next", re.findall(r'name="next"[^>]*value="([^"]*)"', answer.text)[0])
        answer = visitor.post("/login", data=fields)
        assert answer.status_code == status
    assert answer.headers["Location"] == page
    assert site.rows("revisions") == 1
