"""The form of the page of unfinished operations."""

from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice

from eventlog.ledger.announcing import Outcome
from web.forms import Form

_OUTCOMES = {
    Outcome.DONE: "Done: it took effect",
    Outcome.FAILED: "Failed: it did not",
    Outcome.ABANDONED: "Abandoned: nobody will find out, or it no longer matters",
}


class DisposalForm(Form):
    """What became of an operation."""

    outcome = RadioField("What became of it", choices=[SelectChoice(o.value, text) for o, text in _OUTCOMES.items()])
    note = TextAreaField("Note", description="How you know, up to 1,000 characters. It may be empty.")
