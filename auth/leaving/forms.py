"""The form of deleting an account."""

from wtforms import HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from web.errors import Invalid
from web.forms import Form

GIVE, DELETE = "give", "delete"


class LeaveForm(Form):
    """What becomes of what was written, and the name, typed."""

    posts = RadioField("Posts, series and pictures", validate_choice=False)
    to = SelectField("Whose they become", validate_choice=False)
    # That the page was shown to whom it names. Once they are gone, whoever sends it again learns that they are.
    proof = HiddenField()
    confirm = StringField("The name of the account, to confirm")

    def offer(self, heirs: list[str]) -> None:
        """Fill the choices; where nobody is there who could have them, they can only be deleted."""
        give = [SelectChoice(GIVE, "Give them to somebody")] if heirs else []
        self.posts.choices = [*give, SelectChoice(DELETE, "Delete them, for good")]
        self.to.choices = [SelectChoice(name, name) for name in heirs]

    def asked_heir(self, username: str, *, has_written: bool) -> str | None:
        """Whom they are to be given to; None: nobody. Raises Invalid, for all fields at once."""
        faults: dict[str, str] = {}
        if (self.confirm.data or "").strip().lower() != username:
            faults["confirm"] = f"Type {username} here if the account is to be deleted."
        if has_written and self.posts.data not in (GIVE, DELETE):
            faults["posts"] = "Choose what becomes of them."
        if faults:
            raise Invalid(faults)
        return (self.to.data or "") if self.posts.data == GIVE else None
