"""How often one may fail: per name from one address, per address, and per name from places it was never signed in from.

Every attempt is counted before password or code are looked at, in one transaction, so that many at once are counted
too; what was right takes its count back, and a sign-in that is done forgets the failures of that name there. Reaching a
limit locks the key: ten minutes, then twice as long each time, up to an hour.

A new password that was set on the terminal, by an owner's link or with a recovery code lets its person in again: for
ten minutes only new tries from each address count.
"""

import ipaddress
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from auth.signin import queries
from auth.signin.queries import Counter
from storage import clock
from web.errors import TooMany
from web.signing import Keys

_WINDOW = 10 * clock.MINUTE
_LONGEST_LOCK = clock.HOUR
_REMEMBER_LOCKS = clock.DAY
_KNOWN_PLACE = 30 * clock.DAY
_LET_IN = 10 * clock.MINUTE

_PER_NAME_AND_ADDRESS = 10
_PER_ADDRESS = 50
_PER_NAME_FROM_UNKNOWN_PLACES = 100
_REGISTRATIONS_PER_ADDRESS = 10
_REGISTRATION_WINDOW = clock.HOUR


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in: the keys it counts under, with their limits."""

    limits: dict[str, int]
    own_key: str  # name and address; empty where nobody has said whose
    place_key: str
    changes: dict[str, tuple[Counter | None, Counter]] = field(default_factory=dict)  # what counting it has changed


def count_attempt(db: sa.Connection, keys: Keys, *, username: str | None, address: str) -> Attempt:
    """Count a try that is about to be made. Raises TooMany, and then counts nothing.

    `username`: None where nobody has said whose account it is for, and then the address alone counts.
    """
    at = clock.now()
    network = _network_of(address)
    if username is None:
        attempt = Attempt({_address_key(keys, network): _PER_ADDRESS}, own_key="", place_key="")
    else:
        attempt = _attempt(db, keys, username[:100], network, at)
    known = queries.read_counters(db, list(attempt.limits))
    locked_until = max(
        (c.window_ends_at for c in known.values() if _is_running(c, at) and c.failure_count >= attempt.limits[c.key]),
        default=0,
    )
    if locked_until:
        seconds = -(-(locked_until - at) // clock.SECOND)
        raise TooMany(f"Please wait {_in_words(seconds)} and try again.", retry_after_seconds=seconds)
    queries.sweep(db, at=at)
    for key, limit in attempt.limits.items():
        attempt.changes[key] = known.get(key), _one_more(known.get(key), key, limit, at)
        queries.write_counter(db, attempt.changes[key][1])
    return attempt


def name_attempt(keys: Keys, attempt: Attempt, *, username: str, address: str) -> Attempt:
    """The same try, when it has turned out whose account it was for."""
    network = _network_of(address)
    return replace(attempt, own_key=_own_key(keys, username, network), place_key=_place_key(keys, username, network))


def count_registration(db: sa.Connection, keys: Keys, address: str) -> None:
    """Count somebody who makes an account of their own accord. Raises TooMany, and then counts nothing."""
    at = clock.now()
    key = keys.digest("throttle", f"registration\n{_network_of(address)}")
    known = queries.read_counters(db, [key]).get(key)
    # One that ends later than that was begun when the clock was ahead.
    if known is None or not at < known.window_ends_at <= at + _REGISTRATION_WINDOW:
        known = Counter(key, 0, at + _REGISTRATION_WINDOW, 0, at + _REGISTRATION_WINDOW)
    if known.failure_count >= _REGISTRATIONS_PER_ADDRESS:
        seconds = -(-(known.window_ends_at - at) // clock.SECOND)
        raise TooMany(
            f"Many accounts were made from where you are. Please wait {_in_words(seconds)} and try again.",
            retry_after_seconds=seconds,
        )
    queries.sweep(db, at=at)
    queries.write_counter(db, replace(known, failure_count=known.failure_count + 1))


def take_back(db: sa.Connection, attempt: Attempt) -> None:
    """Somebody is signed in: the name's own counter begins anew, the others lose this try, the place is known."""
    queries.delete_counters(db, [attempt.own_key])
    give_back(db, attempt)
    queries.note_place(db, attempt.place_key, forget_at=clock.now() + _KNOWN_PLACE)


