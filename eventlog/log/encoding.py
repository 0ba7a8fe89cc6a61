"""The one canonical form of an event, and the digests that chain each to the one before."""

import hashlib
import json
from typing import Any

from eventlog.log.model import SCHEMA_VERSION, Event
from storage import clock

# What stands before the first event.
GENESIS = "0" * 64

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def encode_event(event: Event) -> str:
    """One line of JSON: sorted keys, no spaces, UTF-8, times in RFC 3339."""
    return canonical(describe(event))


def describe(event: Event) -> dict[str, Any]:
    """What that line says."""
    return {
        "schema_version": SCHEMA_VERSION,
        "id": event.id,
        "session_id": event.session_id,
        "kind": event.kind,
        "actor": event.actor,
        "subject": event.subject,
        "occurred_at": clock.to_rfc3339(event.occurred_at),
        "payload": event.payload,
        "payload_digest": event.payload_digest,
        "previous_digest": event.previous_digest,
        "digest": event.digest,
    }


def canonical(value: Any) -> str:
    """JSON in one form only. Raises ValueError for what JSON cannot hold: NaN, other types, half characters."""
    try:
        text = _ENCODER.encode(value)
        text.encode()
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError(f"This cannot be written as JSON: {error}") from error
    return text


def digest_payload(salt: str, payload: str) -> str:
    """Salted, so that an emptied payload cannot be guessed."""
    return hashlib.sha256(f"{salt}\n{payload}".encode()).hexdigest()


def digest_event(event: Event) -> str:
    """Over the digest before, the envelope and the payload's digest; it survives the payload."""
    envelope = [
        event.previous_digest,
        event.id,
        event.session_id,
        event.kind,
        event.actor,
        event.subject,
        event.occurred_at,
        event.payload_digest,
    ]
    return hashlib.sha256(canonical(envelope).encode()).hexdigest()
