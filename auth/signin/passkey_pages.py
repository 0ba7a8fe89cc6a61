"""The pages of one's own passkeys."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.passkeys.challenges import Purpose, read_challenge
from auth.passkeys.forms import PasskeyForm
from auth.passkeys.offering import offer_new
from auth.passkeys.own import LONGEST_NAME, MOST, find_own_passkey, list_own_passkeys, rename_passkey
from auth.passkeys.relying_party import NotOffered, find_relying_party
from auth.permissions import Permission
from auth.principal import principal
from auth.sessions.cookies import browser_session, form_binding
from auth.signin.devices import describe_device
from auth.signin.passkeys import add_own_passkey, remove_own_passkey, remove_own_password
from auth.users.queries import has_password
from web.database import reading, transaction
from web.errors import Conflict, Invalid
from web.forms import Form
from web.headers import allow_own_scripts
from web.render import current_site, render_page
from web.requests import own_origin
from web.signing import current_keys

pages = Blueprint("passkey_pages", __name__)

_PAGE, _NEW = "/account/passkeys", "/account/passkeys/new"
_REOPENED = "You are signed in again. No passkey was added yet."
_NOTICES = {
    "added": "Added. From now on it signs you in here.",
    "renamed": "Renamed.",
    "removed": "Removed. It opens nothing any more; your device may still list it, and you can delete it there.",
    "password-removed": "Your password is removed. From now on you sign in with a passkey.",
}


@pages.get("/account/passkeys")
@requires(Permission.USE_ACCOUNT, session_only=True)
def show_passkeys() -> ResponseReturnValue:
    """One's own passkeys."""
    return _list(notice=_NOTICES.get(request.args.get("done", "")))


@pages.get("/account/passkeys/new")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def new_passkey() -> ResponseReturnValue:
    """The form of a new one."""
    return _form(PasskeyForm(data={"name": describe_device(request.user_agent.string)}))


@pages.post("/account/passkeys/new")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def add() -> ResponseReturnValue:
    """Store what the device has made."""
    form = PasskeyForm(request.form)
    if refused := form.token_error():
        return _form(form, status=403, notice=refused)
    party = find_relying_party(own_origin())
    browser, signed = browser_session().whole_id or "", form.challenge.data or ""
    challenge = read_challenge(current_keys(), Purpose.ADD, signed, browser=browser)
    try:
        if isinstance(party, NotOffered):
            raise Invalid({"credential": party.reason})
        sent, name = form.credential.data or "", form.name.data or ""
        with transaction() as db:
            add_own_passkey(db, sent, challenge, party, name=name, by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _form(form, status=422)
    return redirect(f"{_PAGE}?done=added", code=303)


@pages.post("/account/passkeys/<passkey_id>/rename")
@requires(Permission.USE_ACCOUNT, session_only=True)
def rename(passkey_id: str) -> ResponseReturnValue:
    """Call one something else."""
    typed = request.form.get("name", "")
    with reading() as db:
        find_own_passkey(db, passkey_id, by=principal())
    if refused := Form(request.form).token_error():
        return _list(status=403, error=refused, typed={passkey_id: typed})
    try:
        with transaction() as db:
            rename_passkey(db, passkey_id, typed, by=principal())
    except Invalid as invalid:
        return _list(status=422, error=invalid.fields["name"], typed={passkey_id: typed})
    return redirect(f"{_PAGE}?done=renamed", code=303)


@pages.post("/account/passkeys/<passkey_id>/remove")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def remove(passkey_id: str) -> ResponseReturnValue:
    """Take one away, unless it is the last way in."""
    with reading() as db:
        find_own_passkey(db, passkey_id, by=principal())
    if refused := Form(request.form).token_error():
        return _list(status=403, error=refused)
    try:
        with transaction() as db:
            remove_own_passkey(db, passkey_id, host=_host(), by=principal())
    except Conflict as conflict:
        return _list(status=conflict.status, error=conflict.detail)
    return redirect(f"{_PAGE}?done=removed", code=303)


@pages.post("/account/passkeys/remove-password")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def remove_password() -> ResponseReturnValue:
    """Sign in with passkeys alone from now on."""
    if refused := Form(request.form).token_error():
        return _list(status=403, error=refused)
    try:
        with transaction() as db:
            remove_own_password(db, host=_host(), by=principal())
    except Conflict as conflict:
        return _list(status=conflict.status, error=conflict.detail)
    return redirect(f"{_PAGE}?done=password-removed", code=303)


def reopen_passkey(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form as it was sent when it could not be taken; what the device had made for it is not good any more."""
    return _form(PasskeyForm(fields), notice=notice)


def _host() -> str | None:
    party = find_relying_party(own_origin())
    return None if isinstance(party, NotOffered) else party.host


def _list(
    *, status: int = 200, notice: str | None = None, error: str | None = None, typed: dict[str, str] | None = None
) -> ResponseReturnValue:
    who, party = principal(), find_relying_party(own_origin())
    assert who.user_id is not None
    with reading() as db:
        passkeys = list_own_passkeys(db, by=who)
        has_own_password = has_password(db, who.user_id)
    return render_page(
        "auth/passkeys/passkeys.html",
        status=status,
        passkeys=passkeys,
        has_password=has_own_password,
        host=_host(),
        reason=party.reason if isinstance(party, NotOffered) else "",
        most=MOST,
        longest_name=LONGEST_NAME,
        notice=notice,
        error=error,
        typed=typed or {},
    )


def _form(form: PasskeyForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    who = principal()
    with reading() as db:
        passkeys = list_own_passkeys(db, by=who)
    offer = offer_new(
        current_keys(),
        find_relying_party(own_origin()),
        browser=form_binding(),
        by=who,
        passkeys=passkeys,
        site_name=current_site().name,
    )
    form.credential.data, form.challenge.data = "", offer.challenge
    if offer.options:
        allow_own_scripts()
    return render_page(
        "auth/passkeys/new.html", status=status, form=form, offer=offer, longest_name=LONGEST_NAME, notice=notice
    )
