"""The pages on which an account is deleted: one's own, and by an owner anybody's."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.leaving.forms import LeaveForm
from auth.leaving.leaving import heirs_of, leave
from auth.permissions import Permission
from auth.principal import principal
from auth.rechecking import become_nobody
from auth.users.model import User
from auth.users.queries import find_user
from auth.users.roles import find_person
from auth.users.writings import current_writings
from web.database import reading, transaction
from web.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from web.render import render_page
from web.signing import current_keys

pages = Blueprint("leaving", __name__)

_KIND = "leaving"
_PROVEN_SECONDS = 86_400

_REOPENED = "You are signed in again. Nothing was deleted yet."


@pages.before_request
def answer_again() -> ResponseReturnValue | None:
    """Whoever sends the form twice, as by a double click, is told the second time what the first has done."""
    is_sent = request.endpoint == "leaving.delete_own" and request.method == "POST"
    return None if not is_sent or principal().is_authenticated else _say_deleted()


@pages.get("/account/delete")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def ask_own() -> ResponseReturnValue:
    """What happens when one deletes one's own account."""
    return _show(principal().username, LeaveForm())


@pages.post("/account/delete")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def delete_own() -> ResponseReturnValue:
    """Delete it. Whoever asked is nobody already when the answer is made."""
    username = principal().username
    try:
        if refused := _delete(username, LeaveForm(request.form)):
            return refused
    except (Unauthenticated, NotFound):
        become_nobody()
        if said := _say_deleted():
            return said
        raise
    become_nobody()
    return _show_deleted(username)


@pages.get("/admin/people/<username>/delete")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def ask_other(username: str) -> ResponseReturnValue:
    """What happens when an owner deletes somebody's account."""
    if _is_own(username):
        return redirect("/account/delete", code=303)
    return _show(username, LeaveForm())


@pages.post("/admin/people/<username>/delete")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def delete_other(username: str) -> ResponseReturnValue:
    """Delete it."""
    if _is_own(username):
        return redirect("/account/delete", code=303)
    return _delete(username, LeaveForm(request.form)) or redirect("/admin?deleted=1", code=303)


def reopen_own(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form as it was sent when it could not be taken."""
    return _show(principal().username, LeaveForm(fields), notice=notice)


def reopen_other(fields: MultiDict[str, str], *, username: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The same of somebody else's account."""
    if not principal().is_owner:
        raise Forbidden
    return _show(username, LeaveForm(fields), notice=notice)


def _delete(username: str, form: LeaveForm) -> ResponseReturnValue | None:
    """None when it is done; the page again when it is refused."""
    person, has_written, _heirs = _look(username)
    if refused := form.token_error():
        return _show(username, form, status=403, notice=refused)
    try:
        to = form.asked_heir(person.username, has_written=has_written)
        with transaction() as db:
            leave(db, person.username, to=to, by=principal(), writings=current_writings())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show(username, form, status=422)
    except Conflict as conflict:
        return _show(username, form, status=409, notice=conflict.detail)
    return None


def _say_deleted() -> ResponseReturnValue | None:
    """None unless the form was shown to somebody whose account is deleted by now."""
    read = current_keys().read(_KIND, request.form.get("proof", ""), max_age_seconds=_PROVEN_SECONDS)
    if read is None:
        return None
    with reading() as db:
        user = find_user(db, read[0])
    return None if user is None or user.deleted_at is None else _show_deleted(user.username)


def _show_deleted(username: str) -> ResponseReturnValue:
    return render_page("auth/leaving/left.html", username=username, canonical_url=None)


def _is_own(username: str) -> bool:
    with reading() as db:
        return find_person(db, username).id == principal().user_id


def _show(username: str, form: LeaveForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    person, has_written, heirs = _look(username)
    is_own = person.id == principal().user_id
    form.offer(heirs)
    form.proof.data = current_keys().sign(_KIND, person.username) if is_own else ""
    return render_page(
        "auth/leaving/leaving.html",
        status=status,
        form=form,
        notice=notice,
        person=person,
        is_own=is_own,
        has_written=has_written,
        has_heirs=bool(heirs),
        canonical_url=None,
    )


def _look(username: str) -> tuple[User, bool, list[str]]:
    """Who it is, whether they may have written something, and whom it may be given to."""
    with reading() as db:
        person = find_person(db, username)
        heirs = heirs_of(db, person, by=principal())
        has_written = current_writings().has_any(db, person.id)
    return person, has_written, heirs
