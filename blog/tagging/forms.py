"""The form that renames a tag."""

from wtforms import HiddenField, StringField

from web.forms import Form


class RenameForm(Form):
    """A tag and what it shall be called; `merge` names the tag that somebody has agreed to put it together with."""

    tag = HiddenField("Tag")
    name = StringField("New name")
    merge = HiddenField()
