"""What the pages of signing in have in common: the page itself, who somebody has become, and the browser they use."""

from flask import Response, g, request

from auth.passkeys.offering import Offer, offer_sign_in
from auth.passkeys.relying_party import find_relying_party
from auth.principal import Principal, principal
from auth.sessions.cookies import begin_session, browser_session, form_binding
from auth.signin.beginning import SignedIn, Visit
from auth.signin.forms import SignInForm
from auth.signin.reopening import fields_to_carry
from web.error_pages import challenge
from web.errors import Refusal
from web.headers import allow_own_scripts
from web.redirects import safe_next
from web.render import render_page
from web.requests import own_origin
from web.signing import current_keys


def show_sign_in(form: SignInForm, *, status: int = 200, notice: str | None = None) -> Response:
    """The sign-in page, which carries along the form that this request sent, or carried itself."""
    return with_challenge(
        render_page(
            "auth/signin/login.html",
            status=status,
            form=form,
            notice=notice,
            kept=fields_to_carry() if request.method == "POST" else [],
            action="/login",
            passkey=_offer_passkey(),
            canonical_url=None,
        )
    )


def with_challenge(response: Response, refusal: Refusal | None = None) -> Response:
    """The same answer, with the headers that its status, or the refusal that it tells of, asks for."""
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = challenge()
    if refusal is not None and refusal.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def _offer_passkey() -> Offer:
    if principal().has_token:  # no browser, and shall not be given a cookie to bind a challenge to
        return Offer()
    offer = offer_sign_in(current_keys(), find_relying_party(own_origin()), browser=form_binding())
    if offer.options:
        allow_own_scripts()
    return offer


def empty_form(following: str | None) -> SignInForm:
    """For whoever is signed in, with what is known of them."""
    is_remembered = principal().has_session and g.session.is_remembered
    known = {"username": principal().username, "remember": is_remembered}
    return SignInForm(data={"next": safe_next(following, default=""), **known})


def visit(*, is_remembered: bool) -> Visit:
    """The browser that this request comes from."""
    browser = browser_session()
    former_id = browser.whole_id if browser.is_saved else None
    return Visit(request.remote_addr or "", request.user_agent.string, is_remembered, former_id)


def become(signed_in: SignedIn, *, is_remembered: bool) -> None:
    """The rest of this request is answered to the person who has just signed in."""
    begin_session(signed_in.whole_id, is_remembered=is_remembered)
    user = signed_in.user
    g.principal = Principal(
        user_id=user.id,
        username=user.username,
        display_name=user.display_name,
        role=user.role,
        time_zone=user.time_zone,
        session_id=signed_in.session.id,
        signed_in_at=signed_in.session.created_at,
    )
    g.session = signed_in.session
    g._login_user = g.principal
