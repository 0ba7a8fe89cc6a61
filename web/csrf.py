"""Form tokens: an HMAC over the id of the session that a form belongs to, saved or not.

Which session that is, is known by a floor above; `app.py` hands the function in.
"""

from collections.abc import Callable

from flask import Flask, current_app, g, request
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from web.errors import Forbidden
from web.signing import current_keys

HEADER = "X-CSRF-Token"
_REFUSED = "The form was open for too long, or in another session. Your text is kept: please send it once more."

FormBinding = Callable[[], str]


def init_csrf(app: Flask, form_binding: FormBinding) -> None:
    """`form_binding` gives the id of the request's session, minting an unsaved one where there is none."""
    app.extensions["form_binding"] = form_binding


def form_token() -> str:
    """The token for a form on the page that is being answered."""
    return current_keys().digest("csrf", _binding())


def is_form_token_good(token: str | None) -> bool:
    """Whether a token that came in belongs to the session that it came with."""
    return bool(token) and current_keys().matches("csrf", _binding(), str(token))


def check_header_token() -> None:
    """For scripts that hold a cookie and send no form; a Bearer token needs none. Raises Forbidden."""
    if not g.principal.has_token and not is_form_token_good(request.headers.get(HEADER)):
        raise Forbidden(f"A request with a session cookie needs the form token in the {HEADER} header.")


class FormToken(CSRF):
    """WTForms' hook: makes and checks the hidden field."""

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:  # noqa: ARG002 - WTForms' signature
        """The fresh token of this page; `csrf_token_field` belongs to the form being made."""
        # A program with a Bearer token needs none, and shall not be given a cookie to bind one to.
        return "" if g.principal.has_token else form_token()

    def validate_csrf_token(self, form: BaseForm, field: CSRFTokenField) -> None:  # noqa: ARG002 - WTForms' signature
        """Raise ValidationError unless the submitted token is good."""
        if not is_form_token_good(field.data or request.headers.get(HEADER)):
            raise ValidationError(_REFUSED)


def _binding() -> str:
    binding: FormBinding = current_app.extensions["form_binding"]
    return binding()
