"""The form that turns a second factor on."""

from wtforms import HiddenField, StringField

from web.forms import Form


class FirstCodeForm(Form):
    """A first code of the app, and the secret that it was given."""

    code = StringField("Code", description="The six digits that the app shows now.")
    pending = HiddenField()
