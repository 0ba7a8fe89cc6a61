"""Appending an event, in the transaction of the change that it records: neither is there without the other."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from eventlog.actors import Actor
from eventlog.kinds import Kind, is_declared
from eventlog.log import queries
from eventlog.log.encoding import GENESIS, digest_event, digest_payload
from eventlog.log.model import Event
from eventlog.log.payloads import encode_payload
from eventlog.redaction import redact
from storage import clock

_FIRST_MESSAGE = 200


def append_event(
    db: sa.Connection,
    kind: Kind,
    *,
    by: Actor,
    subject: str | None = None,
    payload: Mapping[str, Any] | None = None,
    first_message: str = "",
) -> Event:
    """Record that something happened; `db` is the transaction in which it happens, begun for writing.

    Secrets are redacted from the payload's texts, and counted in its field `redacted`; fields that the kind declares
    private are stored coarse or left out. Raises ValueError for a kind that nobody declared, Invalid for a payload that
    is not JSON or is over 64 KiB.
    """
    if not is_declared(kind):
        raise ValueError(f"The kind {kind.name} is not declared.")
    text = encode_payload(_coarse(kind, payload or {}))
    previous = queries.last_link(db)
    salt = secrets.token_hex(16)
    event = Event(
        id=1 if previous is None else previous[0] + 1,
        session_id=by.log_session,
        kind=kind.name,
        actor=by.log_name,
        subject=subject,
        occurred_at=clock.now(),
        payload=None,
        payload_digest=digest_payload(salt, text),
        previous_digest=GENESIS if previous is None else previous[1],
        digest="",
    )
    event = replace(event, digest=digest_event(event))
    queries.insert_event(db, event, payload=text, salt=salt)
    queries.count_event(db, event, first_message=cut(str(redact(first_message)[0])))
    return event


def cut(text: str) -> str:
    """A text short enough for a list, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= _FIRST_MESSAGE else line[: _FIRST_MESSAGE - 1] + "…"


def _coarse(kind: Kind, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload without what its kind declares private, or with the coarse form of it."""
    kept = {}
    for name, value in payload.items():
        coarsen = kind.private.get(name)
        stored = value if coarsen is None else coarsen(str(value))
        if coarsen is None or stored is not None:
            kept[name] = stored
    return kept
