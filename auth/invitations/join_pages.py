"""The public pages on which somebody new makes an account."""

from collections.abc import Callable

import sqlalchemy as sa
from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.invitations.forms import JoinForm
from auth.invitations.joining import (
    Newcomer,
    check_newcomer,
    check_openness,
    find_open_invitation,
    join,
    register_oneself,
)
from auth.invitations.model import Invitation
from auth.invitations.words import MAY
from auth.permissions import Role
from auth.principal import principal
from auth.users.passwords import hash_password
from web.caching import mark_private
from web.database import reading, transaction
from web.errors import Invalid, TooMany
from web.render import current_site, render_page
from web.signing import Keys, current_keys

# Counts one of the accounts that are made from an address; raises TooMany.
CountRegistration = Callable[[sa.Connection, Keys, str], None]


def make_pages(count_registration: CountRegistration) -> Blueprint:
    """The pages; the limit is kept where that of sign-ins is."""
    pages = Blueprint("join_pages", __name__)

    @pages.get("/join/<token>")
    @public
    def join_page(token: str) -> ResponseReturnValue:
        """The form that an invitation opens."""
        invitation = _find(token)
        return _already_here() or _show(JoinForm(), f"/join/{token}", invitation.role, invitation)

    @pages.post("/join/<token>")
    @public
    def join_by_invitation(token: str) -> ResponseReturnValue:
        """Make the account, and take one use of the invitation."""
        invitation = _find(token)
        if refused := _already_here(status=409):
            return refused
        form, address = JoinForm(request.form), f"/join/{token}"
        if refused_token := form.token_error():
            return _show(form, address, invitation.role, invitation, status=403, notice=refused_token)
        try:
            newcomer = _prepare(form)
            with transaction() as db:
                join(db, token, newcomer)
        except Invalid as invalid:
            form.show_faults(invalid.fields)
            return _show(form, address, invitation.role, invitation, status=422)
        return redirect(url_for("signin.sign_in_page", joined=1), code=303)

    @pages.get("/join")
    @public
    def registration_page() -> ResponseReturnValue:
        """The form for everybody, where the site is open."""
        _check_openness()
        return _already_here() or _show(JoinForm(), "/join", Role.READER)

    @pages.post("/join")
    @public
    def register_by_form() -> ResponseReturnValue:
        """Make the account of a reader."""
        _check_openness()
        if refused := _already_here(status=409):
            return refused
        form = JoinForm(request.form)
        if refused_token := form.token_error():
            return _show(form, "/join", Role.READER, status=403, notice=refused_token)
        try:
            newcomer = _prepare(form, _count)
            with transaction() as db:
                register_oneself(db, newcomer)
        except Invalid as invalid:
            form.show_faults(invalid.fields)
            return _show(form, "/join", Role.READER, status=422)
        except TooMany as refusal:
            response = _show(form, "/join", Role.READER, status=refusal.status, notice=refusal.detail)
            response.headers["Retry-After"] = str(refusal.retry_after_seconds)
            return response
        return redirect(url_for("signin.sign_in_page", joined=1), code=303)

    def _count() -> None:
        with transaction() as db:
            count_registration(db, current_keys(), request.remote_addr or "")

    return pages


def _find(token: str) -> Invitation:
    # Also that it is over may be known to nobody but whoever has the link.
    mark_private()
    with reading() as db:
        return find_open_invitation(db, token)


def _check_openness() -> None:
    with reading() as db:
        check_openness(db)


def _prepare(form: JoinForm, count: Callable[[], None] | None = None) -> Newcomer:
    """What was typed, with the password hashed, which is not done more often than `count` allows. Raises Invalid."""
    username, display_name, password = (form[name].data or "" for name in ("username", "display_name", "password"))
    site_name = current_site().name
    check_newcomer(username=username, display_name=display_name, password=password, site_name=site_name)
    if count is not None:
        count()
    return Newcomer(username, display_name, hash_password(password))


def _already_here(*, status: int = 200) -> Response | None:
    return render_page("auth/invitations/already.html", status=status) if principal().is_authenticated else None


def _show(
    form: JoinForm,
    action: str,
    role: Role,
    invitation: Invitation | None = None,
    *,
    status: int = 200,
    notice: str | None = None,
) -> Response:
    return render_page(
        "auth/invitations/join.html",
        status=status,
        form=form,
        action=action,
        role=role,
        may=MAY[role],
        invitation=invitation,
        notice=notice,
        canonical_url=None,
    )
