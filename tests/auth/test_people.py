"""The owner's page of people, and the rule that there is always an owner."""

import pytest

from auth.permissions import Permission, Role, Scope, is_allowed
from tests.support import CAST, Site


def test_only_owners_see_it_and_never_by_token(site: Site) -> None:
    assert site.client().get("/admin").status_code == 303
    for name in ("edith", "alan", "rita"):
        assert site.client(name).get("/admin").status_code == 403
    assert site.client(token=site.token("olive", *Scope)).get("/admin").status_code == 403
    page = site.client("olive").get("/admin").text
    assert all(name in page for name in CAST)


@pytest.mark.parametrize("path", ["/account", "/account/password", "/admin", "/admin/settings"])
def test_no_token_opens_a_page_of_account_or_admin(site: Site, path: str) -> None:
    assert site.client(token=site.token("olive", *Scope)).get(path).status_code == 403


ACTIONS = ["/admin/people/ada/block", "/admin/people/ada/unblock", "/admin/people/ada/role", "/admin/settings"]


@pytest.mark.parametrize("path", ACTIONS)
def test_who_may_act(site: Site, path: str) -> None:
    data = {"role": "editor", "name": "X", "language": "en", "time_zone": "UTC", "tagline": ""}
    assert site.client().post(path, data=data).status_code == 401
    for name in ("edith", "alan", "rita"):
        assert site.client(name).post(path, data=data).status_code == 403, name
    assert site.client(token=site.token("olive", *Scope)).post(path, data=data).status_code == 403
    olive = site.client("olive")
    assert olive.post(path, data=data).status_code == 403  # no form token
    assert olive.submit(path, page="/admin", **data).status_code == 303
    assert olive.get(path).status_code == (200 if path == "/admin/settings" else 405)


def test_blocking_ends_sessions_at_once_and_unblocking_revives_none(site: Site) -> None:
    olive, ada = site.client("olive"), site.client("ada")
    token = site.token("ada")
    assert ada.get("/account").status_code == 200
    assert olive.submit("/admin/people/ada/block", page="/admin", reason="spam").status_code == 303
    assert ada.get("/account").status_code == 303
    assert site.client(token=token).get("/v1/posts").status_code == 401
    assert "spam" in olive.get("/admin").text
    assert olive.submit("/admin/people/ada/unblock", page="/admin").status_code == 303
    assert ada.get("/account").status_code == 303
    assert site.client(token=token).get("/v1/posts").status_code == 200


def test_the_text_of_somebody_blocked_meanwhile_comes_back(site: Site) -> None:
    ada = site.client("ada")
    form_token = ada.form_token()
    site.client("olive").submit("/admin/people/ada/block", page="/admin")
    fields = {"csrf_token": form_token, "title": "Mine", "body": "Precious words."}
    answer = ada.post("/new", data=fields, headers={"Accept": "text/html"})
    assert answer.status_code == 401
    assert "Precious words." in answer.text
    assert "block" not in answer.text.lower()
    assert site.rows("posts") == 0


def test_there_is_always_an_owner(site: Site) -> None:
    olive = site.client("olive")
    assert olive.submit("/admin/people/olive/block", page="/admin").status_code == 409
    assert olive.submit("/admin/people/olive/role", page="/admin", role="reader").status_code == 409
    assert olive.submit("/admin/people/edith/role", page="/admin", role="owner").status_code == 303
    assert olive.submit("/admin/people/olive/role", page="/admin", role="author").status_code == 303
    assert olive.get("/admin").status_code == 403  # from the next request on


@pytest.mark.parametrize(("path", "data", "status"), [
    ("/admin/people/nobody/block", {}, 404),
    ("/admin/people/%00/block", {}, 404),
    ("/admin/people/ada/role", {"role": "god"}, 422),
    ("/admin/people/ada/role", {}, 422),
    ("/admin/people/ada/block", {"reason": "x" * 501}, 422),
])  # fmt: skip
def test_bad_input_is_refused_in_words(site: Site, path: str, data: dict[str, str], status: int) -> None:
    answer = site.client("olive").submit(path, page="/admin", **data)
    assert answer.status_code == status
    assert site.rows("users") == len(CAST)


def test_roles_grow(site: Site) -> None:
    for lower, higher in zip(list(Role), list(Role)[1:], strict=False):
        for permission in Permission:
            if is_allowed(permission, role=lower, scopes=None):
                assert is_allowed(permission, role=higher, scopes=None), (higher, permission)


def test_no_scope_gives_more_than_the_role(site: Site) -> None:
    for permission in Permission:
        assert not is_allowed(permission, role=None, scopes=None)
        for role in Role:
            if not is_allowed(permission, role=role, scopes=None):
                assert not is_allowed(permission, role=role, scopes=frozenset(Scope))
            assert not is_allowed(permission, role=role, scopes=frozenset())
