"""The form of one's own export."""

from wtforms import RadioField

from eventlog.log.exporting import Level
from web.forms import Form

_LEVELS = {
    Level.STRICT: "Strict: only what kind of thing happened, and when",
    Level.STANDARD: "Standard: everything that is recorded; secrets are looked for once more",
    Level.MAINTAINER: "Maintainer: the same, looked through more deeply, with a report of what was found",
}


class ExportForm(Form):
    """How much the export tells."""

    level = RadioField("Level", validate_choice=False)

    def offer(self, levels: list[Level]) -> None:
        """Fill the choices."""
        self.level.choices = [(level.value, _LEVELS[level]) for level in levels]
