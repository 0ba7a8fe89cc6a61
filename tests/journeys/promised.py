"""What sessions promise, as plain data: who should be whom, whatever the application says."""

from dataclasses import dataclass, field

from auth.permissions import Role
from auth.principal import FRESH_FOR
from auth.sessions.store import name_of
from storage import clock

# Written down a second time, as the contract has them.
IDLE = {True: 30 * clock.DAY, False: 24 * clock.HOUR}
ABSOLUTE = 180 * clock.DAY
SEEN_AGAIN_AFTER = clock.HOUR
RECORDED_ONCE_IN = 10 * clock.MINUTE


@dataclass
class Person:
    """Somebody, as the database should have them."""

    role: Role
    password: str
    is_blocked: bool = False


@dataclass
class SignedIn:
    """A session that was begun and not ended."""

    username: str
    created_at: int
    last_seen_at: int
    is_remembered: bool

    def is_past_a_limit(self, at: int) -> bool:
        return at >= self.last_seen_at + IDLE[self.is_remembered] or at >= self.created_at + ABSOLUTE

    def is_fresh(self, at: int) -> bool:
        return at - self.created_at < FRESH_FOR


@dataclass
class World:
    """Everything that a backup holds and a restore brings back: people, their sessions, what was recorded lately.

    A restore makes all of it what it was at the backup. Sessions of that time are live again, those that have ended
    since too, as far as no limit has passed; those begun since are gone.
    """

    people: dict[str, Person]
    sessions: dict[str, SignedIn] = field(default_factory=dict)  # by the whole id
    failures_recorded: dict[str, int] = field(default_factory=dict)

    def end(self, username: str, *, but: str | None = None) -> None:
        """All sessions of a person, but one."""
        for whole_id in [key for key, found in self.sessions.items() if found.username == username and key != but]:
            del self.sessions[whole_id]

    def is_last_owner(self, username: str) -> bool:
        return [name for name, one in self.people.items() if one.role == Role.OWNER and not one.is_blocked] == [
            username
        ]


@dataclass(frozen=True)
class Cookie:
    """A cookie that was handed out: nothing that happens to the database takes it back from whoever holds it."""

    value: str
    whole_id: str
    is_saved: bool
    signed_at: int
    key: str

    @property
    def name(self) -> str:
        """`epoch.counter`."""
        return name_of(self.whole_id)


def read_cookie(value: str, *, at: int, key: str) -> Cookie:
    """A cookie that an answer has just set."""
    text, _signed_at, _signature = value.rsplit(".", 2)
    whole_id, _, mark = text.rpartition(".")
    assert mark in ("s", "v")
    return Cookie(value, whole_id, mark == "s", at - at % clock.SECOND, key)


@dataclass
class Promises:
    """The world, the keys that count in it, and every cookie that was ever handed out."""

    world: World
    keys: list[str]  # the first one signs, all are recognised
    cookies: dict[str, Cookie] = field(default_factory=dict)  # by value
    names: dict[str, str] = field(default_factory=dict)  # `epoch.counter` → the whole id

    def hand_out(self, cookie: Cookie) -> None:
        """Remember it; a name belongs to one id for ever."""
        assert self.names.setdefault(cookie.name, cookie.whole_id) == cookie.whole_id, "an id was minted twice"
        self.cookies[cookie.value] = cookie

    def behind(self, cookie: Cookie | None, at: int) -> SignedIn | None:
        """The session that a cookie opens: begun with that very secret, not ended, of nobody blocked, within limits."""
        if cookie is None or not cookie.is_saved or cookie.key not in self.keys:
            return None
        found = self.world.sessions.get(cookie.whole_id)
        if found is None or self.world.people[found.username].is_blocked or found.is_past_a_limit(at):
            return None
        return found

    def see(self, cookie: Cookie, found: SignedIn, at: int) -> bool:
        """A page was read with it; whether the answer should sign it anew."""
        if cookie.key == self.keys[0] and at - cookie.signed_at < SEEN_AGAIN_AFTER:
            return False
        if found.last_seen_at <= at - SEEN_AGAIN_AFTER:
            found.last_seen_at = at
        return True
