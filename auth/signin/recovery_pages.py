"""The page for somebody who has forgotten their password and has recovery codes."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.principal import principal
from auth.rechecking import become_nobody
from auth.signin.answers import show_sign_in, with_challenge
from auth.signin.forms import RecoveryForm, SignInForm
from auth.signin.recovering import recover
from auth.signin.reopening import fields_to_carry
from web.database import current_database
from web.error_pages import answer_refusal
from web.errors import Invalid, TooMany, Unauthenticated
from web.negotiation import wants_json
from web.redirects import safe_next
from web.render import render_page
from web.signing import current_keys

pages = Blueprint("recovery", __name__)

_DONE = "Your new password is set, and all your devices are signed out. Sign in with it to go on."
# The button on a sign-in page that carries a form: a link would leave that behind.
_BEGIN = "begin"


@pages.get("/login/recover")
@public
def recovery_page() -> ResponseReturnValue:
    """The form."""
    return _page(RecoveryForm(data={"next": safe_next(request.args.get("next"), default="")}))


@pages.post("/login/recover")
@public
def set_new_password() -> ResponseReturnValue:
    """Set the password; whoever has done so signs in as ever, with whatever travels along."""
    form = RecoveryForm(request.form)
    if _BEGIN in request.form:
        return _page(form)
    if refused := form.token_error():
        return _page(form, status=403, notice=refused)
    try:
        user = recover(
            current_database(),
            current_keys(),
            username=form.username.data or "",
            code=form.recovery_code.data or "",
            app_code=form.app_code.data or "",
            new_password=form.new_password.data or "",
            address=request.remote_addr or "",
        )
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _page(form, status=422)
    except (Unauthenticated, TooMany) as refusal:
        if wants_json():
            return answer_refusal(refusal)
        return with_challenge(_page(form, status=refusal.status, notice=refusal.detail), refusal)
    if principal().user_id == user.id:
        become_nobody()
    known = {"username": user.username, "next": safe_next(form.next.data, default="")}
    return show_sign_in(SignInForm(data=known), notice=_DONE)


def _page(form: RecoveryForm, *, status: int = 200, notice: str | None = None) -> Response:
    form.recovery_code.data = form.app_code.data = ""
    return render_page(
        "auth/signin/recover.html",
        status=status,
        form=form,
        notice=notice,
        kept=fields_to_carry() if request.method == "POST" else [],
        canonical_url=None,
    )
