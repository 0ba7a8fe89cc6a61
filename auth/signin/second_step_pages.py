"""The page that asks for a code after the password."""

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.sessions.cookies import form_binding, session_store
from auth.signin.answers import become, show_sign_in, visit, with_challenge
from auth.signin.forms import CodeForm, SignInForm
from auth.signin.proof import find_proven
from auth.signin.reopening import fields_to_carry, reopen_carried_form
from auth.signin.second_step import WrongCode, finish_sign_in
from auth.signin.signing_in import CodeAsked
from web.database import current_database, reading
from web.error_pages import answer_refusal
from web.errors import Refusal, TooMany, Unauthenticated
from web.negotiation import wants_json
from web.redirects import safe_next
from web.render import render_page
from web.signing import current_keys

pages = Blueprint("second_step", __name__)

# The button on a page that carries a form: a link would leave that behind.
_AGAIN = "again"
_NO_PAGE = "A code is asked for after the password, on a page. Programs come with a Bearer token."


def ask_for_code(asked: CodeAsked, form: SignInForm) -> ResponseReturnValue:
    """The page of the second step; it carries on what the sign-in page carried."""
    if wants_json():
        return answer_refusal(Unauthenticated(_NO_PAGE))
    remember = "y" if form.remember.data else ""
    known = {"proof": asked.proof, "next": safe_next(form.next.data, default=""), "remember": remember}
    return _page(CodeForm(data=known))


@pages.get("/login/code")
@public
def code_page() -> ResponseReturnValue:
    """For whoever reloads the page: it follows the password alone."""
    return redirect(url_for("signin.sign_in_page"), code=303)


@pages.post("/login/code")
@public
def check_code() -> ResponseReturnValue:
    """Begin a session, and open again what was being written."""
    form = CodeForm(request.form)
    if _AGAIN in request.form:
        return _begin_anew(form, 200)
    if refused := form.token_error():
        return _page(form, status=403, notice=refused) if _is_proven(form) else _begin_anew(form, 403, refused)
    is_remembered = bool(form.remember.data)
    try:
        signed_in = finish_sign_in(
            current_database(),
            session_store(),
            current_keys(),
            proof=form.proof.data or "",
            typed=form.code.data or form.recovery_code.data or "",
            visit=visit(is_remembered=is_remembered),
            binding=form_binding(),
        )
    except (Unauthenticated, TooMany) as refusal:
        return _refused(form, refusal)
    become(signed_in, is_remembered=is_remembered)
    return reopen_carried_form() or redirect(safe_next(form.next.data), code=303)


def _refused(form: CodeForm, refusal: Refusal) -> ResponseReturnValue:
    if wants_json():
        return answer_refusal(refusal)
    if isinstance(refusal, WrongCode | TooMany):
        # The code may have been used by the first of two that were sent at once, with nothing written that was carried.
        following = safe_next(form.next.data) if isinstance(refusal, WrongCode) and not fields_to_carry() else None
        page = _page(form, status=refusal.status, notice=refusal.detail, following=following)
        return with_challenge(page, refusal)
    return _begin_anew(form, refusal.status, refusal.detail)


def _is_proven(form: CodeForm) -> bool:
    try:
        with reading() as db:
            find_proven(db, current_keys(), form.proof.data or "", binding=form_binding())
    except Unauthenticated:
        return False
    return True


def _begin_anew(form: CodeForm, status: int, notice: str | None = None) -> Response:
    known = {"next": safe_next(form.next.data, default=""), "remember": bool(form.remember.data)}
    return show_sign_in(SignInForm(data=known), status=status, notice=notice)


def _page(form: CodeForm, *, status: int = 200, notice: str | None = None, following: str | None = None) -> Response:
    is_recovering = bool(form.recovery_code.data) and not form.code.data
    form.code.data = form.recovery_code.data = ""
    return render_page(
        "auth/signin/second_step.html",
        status=status,
        form=form,
        notice=notice,
        following=following,
        is_recovering=is_recovering,
        kept=fields_to_carry(),
        canonical_url=None,
    )
