"""The forms of signing in."""

from wtforms import BooleanField, HiddenField, PasswordField, StringField
from wtforms.widgets import EmailInput

from web.forms import Form


class SignInForm(Form):
    """Name and password."""

    username = StringField("Name")
    password = PasswordField("Password")
    remember = BooleanField("Stay signed in on this device", description="For up to 180 days, if you come by monthly.")
    next = HiddenField()


class CodeForm(Form):
    """The second step: a code, and what shows that the first was done."""

    code = StringField("Code from your app")
    recovery_code = StringField("Recovery code", description="Each is good once.")
    next = HiddenField()
    remember = HiddenField()
    proof = HiddenField()


class RecoveryForm(Form):
    """A new password for a recovery code."""

    username = StringField("Name")
    recovery_code = StringField("Recovery code", description="One that you have not used yet.")
    app_code = StringField("Code from your app", description="Only if you are asked for one when you sign in.")
    new_password = PasswordField("New password", description="8 characters or more; 15 are better.")
    next = HiddenField()


class SetupForm(Form):
    """The first owner and the name of the site."""

    site_name = StringField("Name of the site", description="It stands at the top of every page.")
    username = StringField("Your name for signing in", description="a to z, digits, - and _; up to 40.")
    display_name = StringField("Your name for readers", description="As it stands under what you write.")
    password = PasswordField("Password", description="8 characters or more; 15 are better.")


class PasswordForm(Form):
    """One's own password."""

    current_password = PasswordField("Current password")
    new_password = PasswordField("New password", description="8 characters or more; 15 are better.")


class ResetLinkForm(Form):
    """An owner lets somebody set a new password."""


class MailedResetLinkForm(ResetLinkForm):
    """The same where the site can send mail."""

    send_to = StringField(
        "Send it to",
        widget=EmailInput(),
        description="An e-mail address, which is not kept. Empty: you hand the link over yourself.",
    )


class ResetForm(Form):
    """A new password, by a link."""

    password = PasswordField("New password", description="8 characters or more; 15 are better.")
