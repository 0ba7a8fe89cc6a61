"""The form of the page about retention."""

from wtforms import StringField

from web.forms import Form


class RetentionForm(Form):
    """How long details are kept."""

    days = StringField("Days", description="Empty: for ever.")
