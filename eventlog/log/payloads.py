"""What is kept of a payload: canonical JSON, redacted, and no longer than a log needs."""

import json
from collections.abc import Mapping
from typing import Any

from eventlog.log.encoding import canonical
from eventlog.redaction import redact
from web.errors import Invalid

MOST_BYTES = 64 * 1024


def encode_payload(payload: Mapping[str, Any]) -> str:
    """The payload as it is stored. Secrets are cut out of its texts, and counted by pattern in its field `redacted`.

    Raises Invalid for what is not JSON or is over 64 KiB.
    """
    try:
        given = canonical(payload)
        _check_size(given)
        # As JSON has it: what Python writes as a list or a name may be of other types, which are not looked into.
        clean, found = redact(json.loads(given))
        assert isinstance(clean, dict)
        text = canonical({**clean, "redacted": found} if found else clean)
    except (ValueError, RecursionError) as error:
        raise Invalid({"payload": f"An event holds JSON only: {error}"}) from error
    _check_size(text)
    return text


def _check_size(text: str) -> None:
    if len(text.encode()) > MOST_BYTES:
        raise Invalid({"payload": f"An event holds at most {MOST_BYTES:,} bytes."})
