"""The forms of series. They parse; the rules stand in `arranging`."""

from wtforms import HiddenField, SelectField, StringField

from blog.posts.forms import VersionedForm
from web.forms import Form

_FIRST_PLACE, _MOST_DIGITS = 1, 4


class CreateForm(Form):
    """A series that is not there yet."""

    title = StringField("Title")
    slug = StringField("Address", description="Small letters, digits and dashes. Empty: made from the title.")


class RenameForm(VersionedForm):
    """Another title."""

    title = StringField("Title")


class AddForm(Form):
    """A post for the series: from the list, or by its address."""

    post = SelectField("One of your posts", validate_choice=False)
    slug = StringField("Or the address of a post", description="The last part of it, or all of it.")

    def asked_slug(self) -> str:
        """The slug that was chosen or written."""
        written = (self.slug.data or "").strip().partition("?")[0].partition("#")[0].rstrip("/")
        return written.rpartition("/")[2] or self.post.data or ""


class PartForm(Form):
    """What to do with one post of the series; the buttons say it."""

    place = HiddenField()

    def asked_place(self) -> int | None:
        """The place it shall have; None: out of the series. Raises ValueError for nonsense."""
        text = (self.place.data or "").strip()
        if text == "out":
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) >= _FIRST_PLACE):
            raise ValueError("This is no place in a series.")
        return int(text)
