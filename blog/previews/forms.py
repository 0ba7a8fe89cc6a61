"""The form of sharing a draft."""

from wtforms import StringField

from blog.previews.sharing import LONGEST_DAYS
from web.forms import Form


class ShareForm(Form):
    """For how long."""

    days = StringField("Days", description=f"From 1 to {LONGEST_DAYS}. You can take it back before.")

    def asked_days(self) -> int:
        """The number that was sent; 0, which is never one, for what is none."""
        text = (self.days.data or "").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
