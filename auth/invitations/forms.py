"""The forms of invitations, and of somebody new."""

from wtforms import PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import EmailInput, NumberInput

from auth.invitations.inviting import LONGEST_DAYS, MOST_USES
from auth.permissions import Role
from web.forms import Form


class InvitationForm(Form):
    """Whom an invitation is for."""

    role = SelectField(
        "Role",
        choices=[SelectChoice(role.value, role.value.capitalize()) for role in Role],
        default=Role.READER.value,
        validate_choice=False,
        description="What they become. It can be changed later.",
    )
    days = StringField(
        "Good for, days", widget=NumberInput(min=1, max=LONGEST_DAYS), description=f"1 to {LONGEST_DAYS}.", default="7"
    )
    uses = StringField(
        "For how many people",
        widget=NumberInput(min=1, max=MOST_USES),
        description=f"1 to {MOST_USES}. Each makes an account of their own with the same link.",
        default="1",
    )
    note = StringField("Note", description="For the owners’ list: whom it is for. It may be empty.")

    def asked_days(self) -> int:
        """The number that was sent; 0, which is never one, for what is none."""
        return _number(self.days.data)

    def asked_uses(self) -> int:
        """The same of the people."""
        return _number(self.uses.data)


class MailedInvitationForm(InvitationForm):
    """The same where the site can send mail."""

    send_to = StringField(
        "Send it to",
        widget=EmailInput(),
        description="An e-mail address, which is not kept. Empty: you hand the link over yourself.",
    )


class JoinForm(Form):
    """Somebody new."""

    display_name = StringField("Your name for readers", description="As it stands under what you write.")
    username = StringField("Your name for signing in", description="a to z, digits, - and _; up to 40.")
    password = PasswordField("Password", description="8 characters or more; 15 are better.")


def _number(sent: str | None) -> int:
    text = (sent or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