def give_back(db: sa.Connection, attempt: Attempt) -> None:
    """What was tried was right, and nobody is signed in by it yet: this try is no failure, and all others still are."""
    for key, counter in queries.read_counters(db, list(attempt.limits)).items():
        before, after = attempt.changes[key]
        if counter != after:
            queries.write_counter(db, replace(counter, failure_count=max(0, counter.failure_count - 1)))
        elif before is not None:
            # Nobody has tried meanwhile: also the lock that this one has brought about is lifted.
            queries.write_counter(db, before)
        else:
            queries.delete_counters(db, [key])


def let_in(db: sa.Connection, keys: Keys, *, username: str) -> None:
    """For ten minutes no lock keeps that person out, whoever has brought it about; ten tries from an address are left.

    A sign-in within that time also ends the lock of the place it comes from.
    """
    queries.note_place(db, _let_in_key(keys, username), forget_at=clock.now() + _LET_IN)


def is_failure_due(db: sa.Connection, keys: Keys, *, username: str) -> bool:
    """Whether the last failure of that name that was to be recorded is ten minutes ago; this one then counts as it."""
    at = clock.now()
    key = keys.digest("throttle", f"recorded\n{username[:100]}")
    known = queries.read_counters(db, [key]).get(key)
    # One that ends later than that was noted when the clock was ahead.
    if known is not None and at < known.window_ends_at <= at + _WINDOW:
        return False
    queries.write_counter(db, Counter(key, 1, at + _WINDOW, 0, at + _WINDOW))
    return True


def _attempt(db: sa.Connection, keys: Keys, username: str, network: str, at: int) -> Attempt:
    own_key, place_key = _own_key(keys, username, network), _place_key(keys, username, network)
    let_in_until = queries.known_until(db, _let_in_key(keys, username))
    # One that ends later than that was noted when the clock was ahead.
    if let_in_until is not None and at < let_in_until <= at + _LET_IN:
        fresh_key = keys.digest("throttle", f"name and address\n{username}\n{network}\n{let_in_until}")
        return Attempt({fresh_key: _PER_NAME_AND_ADDRESS}, own_key, place_key)
    limits = {own_key: _PER_NAME_AND_ADDRESS, _address_key(keys, network): _PER_ADDRESS}
    if not queries.is_known_place(db, place_key, at=at):
        limits[keys.digest("throttle", f"name\n{username}")] = _PER_NAME_FROM_UNKNOWN_PLACES
    return Attempt(limits, own_key, place_key)


def _own_key(keys: Keys, username: str, network: str) -> str:
    return keys.digest("throttle", f"name and address\n{username}\n{network}")


def _place_key(keys: Keys, username: str, network: str) -> str:
    return keys.digest("throttle", f"place\n{username}\n{network}")


def _address_key(keys: Keys, network: str) -> str:
    return keys.digest("throttle", f"address\n{network}")


def _let_in_key(keys: Keys, username: str) -> str:
    return keys.digest("throttle", f"let in\n{username}")


def _is_running(counter: Counter, at: int) -> bool:
    # One that ends later than that was begun when the clock was ahead.
    return at < counter.window_ends_at <= at + (_LONGEST_LOCK if counter.lock_count else _WINDOW)


def _one_more(counter: Counter | None, key: str, limit: int, at: int) -> Counter:
    is_running = counter is not None and _is_running(counter, at)
    count = (counter.failure_count if counter is not None and is_running else 0) + 1
    lock_count = counter.lock_count if counter is not None else 0
    ends_at = counter.window_ends_at if counter is not None and is_running else at + _WINDOW
    if count >= limit:
        ends_at = at + min(_WINDOW * 2**lock_count, _LONGEST_LOCK)
        lock_count += 1
    return Counter(key, count, ends_at, lock_count, max(ends_at, at + (_REMEMBER_LOCKS if lock_count else 0)))


def _network_of(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        # One household or one server holds a whole /64.
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _in_words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{-(-seconds // 60)} minutes"
