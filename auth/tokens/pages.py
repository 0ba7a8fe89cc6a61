"""The page of one's own tokens."""

from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from auth.tokens.examples import example_line
from auth.tokens.forms import WORDS, TokenForm
from auth.tokens.issuing import Issued
from auth.tokens.own import list_own_tokens, make_own_token, offered_scopes, revoke_own_token
from storage import clock
from web.cursors import Cursor, cursor_of_page
from web.database import reading, transaction
from web.errors import Forbidden, Invalid
from web.forms import Form
from web.headers import allow_own_scripts
from web.paging import cut, place_asked
from web.render import absolute_url, current_site, render_page

pages = Blueprint("token_pages", __name__)

_PER_PAGE = 50
_REOPENED = "You are signed in again. This is what you had chosen; no token was made yet."


@pages.get("/account/tokens")
@requires(Permission.USE_ACCOUNT, session_only=True)
def show_tokens() -> ResponseReturnValue:
    """One's own tokens, and the form of a new one."""
    return _show(TokenForm(), notice="Revoked. It opens nothing any more." if "revoked" in request.args else None)


@pages.post("/account/tokens")
@requires(Permission.USE_ACCOUNT, session_only=True, fresh=True)
def make_token() -> ResponseReturnValue:
    """Make one, and show its secret this once."""
    form = TokenForm(request.form)
    if refused := form.token_error():
        return _show(form, status=403, notice=refused)
    who, expires_at, faults = principal(), None, dict[str, str]()
    try:
        expires_at = form.asked_expiry(_zone(), clock.now())
    except Invalid as invalid:
        faults = invalid.fields
    try:
        with transaction() as db:
            issued = make_own_token(
                db,
                name=form.name.data or "",
                scopes=form.scopes.data or [],
                expires_at=expires_at,
                parse_faults=faults,
                by=who,
            )
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show(form, status=422)
    return _show(TokenForm(), issued=issued)


@pages.post("/account/tokens/<token_id>/revoke")
@requires(Permission.USE_ACCOUNT, session_only=True)
def revoke_token(token_id: str) -> ResponseReturnValue:
    """End one."""
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    with transaction() as db:
        revoke_own_token(db, token_id, by=principal())
    return redirect("/account/tokens?revoked=1", code=303)


def reopen_token(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form as it was sent when it could not be taken."""
    return _show(TokenForm(fields), notice=notice)


def _show(
    form: TokenForm, *, status: int = 200, notice: str | None = None, issued: Issued | None = None
) -> ResponseReturnValue:
    who, example = principal(), ""
    form.offer(offered_scopes(who))
    after = place_asked()
    with reading() as db:
        tokens = list_own_tokens(db, by=who, limit=_PER_PAGE + 1, before=cursor_of_page(after))
    shown, last = cut(tokens, _PER_PAGE)
    if issued is not None:
        allow_own_scripts()
        example = example_line(issued.secret, issued.token.scopes, base_url=absolute_url(""))
    return render_page(
        "auth/tokens/tokens.html",
        status=status,
        form=form,
        tokens=shown,
        now=clock.now(),
        words=WORDS,
        issued=issued,
        example=example,
        notice=notice,
        more_after=None if last is None else Cursor(last.created_at, last.id),
        is_first_page=after is None,
    )


def _zone() -> ZoneInfo:
    name = principal().time_zone
    return current_site().zone if name is None else ZoneInfo(name)
