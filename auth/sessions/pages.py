"""The pages of one's own devices and of one's own export."""

import re
from contextlib import suppress

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from auth.sessions.cookies import forget_session
from auth.sessions.exporting import export_own_events, levels_for
from auth.sessions.forms import ExportForm
from auth.sessions.newcomers import dismiss_newcomer
from auth.sessions.own import end_other_sessions, end_own_session, find_own_session, list_devices
from auth.sessions.queries import Place
from auth.sessions.watching import while_allowed
from eventlog.log.exporting import Level
from storage.errors import Busy, Full
from web.database import current_database, reading, transaction
from web.errors import Invalid, NotFound
from web.forms import Form
from web.paging import cut
from web.render import current_site, render_page

pages = Blueprint("own_sessions", __name__)

_PER_PAGE = 50
_PLACE = re.compile(r"([01])~([0-9]{1,18})~([0-9]{1,18}\.[0-9]{1,18})", re.ASCII)


@pages.get("/account/devices")
@requires(Permission.USE_ACCOUNT, session_only=True)
def devices() -> ResponseReturnValue:
    """Where one is signed in, and where one was."""
    before, who = _place(), principal()
    if who.newcomer is not None and request.method == "GET":
        # Before the list is read, so that whoever signs in meanwhile is in the list or still news.
        with suppress(Busy, Full), current_database().transaction(wait_seconds=0) as db:
            dismiss_newcomer(db, by=who)
    return _devices(before=before, ended=_ended())


@pages.post("/account/devices/<session_id>/end")
@requires(Permission.USE_ACCOUNT, session_only=True)
def end_device(session_id: str) -> ResponseReturnValue:
    """Sign one out; the one that asks too."""
    with reading() as db:
        find_own_session(db, session_id, by=principal())
    if refused := Form(request.form).token_error():
        return _devices(status=403, error=refused)
    with transaction() as db:
        end_own_session(db, session_id, by=principal())
    if session_id == principal().session_id:
        forget_session()
        return redirect("/", code=303)
    return redirect("/account/devices?ended=1", code=303)


@pages.post("/account/devices/end-others")
@requires(Permission.USE_ACCOUNT, session_only=True)
def end_other_devices() -> ResponseReturnValue:
    """Sign all others out."""
    if refused := Form(request.form).token_error():
        return _devices(status=403, error=refused)
    with transaction() as db:
        ended = end_other_sessions(db, by=principal())
    return redirect(f"/account/devices?ended={ended}", code=303)


@pages.get("/account/export")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def export_page() -> ResponseReturnValue:
    """What the file will hold, and the form."""
    return _export(ExportForm(data={"level": Level.STANDARD.value}))


@pages.post("/account/export")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def export() -> ResponseReturnValue:
    """The file."""
    form, who = ExportForm(request.form), principal()
    if refused := form.token_error():
        return _export(form, status=403, notice=refused)
    try:
        pieces = export_own_events(current_database(), form.level.data or "", profile=current_site().name, by=who)
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _export(form, status=422)
    response = Response(while_allowed(pieces, Permission.USE_ACCOUNT), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="byline-{who.username}.zip"'
    return response


def _place() -> Place | None:
    text = request.args.get("before")
    if text is None:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise NotFound("This is not a page of this list.")
    return Place(int(found[2]), found[3], is_live=found[1] == "1")


def _ended() -> int | None:
    text = request.args.get("ended", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else None


def _devices(
    *, status: int = 200, before: Place | None = None, ended: int | None = None, error: str | None = None
) -> ResponseReturnValue:
    with reading() as db:
        listed = list_devices(db, by=principal(), limit=_PER_PAGE + 1, before=before)
    shown, last = cut(listed, _PER_PAGE)
    return render_page(
        "auth/sessions/devices.html",
        status=status,
        devices=shown,
        more=None if last is None else f"{int(last.is_live)}~{last.last_seen_at}~{last.id}",
        is_first_page=before is None,
        ended=ended,
        error=error,
    )


def _export(form: ExportForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    form.offer(levels_for(principal()))
    return render_page("auth/sessions/export.html", status=status, form=form, notice=notice)
