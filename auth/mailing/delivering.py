"""Handing one mail to the server that the settings name."""

import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from web.mail_server import MailServer

# For all of it, from the connection to the last word.
TIME_OUT_SECONDS = 10
_LONGEST_SAID = 200


class MailRefused(Exception):
    """The server did not take the mail, as far as anybody knows.

    As a text it is for the log: it names nobody. `detail` is for whoever wanted to send it, with the server's words.
    """

    def __init__(self, sentence: str, *, said: str = "") -> None:
        super().__init__(sentence)
        self.detail = f"{sentence} It said: “{said}”" if said else sentence


def deliver(server: MailServer, message: EmailMessage, *, to: str, sender: str, own_name: str) -> None:
    """When this returns, the server has taken the mail. Raises MailRefused."""
    began = time.monotonic()
    try:
        connection = _connect(server, own_name)
        try:
            left = TIME_OUT_SECONDS - (time.monotonic() - began)
            with _cut_after(left, connection):
                _encrypt(connection, server)
                if server.username:
                    connection.login(server.username, server.password)
                connection.send_message(message, from_addr=sender, to_addrs=[to])
                # It is theirs now, whatever they say to this.
                with suppress(OSError, smtplib.SMTPException):
                    connection.putcmd("quit")
        finally:
            connection.close()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        # A connection that is cut, or was silent for too long, is only closed to smtplib.
        is_late = time.monotonic() - began >= TIME_OUT_SECONDS
        raise _refusal(error, is_late=is_late) from None


def _connect(server: MailServer, own_name: str) -> smtplib.SMTP:
    if server.is_encrypted:
        return smtplib.SMTP_SSL(
            server.host, server.port, own_name, timeout=TIME_OUT_SECONDS, context=ssl.create_default_context()
        )
    return smtplib.SMTP(server.host, server.port, own_name, timeout=TIME_OUT_SECONDS)


def _encrypt(connection: smtplib.SMTP, server: MailServer) -> None:
    """Without it nothing leaves this machine. On it, it is done where it is offered: some want it before a password."""
    if server.is_encrypted:
        return
    connection.ehlo_or_helo_if_needed()
    context = ssl.create_default_context()
    if server.is_here:
        if not connection.has_extn("starttls"):
            return
        # Nobody stands between, and its certificate is seldom one for `localhost`.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection.starttls(context=context)


@contextmanager
def _cut_after(seconds: float, connection: smtplib.SMTP) -> Iterator[None]:
    """The time-out of a socket begins anew with each byte; this one does not."""

    def cut() -> None:
        with suppress(OSError):
            if connection.sock is not None:
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, seconds), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _refusal(error: Exception, *, is_late: bool) -> MailRefused:
    if is_late or isinstance(error, TimeoutError):
        return MailRefused(f"The mail server did not take it within {TIME_OUT_SECONDS} seconds.")
    for kind, describe in _KINDS:
        if isinstance(error, kind):
            return describe(error)
    return MailRefused("The mail server could not be understood.")


def _said(code: int, text: bytes | str, sentence: str) -> MailRefused:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    words = "".join(c if c.isprintable() else " " for c in words)
    return MailRefused(f"{sentence} ({code}).", said=" ".join(words.split())[:_LONGEST_SAID])


def _address_refused(error: smtplib.SMTPRecipientsRefused) -> MailRefused:
    code, text = next(iter(error.recipients.values()))
    return _said(code, text, "The mail server refused the address")


def _response(sentence: str) -> Callable[..., MailRefused]:
    return lambda error: _said(error.smtp_code, error.smtp_error, sentence)


def _sentence(sentence: str) -> Callable[..., MailRefused]:
    return lambda _error: MailRefused(sentence)


_KINDS: list[tuple[type[Exception], Callable[..., MailRefused]]] = [
    (smtplib.SMTPRecipientsRefused, _address_refused),
    (smtplib.SMTPSenderRefused, _response("The mail server refused the sender, BYLINE_MAIL_FROM")),
    (smtplib.SMTPAuthenticationError, _response("The mail server refused the user and password in BYLINE_SMTP_URL")),
    (smtplib.SMTPResponseException, _response("The mail server refused it")),
    (smtplib.SMTPNotSupportedError, _sentence("The mail server offers no encryption (STARTTLS) or no sign-in.")),
    (smtplib.SMTPServerDisconnected, _sentence("The mail server closed the connection before it had taken the mail.")),
    (ssl.SSLCertVerificationError, _sentence("The certificate of the mail server cannot be trusted.")),
    (ssl.SSLError, _sentence("No encrypted connection to the mail server could be made.")),
    (ConnectionResetError, _sentence("The mail server closed the connection before it had taken the mail.")),
    (BrokenPipeError, _sentence("The mail server closed the connection before it had taken the mail.")),
    (OSError, _sentence("The mail server cannot be reached.")),
]
