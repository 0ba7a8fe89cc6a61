"""The owners' page of invitations."""

from flask import Blueprint, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.invitations.forms import InvitationForm, MailedInvitationForm
from auth.invitations.inviting import Made, invite, withdraw
from auth.invitations.letters import write_letter
from auth.invitations.queries import find_invitation, list_invitations
from auth.mailing.sending import Sent, check_recipient, send
from auth.permissions import Permission
from auth.principal import principal
from storage import clock
from web.cursors import Cursor, cursor_of_page
from web.database import current_database, reading, transaction
from web.errors import Forbidden, Invalid, NotFound
from web.forms import Form
from web.headers import allow_own_scripts
from web.paging import cut, place_asked
from web.render import absolute_url, current_site, render_page
from web.settings import Settings

pages = Blueprint("invitation_pages", __name__)

_PER_PAGE = 50
_REOPENED = "You are signed in again. This is what you had chosen; no invitation was made yet."


@pages.get("/admin/invitations")
@requires(Permission.ADMINISTER, session_only=True)
def show_invitations() -> ResponseReturnValue:
    """Those that were made, and the form of a new one."""
    return _show(_form(None), notice="Withdrawn. It lets nobody in any more." if "withdrawn" in request.args else None)


@pages.post("/admin/invitations")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def make_invitation() -> ResponseReturnValue:
    """Make one, and show its link this once."""
    form = _form(request.form)
    if refused := form.token_error():
        return _show(form, status=403, notice=refused)
    faults, to = dict[str, str](), None
    try:
        to = check_recipient(_recipient(form))
    except Invalid as invalid:
        faults = invalid.fields
    try:
        with transaction() as db:
            made = invite(
                db,
                role=form.role.data or "",
                days=form.asked_days(),
                uses=form.asked_uses(),
                note=form.note.data or "",
                parse_faults=faults,
                by=principal(),
            )
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show(form, status=422)
    sent = None
    if to is not None:
        letter = write_letter(made, to=to, site=current_site(), link=absolute_url(made.path))
        sent = send(current_database(), _settings(), letter, about=made.subject, by=principal())
    return _show(_form(None), made=made, sent=sent)


@pages.post("/admin/invitations/<invitation_id>/withdraw")
@requires(Permission.ADMINISTER, session_only=True)
def withdraw_invitation(invitation_id: str) -> ResponseReturnValue:
    """Let one be good no more."""
    with reading() as db:
        if find_invitation(db, invitation_id=invitation_id) is None:
            raise NotFound("There is no invitation of that id.")
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    with transaction() as db:
        withdraw(db, invitation_id, by=principal())
    return redirect("/admin/invitations?withdrawn=1", code=303)


def reopen_invitation(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form, as it was sent when it could not be taken."""
    if not principal().is_owner:
        raise Forbidden
    return _show(_form(fields), notice=notice)


def _form(fields: MultiDict[str, str] | None) -> InvitationForm:
    return InvitationForm(fields) if _settings().mail_server is None else MailedInvitationForm(fields)


def _recipient(form: InvitationForm) -> str | None:
    return form.send_to.data if isinstance(form, MailedInvitationForm) else None


def _settings() -> Settings:
    settings = current_app.extensions["settings"]
    assert isinstance(settings, Settings)
    return settings


def _show(
    form: InvitationForm,
    *,
    status: int = 200,
    notice: str | None = None,
    made: Made | None = None,
    sent: Sent | None = None,
) -> ResponseReturnValue:
    after = place_asked()
    with reading() as db:
        invitations = list_invitations(db, limit=_PER_PAGE + 1, before=cursor_of_page(after))
    shown, last = cut(invitations, _PER_PAGE)
    if made is not None:
        allow_own_scripts()
    return render_page(
        "auth/invitations/invitations.html",
        status=status,
        form=form,
        invitations=shown,
        now=clock.now(),
        made=made,
        link="" if made is None else absolute_url(made.path),
        sent=sent,
        notice=notice,
        more_after=None if last is None else Cursor(last.created_at, last.id),
        is_first_page=after is None,
    )
