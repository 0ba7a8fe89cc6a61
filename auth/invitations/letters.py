"""What an invitation says when it is sent by mail."""

from auth.invitations.inviting import Made
from auth.invitations.words import MAY
from auth.mailing.sending import Letter
from storage import clock
from web.site.model import Site


def write_letter(made: Made, *, to: str, site: Site, link: str) -> Letter:
    """In the interface's own language, as the pages behind the link are."""
    until = clock.to_datetime(made.expires_at).astimezone(site.zone)
    text = (
        f"An owner of {site.name} invites you to make an account there. As {made.role} you may {MAY[made.role]}.\n\n"
        f"{link}\n\n"
        f"The link is good until {until:%Y-%m-%d %H:%M} ({site.time_zone}). Whoever has it can use it, so do not pass\n"
        "it on. If you did not expect this, there is nothing that you have to do.\n"
    )
    return Letter(to, f"An invitation to {site.name}", text)
