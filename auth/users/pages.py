"""The page of one's own profile."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from auth.users.forms import ProfileForm
from auth.users.profiles import change_profile
from auth.users.queries import find_user
from web.database import reading, transaction
from web.errors import Invalid, NotFound
from web.render import render_page

pages = Blueprint("profile", __name__)

_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not saved yet."


@pages.get("/account/profile")
@requires(Permission.USE_ACCOUNT, session_only=True)
def show_profile() -> ResponseReturnValue:
    """The form with what is there."""
    with reading() as db:
        user = find_user(db, principal().username)
    if user is None:
        raise NotFound
    notice = "Saved. Readers see it from now on." if "saved" in request.args else None
    data = {"display_name": user.display_name, "biography": user.biography, "time_zone": user.time_zone or ""}
    return _show(ProfileForm(data=data), notice=notice)


@pages.post("/account/profile")
@requires(Permission.USE_ACCOUNT, session_only=True)
def save_profile() -> ResponseReturnValue:
    """Store it."""
    form = ProfileForm(request.form)
    if refused := form.token_error():
        return _show(form, status=403, notice=refused)
    who = principal()
    try:
        with transaction() as db:
            change_profile(
                db,
                who.username,
                display_name=form.display_name.data or "",
                biography=form.biography.data or "",
                time_zone=form.time_zone.data or "",
                by=who,
            )
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show(form, status=422)
    return redirect("/account/profile?saved=1", code=303)


def reopen_profile(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form as it was sent when it could not be taken."""
    return _show(ProfileForm(fields), notice=notice)


def _show(form: ProfileForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    form.offer_time_zones()
    username = principal().username
    return render_page("auth/users/profile.html", status=status, form=form, notice=notice, username=username)
