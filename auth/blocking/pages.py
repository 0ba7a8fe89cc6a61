"""The owner's page of people."""

from collections.abc import Callable

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from auth.blocking.blocking import block, set_hidden, unblock
from auth.guards import requires
from auth.permissions import Permission, Role
from auth.principal import principal
from auth.sessions.ending import sign_out_everywhere
from auth.sessions.queries import last_seen_by_user
from auth.sessions.roles import give_role
from auth.users.links import current_links
from auth.users.queries import list_users
from auth.users.roles import find_person
from auth.users.writings import current_writings
from web.database import reading, transaction
from web.errors import Conflict, Invalid, NotFound
from web.forms import Form
from web.render import render_page

pages = Blueprint("people", __name__)


@pages.get("/admin")
@requires(Permission.ADMINISTER, session_only=True)
def people() -> ResponseReturnValue:
    """Everybody, with role and block."""
    return _page(notice="The account is deleted." if "deleted" in request.args else None)


@pages.post("/admin/people/<username>/block")
@requires(Permission.ADMINISTER, session_only=True)
def block_person(username: str) -> ResponseReturnValue:
    """Block; what they have written stays, or is hidden."""
    reason, hide = request.form.get("reason", ""), current_writings().hide if "hide_posts" in request.form else None
    links = current_links()
    return _change(username, lambda db: block(db, username, reason=reason, by=principal(), links=links, hide=hide))


@pages.post("/admin/people/<username>/unblock")
@requires(Permission.ADMINISTER, session_only=True)
def unblock_person(username: str) -> ResponseReturnValue:
    """Unblock."""
    hide = current_writings().hide
    return _change(username, lambda db: unblock(db, username, by=principal(), hide=hide))


@pages.post("/admin/people/<username>/posts")
@requires(Permission.ADMINISTER, session_only=True)
def hide_posts(username: str) -> ResponseReturnValue:
    """Hide what somebody who is blocked has written, or show it again."""
    asked, hide = request.form.get("posts"), current_writings().hide

    def change(db: Connection) -> None:
        if asked not in ("hidden", "shown"):
            raise Invalid({"posts": "Choose hidden or shown."})
        set_hidden(db, username, asked == "hidden", by=principal(), hide=hide)

    return _change(username, change)


@pages.post("/admin/people/<username>/role")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def set_role(username: str) -> ResponseReturnValue:
    """Give another role."""
    links = current_links()
    return _change(username, lambda db: give_role(db, username, _asked_role(), by=principal(), links=links))


@pages.post("/admin/people/<username>/sign-out")
@requires(Permission.ADMINISTER, session_only=True)
def sign_out_person(username: str) -> ResponseReturnValue:
    """End every session of a person, but the one that asks."""
    return _change(username, lambda db: sign_out_everywhere(db, username, by=principal()))


def _asked_role() -> Role:
    role = request.form.get("role", "")
    if role not in set(Role):
        raise Invalid({"role": "Choose reader, author, editor or owner."})
    return Role(role)


def _change(username: str, change: Callable[[Connection], None]) -> ResponseReturnValue:
    with reading() as db:
        find_person(db, username)
    if refused := Form(request.form).token_error():
        return _page(status=403, error=refused)
    try:
        with transaction() as db:
            change(db)
    except (Conflict, Invalid, NotFound) as refusal:
        return _page(status=refusal.status, error=refusal.detail)
    return redirect("/admin", code=303)


def _page(*, status: int = 200, error: str | None = None, notice: str | None = None) -> ResponseReturnValue:
    with reading() as db:
        seen = last_seen_by_user(db)
        people = [
            {
                "username": user.username,
                "display_name": user.display_name,
                "role": user.role,
                "is_blocked": user.is_blocked,
                "block_reason": user.block_reason,
                "has_hidden_posts": user.has_hidden_posts,
                "created_at": user.created_at,
                "last_seen_at": seen.get(user.id),
            }
            for user in list_users(db)
        ]
    return render_page("auth/users/people.html", status=status, people=people, notice=notice, error=error)
