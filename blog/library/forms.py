"""The forms of libraries."""

from wtforms import StringField

from web.forms import Form


class GrantForm(Form):
    """Whom a post is granted."""

    username = StringField("Name", description="The one that they sign in with.")

    def asked_username(self) -> str:
        """The name that was sent."""
        return (self.username.data or "").strip().removeprefix("@").lower()
