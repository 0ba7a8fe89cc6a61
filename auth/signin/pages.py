"""The pages of signing in and out."""

from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from auth.guards import NOT_FRESH, public, requires
from auth.passkeys.challenges import Purpose, read_challenge
from auth.passkeys.relying_party import NotOffered, find_relying_party
from auth.permissions import Permission
from auth.principal import principal
from auth.sessions.cookies import browser_session, forget_session, form_binding, session_store
from auth.signin import recovery_pages, second_step_pages, setup
from auth.signin.answers import become, empty_form, show_sign_in, visit, with_challenge
from auth.signin.forms import PasswordForm, SetupForm, SignInForm
from auth.signin.passkeys import sign_in_with_passkey
from auth.signin.reopening import fields_to_carry, page_behind, reopen_carried_form
from auth.signin.second_step_pages import ask_for_code
from auth.signin.signing_in import CodeAsked, change_password, sign_in
from auth.signin.signing_in import sign_out as end_own_session
from auth.users.queries import has_password
from auth.users.registering import prepare_password
from storage import clock
from web.database import current_database, reading, transaction
from web.error_pages import answer_refusal
from web.errors import Forbidden, Invalid, TooMany, Unauthenticated
from web.forms import Form
from web.negotiation import wants_json
from web.redirects import safe_next
from web.render import render_page
from web.requests import own_origin
from web.signing import current_keys

pages = Blueprint("signin", __name__)
for steps in (second_step_pages.pages, recovery_pages.pages):
    pages.register_blueprint(steps)

_ONCE_MORE = "Nothing was changed yet: you get back to the page that you come from, and press the button once more."
_KEPT = "You were signed out. Sign in to go on: what you wrote is kept below and travels along."

_DONE = {
    "joined": "Your account is made. Sign in.",
    "reset": "Your password is set. Sign in with it.",
}
_MEANWHILE = "Until then this browser is signed in as {name}."


@pages.get("/login")
@public
def sign_in_page() -> ResponseReturnValue:
    """The form."""
    who, following = principal(), request.args.get("next")
    if done := next((text for name, text in _DONE.items() if name in request.args), None):
        # Whoever is signed in here is told as well, and is not taken for the person who signs in next.
        meanwhile = [_MEANWHILE.format(name=who.username)] if who.has_session else []
        return show_sign_in(SignInForm(), notice=" ".join([done, *meanwhile]))
    must_sign_in_anew = "again" in request.args and not who.is_fresh(clock.now())
    if who.has_session and not must_sign_in_anew:
        return redirect(safe_next(following), code=303)
    return show_sign_in(empty_form(following), notice=NOT_FRESH if who.has_session else None)


@pages.post("/login")
@public
def check() -> ResponseReturnValue:
    """Begin a session, and open again what was being written."""
    form = SignInForm(request.form)
    # Also the page that asks again must not pass on an address that leads away.
    form.next.data = safe_next(form.next.data, default="")
    if refused := form.token_error():
        return show_sign_in(form, status=403, notice=refused)
    try:
        signed_in = sign_in(
            current_database(),
            session_store(),
            current_keys(),
            username=form.username.data or "",
            password=form.password.data or "",
            visit=visit(is_remembered=bool(form.remember.data)),
            binding=form_binding(),
        )
    except (Unauthenticated, TooMany) as refusal:
        return _refused(form, refusal)
    if isinstance(signed_in, CodeAsked):
        return ask_for_code(signed_in, form)
    become(signed_in, is_remembered=bool(form.remember.data))
    return reopen_carried_form() or redirect(safe_next(form.next.data), code=303)


@pages.get("/login/passkey")
@public
def passkey_page() -> ResponseReturnValue:
    """For whoever reloads a refusal: there is one form for all ways in."""
    return redirect(url_for("signin.sign_in_page"), code=303)


