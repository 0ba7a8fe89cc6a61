"""What an owner has made for others ends with them, and does not come back: invitations, links for a new password."""

import pytest

from app import LINKS
from auth.invitations.inviting import invite
from auth.permissions import Role
from auth.sessions.roles import give_role
from auth.signin.resetting import make_reset_link
from tests.auth.factors import events
from tests.auth.test_commands import byline
from tests.support import TESTER, Site

LOSSES = {"blocked": ("block", {}, "unblock", {}), "lowered": ("role", {"role": "editor"}, "role", {"role": "owner"})}


@pytest.fixture
def links(site: Site) -> list[str]:
    """Two invitations and a link for a new password, made by edith, who is an owner beside olive."""
    with site.database.transaction() as db:
        give_role(db, "edith", Role.OWNER, by=TESTER, links=LINKS)
        edith = site.principal("edith")
        made = [invite(db, role=role, days=90, uses=100, note="", by=edith).path for role in ("owner", "author")]
        return [*made, make_reset_link(db, "ada", by=edith).path]


def statuses(site: Site, paths: list[str]) -> list[int]:
    return [site.client().get(path).status_code for path in paths]


@pytest.mark.parametrize("loss", LOSSES)
def test_they_end_on_the_page_of_people_and_stay_ended(site: Site, links: list[str], loss: str) -> None:
    olive = site.client("olive")
    action, fields, back, back_fields = LOSSES[loss]
    assert statuses(site, links) == [200, 200, 200]
    assert olive.submit(f"/admin/people/edith/{action}", page="/admin", **fields).status_code == 303
    assert statuses(site, links) == [410, 410, 410]
    assert olive.submit(f"/admin/people/edith/{back}", page="/admin", **back_fields).status_code == 303
    assert site.principal("edith").role == Role.OWNER
    assert statuses(site, links) == [410, 410, 410]
    assert events(site, "invitation.withdrawn") == [("olive", "{}")] * 2


@pytest.mark.parametrize("loss", LOSSES)
def test_they_end_by_the_commands_too(site: Site, links: list[str], loss: str) -> None:
    action, fields, back, back_fields = LOSSES[loss]
    for command, more in ((action, fields), (back, back_fields)):
        done = byline(site, "user", command, "edith", *more.values())
        assert (done.returncode, done.stderr) == (0, "")
    assert statuses(site, links) == [410, 410, 410]
    assert events(site, "invitation.withdrawn") == [("(command line)", "{}")] * 2


@pytest.mark.parametrize("by_command", [False, True])
def test_a_link_for_somebody_who_is_blocked_ends_and_stays_ended(
    site: Site, links: list[str], by_command: bool
) -> None:
    olive = site.client("olive")
    for action in ("block", "unblock"):
        if by_command:
            assert byline(site, "user", action, "ada").returncode == 0
        else:
            assert olive.submit(f"/admin/people/ada/{action}", page="/admin").status_code == 303
    assert statuses(site, links) == [200, 200, 410]


def test_those_of_other_owners_and_of_who_stays_one_are_as_good_as_before(site: Site, links: list[str]) -> None:
    with site.database.transaction() as db:
        olive = site.principal("olive")
        others = [
            invite(db, role="author", days=7, uses=1, note="", by=olive).path,
            make_reset_link(db, "alan", by=olive).path,
        ]
    client = site.client("olive")
    assert client.submit("/admin/people/edith/role", page="/admin", role="owner").status_code == 303
    assert statuses(site, links) == [200, 200, 200]
    assert client.submit("/admin/people/edith/block", page="/admin").status_code == 303
    assert statuses(site, others) == [200, 200]
