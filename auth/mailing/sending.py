"""Sending a link by mail: announced before, concluded after, and never tried again by itself."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from urllib.parse import urlsplit

from auth.mailing.delivering import MailRefused, deliver
from eventlog.actors import Actor
from eventlog.errors import OrphanIntents
from eventlog.ledger.announcing import operation
from storage import clock
from storage.engine import Database
from storage.errors import Busy, Full
from web.errors import Invalid
from web.mail_server import parse_address
from web.settings import Settings

_OPERATION = "mail.send"
_NOT_BEGUN = "The site could not note that it was about to send it, so it did not."
_UNFINISHED = (
    "An earlier mail of yours has not ended yet, or nobody knows how it ended: “Unfinished operations” names it."
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a mail: `failure` says why it was not taken; empty: the server took it."""

    to: str
    failure: str = ""


def check_recipient(text: str | None) -> str | None:
    """The address that was asked for; None: none was. Raises Invalid."""
    if not (text or "").strip():
        return None
    address = parse_address(text or "")
    if address is None:
        raise Invalid({"send_to": "Use one e-mail address, such as ada@example.org, or leave this empty."})
    return address


def send(database: Database, settings: Settings, letter: Letter, *, about: str, by: Actor) -> Sent:
    """Hand it to the server, and say what came of it. `about`: the subject that the ledger names; the address is not.

    To be called when what the letter speaks of is committed.
    """
    server, sender = settings.mail_server, settings.byline_mail_from
    assert server is not None
    assert sender is not None
    own_name = urlsplit(settings.base_url).hostname or "localhost"
    message = _compose(letter, sender)
    is_taken = False
    try:
        with operation(database, _OPERATION, by=by, payload={"about": about}):
            deliver(server, message, to=letter.to, sender=parseaddr(sender)[1], own_name=own_name)
            is_taken = True
    except MailRefused as refused:
        return Sent(letter.to, refused.detail)
    except OrphanIntents:
        return Sent(letter.to, _UNFINISHED)
    except (Busy, Full):
        # What cannot be concluded stays open in the ledger.
        if not is_taken:
            return Sent(letter.to, _NOT_BEGUN)
    return Sent(letter.to)


def _compose(letter: Letter, sender: str) -> EmailMessage:
    """Headers that hold a line break raise ValueError; the addresses were checked, the subject is one line."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(clock.to_datetime(clock.now()))
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message
