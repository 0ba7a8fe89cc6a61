"""The page of one's own export."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from auth.sessions.exporting import export_own_events, levels_for
from auth.sessions.forms import ExportForm
from eventlog.log.exporting import Level
from web.database import current_database
from web.errors import Invalid
from web.render import current_site, render_page

pages = Blueprint("own_sessions", __name__)


@pages.get("/account/export")
@requires(Permission.USE_ACCOUNT, session_only=True)
def export_page() -> ResponseReturnValue:
    """What the file will hold, and the form."""
    return _page(ExportForm(data={"level": Level.STANDARD.value}))


@pages.post("/account/export")
@requires(Permission.USE_ACCOUNT, session_only=True)
def export() -> ResponseReturnValue:
    """The file."""
    form, who = ExportForm(request.form), principal()
    if refused := form.token_error():
        return _page(form, status=403, notice=refused)
    try:
        pieces = export_own_events(current_database(), form.level.data or "", profile=current_site().name, by=who)
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _page(form, status=422)
    response = Response(pieces, mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="byline-{who.username}.zip"'
    return response


def _page(form: ExportForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    form.offer(levels_for(principal()))
    return render_page("auth/sessions/export.html", status=status, form=form, notice=notice)
