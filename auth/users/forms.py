"""The form of one's own profile."""

from zoneinfo import available_timezones

from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from web.forms import Form


class ProfileForm(Form):
    """What readers see of a person."""

    display_name = StringField("Your name for readers", description="As it stands under what you write.")
    biography = TextAreaField("About you", description="A few words, up to 500 characters. It may be empty.")
    time_zone = SelectField("Your time zone", description="Publication times that you type are read in it.")

    def offer_time_zones(self) -> None:
        """Fill the choices; the list takes a moment to read."""
        zones = (SelectChoice(zone, zone) for zone in sorted(available_timezones()))
        self.time_zone.choices = [SelectChoice("", "The site's"), *zones]
