"""The pages of a link for a new password: an owner makes it, and whoever has it uses it."""

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import public, requires
from auth.mailing.sending import Letter, Sent, check_recipient, send
from auth.permissions import Permission
from auth.principal import principal
from auth.signin.forms import MailedResetLinkForm, ResetForm, ResetLinkForm
from auth.signin.resetting import LIFETIME, MadeLink, find_reset_link, make_reset_link, reset_password
from auth.users.events import about
from auth.users.model import User
from auth.users.registering import prepare_password
from auth.users.roles import find_person
from storage import clock
from web.caching import mark_private
from web.database import current_database, reading, transaction
from web.errors import Conflict, Forbidden, Invalid
from web.headers import allow_own_scripts
from web.render import absolute_url, current_site, render_page
from web.settings import Settings
from web.signing import current_keys

pages = Blueprint("reset_pages", __name__)

_REOPENED = "You are signed in again. No link was made yet."


@pages.get("/admin/people/<username>/reset")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def ask_for_link(username: str) -> ResponseReturnValue:
    """What such a link does, and the button."""
    return _show_owner(_find(username), _link_form(None))


@pages.post("/admin/people/<username>/reset")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def make_link(username: str) -> ResponseReturnValue:
    """Make the link, and show it this once."""
    person, form = _find(username), _link_form(request.form)
    if refused := form.token_error():
        return _show_owner(person, form, status=403, notice=refused)
    try:
        to = check_recipient(form.send_to.data if isinstance(form, MailedResetLinkForm) else None)
        with transaction() as db:
            made = make_reset_link(db, person.username, by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show_owner(person, form, status=422)
    except Conflict as conflict:
        return _show_owner(person, form, status=conflict.status, notice=conflict.detail)
    sent = None
    if to is not None:
        letter = _write_letter(made, to)
        sent = send(current_database(), _settings(), letter, about=about(made.username), by=principal())
    return _show_owner(person, form, made=made, sent=sent)


@pages.get("/reset/<token>")
@public
def reset_page(token: str) -> ResponseReturnValue:
    """The form for the new password."""
    username = _username_behind(token)
    return _show_person(ResetForm(), token, username)


@pages.post("/reset/<token>")
@public
def reset(token: str) -> ResponseReturnValue:
    """Set it; whoever did then signs in."""
    username = _username_behind(token)
    form = ResetForm(request.form)
    if refused := form.token_error():
        return _show_person(form, token, username, status=403, notice=refused)
    try:
        password_hash = prepare_password(form.password.data or "", words=(username, current_site().name))
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show_person(form, token, username, status=422)
    with transaction() as db:
        reset_password(db, current_keys(), token, password_hash=password_hash)
    return redirect(url_for("signin.sign_in_page", reset=1), code=303)


def reopen_reset_link(fields: MultiDict[str, str], username: str, *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form, as it was sent when it could not be taken."""
    if not principal().is_owner:
        raise Forbidden
    return _show_owner(_find(username), _link_form(fields), notice=notice)


def _username_behind(token: str) -> str:
    # Also that it is over may be known to nobody but whoever has the link.
    mark_private()
    with reading() as db:
        return find_reset_link(db, token).username


def _find(username: str) -> User:
    with reading() as db:
        return find_person(db, username)


def _link_form(fields: MultiDict[str, str] | None) -> ResetLinkForm:
    return ResetLinkForm(fields) if _settings().mail_server is None else MailedResetLinkForm(fields)


def _settings() -> Settings:
    settings = current_app.extensions["settings"]
    assert isinstance(settings, Settings)
    return settings


def _write_letter(made: MadeLink, to: str) -> Letter:
    site = current_site()
    until = clock.to_datetime(made.expires_at).astimezone(site.zone)
    text = (
        f"An owner of {site.name} made this link for {made.username}, to set a new password:\n\n"
        f"{absolute_url(made.path)}\n\n"
        f"It works once, until {until:%Y-%m-%d %H:%M} ({site.time_zone}). If you did not ask for it, leave it alone:\n"
        "nothing changes until somebody uses it. Do not pass it on.\n"
    )
    return Letter(to, f"A new password for {site.name}", text)


def _show_owner(
    person: User,
    form: ResetLinkForm,
    *,
    status: int = 200,
    notice: str | None = None,
    made: MadeLink | None = None,
    sent: Sent | None = None,
) -> Response:
    if made is not None:
        allow_own_scripts()
    return render_page(
        "auth/signin/reset_link.html",
        status=status,
        person=person,
        form=form,
        made=made,
        link="" if made is None else absolute_url(made.path),
        sent=sent,
        hours=LIFETIME // clock.HOUR,
        notice=notice,
    )


def _show_person(
    form: ResetForm, token: str, username: str, *, status: int = 200, notice: str | None = None
) -> Response:
    return render_page(
        "auth/signin/reset.html",
        status=status,
        form=form,
        token=token,
        username=username,
        notice=notice,
        canonical_url=None,
    )
