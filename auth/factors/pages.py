"""The pages of one's own second factor and recovery codes."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.factors.changing import EndSessions, find_own, make_recovery_codes, turn_off, turn_on
from auth.factors.forms import FirstCodeForm
from auth.factors.recovery_codes import FEW
from auth.factors.totp import address_for_app, draw, in_groups, new_secret
from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from auth.users.queries import has_password
from storage import clock
from web.database import reading, transaction
from web.errors import Conflict, Invalid
from web.forms import Form
from web.render import current_site, render_page
from web.signing import current_keys

_PAGE = "/account/second-factor"
_KIND = "pending second factor"
_PENDING_SECONDS = 600
_NOTICES = {"off": "It is off. From now on you are asked for no code."}
_REOPENED = "You are signed in again. This is a new picture with a new secret: take the former out of your app."
_TOO_LATE = "The picture was open for more than ten minutes. This is a new one: take the former out of your app."


def make_pages(end_sessions: EndSessions) -> Blueprint:
    """The routes; what changes here ends the person's other sessions."""
    pages = Blueprint("factors", __name__)
    own = requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)

    @pages.get(_PAGE)
    @own
    def show() -> ResponseReturnValue:
        """Whether it is on, and how many recovery codes are left."""
        return _show(notice=next((text for name, text in _NOTICES.items() if name in request.args), None))

    @pages.get(f"{_PAGE}/begin")
    @own
    def begin() -> ResponseReturnValue:
        """A fresh secret, as a picture and as text."""
        return _begin(FirstCodeForm())

    @pages.post(f"{_PAGE}/begin")
    @own
    def enable() -> ResponseReturnValue:
        """Turn it on with a first code, and show recovery codes this once."""
        form = FirstCodeForm(request.form)
        secret = _read_pending(form.pending.data or "")
        if refused := form.token_error():
            return _begin(form, secret, status=403, notice=refused)
        if secret is None:
            return _begin(FirstCodeForm(), status=422, notice=_TOO_LATE)
        try:
            with transaction() as db:
                codes = turn_on(db, secret, form.code.data or "", by=principal(), end_sessions=end_sessions)
        except Invalid as invalid:
            form.show_faults(invalid.fields)
            return _begin(form, secret, status=422)
        except Conflict as refusal:
            return _show(status=refusal.status, error=refusal.detail, may_lack_codes=True)
        return _show_codes(codes, is_just_on=True)

    @pages.post(f"{_PAGE}/off")
    @own
    def disable() -> ResponseReturnValue:
        """Turn it off."""
        if refused := Form(request.form).token_error():
            return _show(status=403, error=refused)
        with transaction() as db:
            turn_off(db, by=principal(), end_sessions=end_sessions)
        return redirect(f"{_PAGE}?off=1", code=303)

    @pages.post(f"{_PAGE}/codes")
    @own
    def make_codes() -> ResponseReturnValue:
        """Make new recovery codes, and show them this once."""
        if refused := Form(request.form).token_error():
            return _show(status=403, error=refused)
        with transaction() as db:
            codes = make_recovery_codes(db, by=principal(), end_sessions=end_sessions)
        return _show_codes(codes, is_just_on=False)

    return pages


def reopen_enable(_fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The page anew: a secret belongs to the session that it was shown in."""
    return _begin(FirstCodeForm(), notice=notice)


def _show(
    *, status: int = 200, notice: str | None = None, error: str | None = None, may_lack_codes: bool = False
) -> ResponseReturnValue:
    who = principal()
    assert who.user_id is not None
    with reading() as db:
        factors, with_password = find_own(db, by=who), has_password(db, who.user_id)
    return render_page(
        "auth/factors/second_factor.html",
        status=status,
        totp=factors.totp,
        codes=factors.recovery_codes,
        are_few=factors.recovery_codes.count <= FEW,
        has_password=with_password,
        notice=notice,
        error=error,
        may_lack_codes=may_lack_codes,
        canonical_url=None,
    )


def _begin(
    form: FirstCodeForm, secret: str | None = None, *, status: int = 200, notice: str | None = None
) -> ResponseReturnValue:
    """The picture of that secret, or of a fresh one. Nothing is stored until the app has shown a right code."""
    who, secret = principal(), secret or new_secret()
    form.pending.data = current_keys().sign(_KIND, f"{who.user_id} {who.session_id} {secret}")
    form.code.data = ""
    address = address_for_app(secret, site_name=current_site().name, username=who.username)
    return render_page(
        "auth/factors/begin.html",
        status=status,
        form=form,
        notice=notice,
        address=address,
        qr_html=draw(address),
        secret=in_groups(secret),
        canonical_url=None,
    )


def _read_pending(signed: str) -> str | None:
    """The secret of a page that this session was shown within the last ten minutes; None for any other."""
    read = current_keys().read(_KIND, signed, max_age_seconds=_PENDING_SECONDS)
    if read is None:
        return None
    whose, _, secret = read[0].rpartition(" ")
    return secret if whose == f"{principal().user_id} {principal().session_id}" else None


def _show_codes(codes: list[str], *, is_just_on: bool) -> ResponseReturnValue:
    return render_page(
        "auth/factors/codes.html", codes=codes, is_just_on=is_just_on, made_at=clock.now(), canonical_url=None
    )
