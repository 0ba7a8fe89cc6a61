"""What is recorded about sign-ins."""

import ipaddress

from eventlog.kinds import declare


def coarse_address(address: str) -> str | None:
    """The network that an address lies in: enough to know a stranger by, too little to find a person with."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return str(ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False))


SESSION_SIGNED_IN = declare("session.signed_in", private={"address": coarse_address})
SESSION_SIGN_IN_FAILED = declare("session.sign_in_failed", private={"address": coarse_address})
# Seen from another network than before: noted when the session is, which is once an hour at most.
SESSION_MOVED = declare("session.moved", private={"address": coarse_address})
SESSION_SIGNED_OUT = declare("session.signed_out")
SESSION_ENDED = declare("session.ended")
