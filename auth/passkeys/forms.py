"""The form of a new passkey."""

from wtforms import HiddenField, StringField

from web.forms import Form


class PasskeyForm(Form):
    """What it is called. The script fills in what the device has made."""

    name = StringField("Name", description="What you will know it by: the device or the key that holds it.")
    credential = HiddenField()
    challenge = HiddenField()
