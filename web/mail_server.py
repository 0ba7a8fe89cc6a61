"""The server that takes mail, and what an address is: what the settings say, checked."""

import ipaddress
import re
from dataclasses import dataclass, field
from email.utils import formataddr
from urllib.parse import unquote, urlsplit

_LONGEST_ADDRESS = 254
# What HTML takes for an e-mail address; no header can be smuggled in through it.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}
_LIKE = "must look like smtp://user:password@host:587 or smtps://user:password@host"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and as whom."""

    host: str
    port: int
    is_encrypted: bool  # from the first byte; otherwise by STARTTLS
    username: str
    password: str = field(repr=False)

    @property
    def is_here(self) -> bool:
        """Whether it runs on this very machine, so that nothing leaves on the way to it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_mail_server(url: str) -> MailServer:
    """Read a URL. Raises ValueError, which repeats nothing of what may be the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"{_LIKE}; signs such as / and # in the password are written as %2F and %23") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0:
        raise ValueError(_LIKE)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{_LIKE}, and nothing behind it; signs such as / and # are written as %2F and %23")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(username) != bool(password):
        raise ValueError("needs a user and a password, or neither")
    if not all(text.isascii() and (text.isprintable()) for text in (username, password)):
        raise ValueError("holds a user or a password that is not ASCII")
    port = port or _DEFAULT_PORTS[parts.scheme]
    return MailServer(parts.hostname, port, parts.scheme == "smtps", username, password)


def parse_address(text: str) -> str | None:
    """An e-mail address as it is written on the wire; None for what is none, or more than one."""
    local, at, domain = text.strip().rpartition("@")
    try:
        address = f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return None
    return address if len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address) else None


def check_sender(text: str | None) -> str | None:
    """An address, alone or behind a name: `Notes <notes@example.org>`. Raises ValueError."""
    if text is None:
        return None
    name, is_named, found = text.strip().removesuffix(">").rpartition("<")
    name, address = name.strip().strip('"'), parse_address(found)
    if address is None or not text.isprintable() or bool(is_named) != text.strip().endswith(">") or "<" in name:
        raise ValueError("must look like notes@example.org or Notes <notes@example.org>")
    return formataddr((name, address)) if name else address
