"""The base of every form: it parses, and carries the form token. Rules stand in the capabilities."""

from collections.abc import Mapping

from flask import g
from wtforms import Form as WtForm
from wtforms.csrf.core import CSRFTokenField

from web.csrf import FormToken
from web.errors import Forbidden, Invalid
from web.negotiation import wants_json


class Form(WtForm):
    """A form of this site. Unknown fields are ignored; a refused token is found with `token_error`."""

    csrf_token: CSRFTokenField

    class Meta:
        """WTForms' own settings."""

        csrf = True
        csrf_class = FormToken
        # Error messages in English, without looking for translations at each form.
        locales = False

    def token_error(self) -> str | None:
        """The sentence for a refused form token, or None when it is good. The field then holds a fresh one.

        Raises Forbidden where the asker reads JSON and no page.
        """
        if g.principal.has_token:  # a program sent it: no browser adds that header by itself
            return None
        field = self.csrf_token
        good = field.validate(self)
        if good:
            return None
        if wants_json():
            raise Forbidden(str(field.errors[0]))
        return str(field.errors[0])

    def show_faults(self, faults: Mapping[str, str]) -> list[str]:
        """Put each fault beside its field; what belongs to no field of this form is returned.

        Raises Invalid where the asker reads JSON and no page.
        """
        if wants_json():
            raise Invalid(faults)
        rest = []
        for name, fault in faults.items():
            if name in self:
                self[name].errors = [*self[name].errors, fault]
            else:
                rest.append(f"{name}: {fault}")
        return rest
