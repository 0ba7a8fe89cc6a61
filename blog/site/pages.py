"""The owner's page of settings."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.site.changing import change_settings
from blog.site.forms import SettingsForm
from web.database import transaction
from web.errors import Forbidden, Invalid
from web.render import current_site, render_page

pages = Blueprint("site", __name__)

_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not saved yet."
_NAMES = ("name", "tagline", "language", "time_zone", "registration", "questions_a_day")


@pages.get("/admin/settings")
@requires(Permission.ADMINISTER, session_only=True)
def settings() -> ResponseReturnValue:
    """The form."""
    site = current_site()
    return _show(SettingsForm(data={name: str(getattr(site, name)) for name in _NAMES}))


@pages.post("/admin/settings")
@requires(Permission.ADMINISTER, session_only=True)
def save_settings() -> ResponseReturnValue:
    """Store them."""
    form = SettingsForm(request.form)
    if refused := form.token_error():
        return _show(form, status=403, notice=refused)
    try:
        with transaction() as db:
            change_settings(db, {name: form[name].data or "" for name in _NAMES}, by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show(form, status=422)
    return redirect("/admin/settings?saved=1", code=303)


def reopen_settings(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form, as it was sent when it could not be taken."""
    if not principal().is_owner:
        raise Forbidden
    return _show(SettingsForm(fields), notice=notice)


def _show(form: SettingsForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    form.offer_time_zones()
    saved = status == 200 and "saved" in request.args
    return render_page("blog/site/settings.html", status=status, form=form, saved=saved, notice=notice)
