"""The form of one's own profile."""

from wtforms import StringField, TextAreaField

from web.forms import Form


class ProfileForm(Form):
    """What readers see of a person."""

    display_name = StringField("Your name for readers", description="As it stands under what you write.")
    biography = TextAreaField("About you", description="A few words, up to 500 characters. It may be empty.")
