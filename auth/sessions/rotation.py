"""Which keys the live sessions are signed with, so that an older key is dropped when nobody needs it any more."""

from auth.sessions.queries import Signed, count_live_by_key
from storage import clock
from storage.engine import Database
from web.settings import Settings
from web.signing import find_keys

_NAME = "SECRET_KEY_FALLBACKS"


def check_keys(database: Database, settings: Settings) -> list[tuple[bool, str]]:
    """For `byline doctor`: how many sessions each key has signed, and which older keys may go. It only reads."""
    with database.reading() as db:
        counted = {each.signed_with: each for each in count_live_by_key(db, at=clock.now())}
    total = sum(each.session_count for each in counted.values())
    keys = find_keys(settings)
    fingerprint, older = (None, []) if keys is None else (keys.fingerprint, keys.fallback_fingerprints)
    current = counted.pop(fingerprint, None) if fingerprint is not None else None
    said = [_describe_current(current.session_count if current else 0, total)]
    unknown = counted.pop(None, None)
    for number, former in enumerate(older, 1):
        if former != fingerprint:
            said.append(_describe_older(number, counted.pop(former, None), total, is_sure=unknown is None))
    if unknown is not None:
        said.append(
            f"Of {unknown.session_count:,} of {total:,} live sessions it was not noted with which key they are signed: "
            f"keep every key of {_NAME} until {_latest(unknown)}, or until this is none"
        )
    if counted:
        lost_count = sum(each.session_count for each in counted.values())
        said.append(
            f"{lost_count:,} of {total:,} live sessions are signed with a key that is not named any more, so they open "
            f"nothing: their people sign in again, unless you name that key in {_NAME}"
        )
    return [(True, sentence) for sentence in said]


def _describe_current(count: int, total: int) -> str:
    if total == 0:
        return "Nobody is signed in"
    if count == total:
        return f"Every live session ({total:,}) is signed with the current key"
    return f"{count:,} of {total:,} live sessions are signed with the current key"


def _describe_older(number: int, signed: Signed | None, total: int, *, is_sure: bool) -> str:
    name = f"key {number} of {_NAME}"
    if signed is not None:
        return (
            f"{signed.session_count:,} of {total:,} live sessions are still signed with {name}. Each is signed anew at "
            f"its person's next visit, and the last ends by {_latest(signed)}: keep the key until then, or until this "
            "says none"
        )
    if is_sure:
        return f"No live session is signed with {name}: it may be dropped"
    return f"No live session is known to be signed with {name}"


def _latest(signed: Signed) -> str:
    return clock.to_rfc3339(signed.ends_by)