@pages.post("/login/passkey")
@public
def check_passkey() -> ResponseReturnValue:
    """The same, by what a device has answered to the challenge that the page carried."""
    form = SignInForm(request.form)
    if refused := form.token_error():
        return show_sign_in(form, status=403, notice=refused)
    party, signed = find_relying_party(own_origin()), request.form.get("challenge", "")
    browser = browser_session().whole_id or ""
    try:
        signed_in = sign_in_with_passkey(
            current_database(),
            session_store(),
            current_keys(),
            sent=request.form.get("credential", ""),
            challenge=read_challenge(current_keys(), Purpose.SIGN_IN, signed, browser=browser),
            party=None if isinstance(party, NotOffered) else party,
            visit=visit(is_remembered=bool(form.remember.data)),
        )
    except (Unauthenticated, TooMany) as refusal:
        return _refused(form, refusal)
    become(signed_in, is_remembered=bool(form.remember.data))
    return reopen_carried_form() or redirect(safe_next(form.next.data), code=303)


@pages.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    """End the session, here and for good. Where nobody is signed in, there is nothing to end."""
    browser = browser_session()
    if principal().has_session and browser.whole_id is not None:
        if refused := Form(request.form).token_error():
            raise Forbidden(refused)
        with transaction() as db:
            end_own_session(db, session_store(), browser.whole_id, by=principal())
        forget_session()
    return redirect("/", code=303)


@pages.get("/setup/<token>")
@public
def setup_page(token: str) -> ResponseReturnValue:
    """The form for the first owner."""
    with reading() as db:
        setup.check_link(db, token)
    return _setup_form(SetupForm(), token)


@pages.post("/setup/<token>")
@public
def set_up(token: str) -> ResponseReturnValue:
    """Make the first owner, who then signs in."""
    with reading() as db:
        setup.check_link(db, token)
    form = SetupForm(request.form)
    if refused := form.token_error():
        return _setup_form(form, token, status=403, notice=refused)
    try:
        words = (form.username.data or "", form.display_name.data or "", form.site_name.data or "")
        password_hash = prepare_password(form.password.data or "", words=words)
        with transaction() as db:
            setup.set_up(
                db,
                token,
                site_name=form.site_name.data or "",
                username=form.username.data or "",
                display_name=form.display_name.data or "",
                password_hash=password_hash,
                settings=current_app.extensions["settings"],
            )
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _setup_form(form, token, status=422)
    return redirect(url_for("signin.sign_in_page", joined=1), code=303)


@pages.get("/account/password")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def password_page() -> ResponseReturnValue:
    """The form for one's own password."""
    return _password_form(PasswordForm(), changed="changed" in request.args)


@pages.post("/account/password")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def set_own_password() -> ResponseReturnValue:
    """Set it, and end one's other sessions."""
    form = PasswordForm(request.form)
    if refused := form.token_error():
        return _password_form(form, status=403, notice=refused)
    try:
        change_password(
            current_database(),
            current_keys(),
            current=form.current_password.data or "",
            new=form.new_password.data or "",
            by=principal(),
            address=request.remote_addr or "",
        )
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _password_form(form, status=422)
    return redirect(url_for("signin.password_page", changed=1), code=303)


def answer_unauthenticated(refusal: Unauthenticated) -> ResponseReturnValue:
    """The 401 of a page *is* the sign-in page, and carries the text that was sent."""
    if wants_json() or g.get("has_bad_bearer"):
        return answer_refusal(refusal)
    kept = fields_to_carry()
    # Somebody who is signed in is asked to show that it is them, and is told so in any case.
    notice = refusal.detail if principal().has_session or not kept else _KEPT
    if principal().has_session and request.endpoint not in current_app.extensions["reopeners"]:
        notice = f"{notice} {_ONCE_MORE}"
    return show_sign_in(empty_form(page_behind()), status=401, notice=notice)


def _refused(form: SignInForm, refusal: Unauthenticated | TooMany) -> ResponseReturnValue:
    if wants_json():
        return answer_refusal(refusal)
    return with_challenge(show_sign_in(form, status=refusal.status, notice=refusal.detail), refusal)


def _setup_form(form: SetupForm, token: str, *, status: int = 200, notice: str | None = None) -> Response:
    return render_page("auth/signin/setup.html", status=status, form=form, token=token, notice=notice)


def _password_form(
    form: PasswordForm, *, status: int = 200, notice: str | None = None, changed: bool = False
) -> Response:
    who = principal()
    assert who.user_id is not None
    with reading() as db:
        is_change = has_password(db, who.user_id)
    return render_page(
        "auth/users/password.html", status=status, form=form, notice=notice, changed=changed, is_change=is_change
    )
