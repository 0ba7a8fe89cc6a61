"""The forms of the page of one's pictures."""

from wtforms import BooleanField, MultipleFileField, StringField

from web.forms import Form

_ALT = "What is to be seen, for those who cannot see it."


class UploadForm(Form):
    """Pictures to take in."""

    file = MultipleFileField("Pictures", description="JPEG, PNG, GIF, WebP or AVIF; together up to 25 MiB.")
    alt = StringField("Description", description=_ALT + " For several pictures, describe each below afterwards.")
    decorative = BooleanField("Decorative: needs no description")


class DescriptionForm(Form):
    """What one picture shows."""

    alt = StringField("Description", description=_ALT)
    decorative = BooleanField("Decorative: needs no description")
