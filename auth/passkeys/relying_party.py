"""For which name devices make passkeys here, and why there may be none."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

_HERE = "Passkeys are not offered at this address"
_BY_OWNER = "The owner of this site can give it an address that begins with https."


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site, as browsers know it."""

    host: str  # WebAuthn's RP ID
    origin: str


@dataclass(frozen=True, slots=True)
class NotOffered:
    """There are no passkeys at this address; why, in a sentence or two."""

    reason: str


def find_relying_party(origin: str) -> RelyingParty | NotOffered:
    """What passkeys are made for when the site is at `origin`: a name, reached over https or on this very machine."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if _is_number(host):
        rest = f"Open this site as {_by_name(origin)} instead." if _is_own_machine(host) else _BY_OWNER
        return NotOffered(f"{_HERE}: they need a name, and {host} is a number. {rest}")
    if not host:
        return NotOffered(f"{_HERE}: it has no name.")
    if parts.scheme != "https" and host != "localhost" and not host.endswith(".localhost"):
        return NotOffered(f"{_HERE}: browsers keep them for encrypted connections (https). {_BY_OWNER}")
    return RelyingParty(host, origin)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_own_machine(host: str) -> bool:
    address = ipaddress.ip_address(host)
    return address.is_loopback or address.is_unspecified


def _by_name(origin: str) -> str:
    port = urlsplit(origin).port
    return "http://localhost" + ("" if port is None else f":{port}")
