"""The forms of conversations. They parse; the rules stand in `asking`, `owning` and `guiding`."""

from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from blog.conversations.model import Guide, Scope
from blog.posts.forms import VersionedForm
from web.forms import Form


class AskForm(Form):
    """A question; in a conversation that is not there yet, also about which post, and who shall answer."""

    content = TextAreaField("Your question")
    post = HiddenField()
    seen = HiddenField()  # how much was said already where it was shown
    guide = SelectField("Who answers", validate_choice=False)

    def seen_number(self) -> int | None:
        """The number of the last message that was there; None where the form does not say it."""
        text = self.seen.data or ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    def offer(self, guides: list[Guide]) -> None:
        """Fill the list of those who answer."""
        self.guide.choices = [SelectChoice(guide.id, guide.name) for guide in guides]


class TitleForm(Form):
    """Another name for a conversation."""

    title = StringField("Name")


class GuideForm(VersionedForm):
    """Who answers, and how."""

    name = StringField("Name", description="Readers see it above each answer.")
    system_prompt = TextAreaField(
        "What it is told", description="Before each question, if a model answers; where passages are quoted, by nobody."
    )
    greeting = TextAreaField("Greeting", description="Stands where nothing was asked yet. May be empty.")
    scope = RadioField(
        "What it may quote",
        choices=[
            SelectChoice(Scope.POST.value, "The post that was asked"),
            SelectChoice(Scope.BLOG.value, "Everything here that the reader may read"),
        ],
        default=Scope.POST.value,
        validate_choice=False,
    )
