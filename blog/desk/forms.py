"""The forms of the desk: which posts it shows, and which of them to change together."""

import unicodedata
from typing import NamedTuple
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, SearchField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.form import Form as PlainForm

from auth.permissions import Permission
from auth.principal import Principal
from blog.desk.many import MOST, Chosen, What
from blog.desk.queries import Filters, Position, Sort, State
from blog.tags.names import UnusableTags, normalise_tag
from storage.ids import parse_id
from web.errors import Invalid
from web.forms import Form

_LONGEST_SEARCH = 200
_FILTERS = ("q", "state", "tag", "sort", "whose")


class FilterForm(PlainForm):
    """Which posts to show; it changes nothing, so that it carries no token."""

    q = SearchField("Words in the title or the text")
    state = SelectField(
        "State",
        choices=[SelectChoice("", "All"), *(SelectChoice(each, each.capitalize()) for each in State)],
        default="",
    )
    tag = StringField("Tag")
    sort = SelectField(
        "First",
        choices=[
            SelectChoice(Sort.CHANGED, "Drafts, then the last changed"),
            SelectChoice(Sort.PUBLISHED, "The last published"),
            SelectChoice(Sort.TITLE, "By title"),
        ],
        default=Sort.CHANGED,
    )
    whose = SelectField(
        "Whose", choices=[SelectChoice("own", "Yours"), SelectChoice("all", "Everybody's")], default="own"
    )
    after = HiddenField()

    def filters(self, *, by: Principal) -> Filters:
        """What was asked for, as far as it can be had; what cannot stands at its field as a fault."""
        self.validate()
        text = unicodedata.normalize("NFC", self.q.data or "").strip()
        if len(text) > _LONGEST_SEARCH:
            text = self._fault("q", f"Search for at most {_LONGEST_SEARCH} characters.")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            text = self._fault("q", "This holds a character that cannot be shown.")
        tag = None
        if (self.tag.data or "").strip():
            try:
                tag = normalise_tag(self.tag.data)
            except UnusableTags as fault:
                self._fault("tag", str(fault))
        is_everybodys = self.whose.data == "all"
        if is_everybodys and not by.may(Permission.EDIT_ANY_POST):
            self._fault("whose", "Only editors see everybody's posts.")
        state = None if self.state.errors or not self.state.data else State(self.state.data)
        sort = Sort.CHANGED if self.sort.errors else Sort(self.sort.data or Sort.CHANGED)
        return Filters(state, tag, text, sort, is_everybodys)

    def position(self) -> Position | None:
        """Where the page before this one ended. Raises ValueError."""
        if self.after.data is None:
            return None
        key, _, post_id = self.after.data.rpartition("~")
        known = parse_id(post_id)
        if known is None or len(key) > 400:
            raise ValueError("This is no place in this list.")
        return Position(key, known)

    def query(self, **more: str) -> str:
        """The address of the desk with these filters."""
        defaults = {"sort": Sort.CHANGED.value, "whose": "own"}
        sent = {name: self[name].data or "" for name in _FILTERS}
        kept = {name: value for name, value in sent.items() if value and value != defaults.get(name)}
        return urlencode(kept | more)

    @property
    def is_filtered(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.query())

    def _fault(self, name: str, fault: str) -> str:
        self[name].errors = [*self[name].errors, fault]
        return ""


class ChoiceForm(Form):
    """Posts of the list, and what to do with all of them."""

    post = SelectMultipleField("Posts", validate_choice=False)
    what = SelectField(
        "With the chosen posts",
        choices=[
            SelectChoice("", "Choose what to do"),
            SelectChoice(What.PUBLISH, "Publish"),
            SelectChoice(What.UNPUBLISH, "Make drafts of them"),
            SelectChoice(What.ADD_TAG, "Add a tag"),
            SelectChoice(What.REMOVE_TAG, "Take a tag away"),
            SelectChoice(What.DELETE, "Delete"),
        ],
    )
    with_tag = StringField("Which tag")
    confirm = HiddenField()

    def chosen(self) -> list[Chosen]:
        """The posts, each once, in the version that the list showed. Raises Invalid."""
        found = {}
        for text in self.post.data or []:
            post_id, _, version = text.partition("~")
            known = parse_id(post_id)
            if known is None or not (version.isascii() and version.isdecimal() and len(version) < 10):
                raise Invalid({"post": "This is no post of the list."})
            found[known] = Chosen(known, int(version))
        if not found:
            raise Invalid({"post": "Choose at least one post."})
        if len(found) > MOST:
            raise Invalid({"post": f"Choose at most {MOST} posts at once."})
        return list(found.values())

    def asked(self) -> "Asked":
        """What to do. Raises Invalid."""
        try:
            what = What(self.what.data or "")
        except ValueError:
            raise Invalid({"what": "Choose what to do with them."}) from None
        if what not in (What.ADD_TAG, What.REMOVE_TAG):
            return Asked(what, "")
        try:
            return Asked(what, normalise_tag(self.with_tag.data or ""))
        except UnusableTags as fault:
            raise Invalid({"with_tag": str(fault)}) from None


class Asked(NamedTuple):
    """What to do with many posts."""

    what: What
    tag: str


def choice_from(fields: MultiDict[str, str]) -> ChoiceForm:
    """The form as it was sent, that has not been agreed to yet."""
    form = ChoiceForm(fields)
    form.confirm.data = ""
    return form
