"""The form of the site's settings."""

from zoneinfo import available_timezones

from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from web.forms import Form
from web.site.model import Registration

_REGISTRATION = {
    Registration.CLOSED: "Nobody makes an account; invitations do not work",
    Registration.INVITATION: "Whoever has an invitation of an owner",
    Registration.OPEN: "Everybody, as a reader",
}


class SettingsForm(Form):
    """How the site presents itself."""

    name = StringField("Name of the site", description="It stands at the top of every page.")
    tagline = StringField("Tagline", description="One line under the name, or nothing.")
    language = StringField("Language", description="A tag such as en, de or pt-BR: what most posts are written in.")
    registration = RadioField(
        "New people",
        choices=[SelectChoice(value, words) for value, words in _REGISTRATION.items()],
        validate_choice=False,
    )
    questions_a_day = StringField("Questions a day", description="So many may one person ask posts in a day.")
    time_zone = SelectField("Time zone", description="Dates are shown, and publication times read, in this zone.")

    def offer_time_zones(self) -> None:
        """Fill the choices; the list takes a moment to read."""
        self.time_zone.choices = [SelectChoice(zone, zone) for zone in sorted(available_timezones())]
