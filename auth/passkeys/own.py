"""One's own passkeys: which there are, adding, naming and removing one."""

import sqlalchemy as sa

from auth.passkeys import queries
from auth.passkeys.challenges import Challenge, spend
from auth.passkeys.events import PASSKEY_ADDED, PASSKEY_REMOVED, PASSKEY_RENAMED, about
from auth.passkeys.model import Passkey
from auth.passkeys.relying_party import RelyingParty
from auth.passkeys.verifying import verify_new
from auth.principal import Principal
from auth.users.model import User
from auth.users.queries import has_password
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from storage import clock
from storage.ids import new_id
from web.errors import Conflict, Invalid, NotFound
from web.signing import Keys

MOST = 50
LONGEST_NAME = 100
LAST_WAY_IN = (
    "This is the last way into your account: you have no password, and no other passkey opens it here. Set a password "
    "or add another passkey first."
)
_TOO_OLD = "The page was open for over ten minutes, or its passkey was sent before. Please try once more."


def list_own_passkeys(db: sa.Connection, *, by: Principal) -> list[Passkey]:
    """All of them, the newest first."""
    assert by.user_id is not None
    return queries.list_passkeys_of(db, by.user_id)


def handle_of(keys: Keys, passkeys: list[Passkey], *, by: Principal) -> str:
    """What devices call this person: the same for all of their passkeys, and telling nothing about them."""
    if passkeys:
        return passkeys[-1].user_handle
    return keys.digest("passkey.person", str(by.user_id))


def add_passkey(
    db: sa.Connection, sent: str, challenge: Challenge | None, party: RelyingParty, *, name: str, by: Principal
) -> Passkey:
    """Store what a device has made for them. `challenge`: the one that the page carried, None if it was not good.

    Raises Invalid: for the name, for a challenge that was used before, and for what is not whole, not made for this
    site, not confirmed by its person, known already, or one too many.
    """
    assert by.user_id is not None
    name = _check_name(name)
    if len(queries.list_passkeys_of(db, by.user_id)) >= MOST:
        raise Invalid({"name": f"A person has at most {MOST} passkeys. Remove one first."})
    if challenge is None:
        raise Invalid({"credential": _TOO_OLD})
    made = verify_new(sent, challenge, party)
    if queries.find_credential(db, made.credential_id) is not None:
        raise Invalid({"credential": "This passkey was added before."})
    if not spend(db, challenge):
        raise Invalid({"credential": _TOO_OLD})
    passkey = Passkey(
        id=new_id(),
        credential_id=made.credential_id,
        user_handle=challenge.user_handle,
        host=party.host,
        transports=made.transports,
        name=name,
        created_at=clock.now(),
    )
    queries.insert_passkey(db, passkey, user_id=by.user_id, public_key=made.public_key, sign_count=made.sign_count)
    append_event(db, PASSKEY_ADDED, by=by, subject=about(passkey.id), payload={"name": name})
    return passkey


def rename_passkey(db: sa.Connection, passkey_id: str, name: str, *, by: Principal) -> None:
    """Call it something else. Raises NotFound; Invalid for the name."""
    passkey = find_own_passkey(db, passkey_id, by=by)
    name = _check_name(name)
    if name != passkey.name:
        queries.set_name(db, passkey_id, name)
        append_event(db, PASSKEY_RENAMED, by=by, subject=about(passkey_id), payload={"from": passkey.name, "to": name})


def remove_passkey(db: sa.Connection, passkey_id: str, *, host: str | None, by: Principal) -> None:
    """It opens nothing any more. `host`: the name that passkeys are made for here, None where none are.

    Raises NotFound; Conflict for the last way in.
    """
    passkey = find_own_passkey(db, passkey_id, by=by)
    assert by.user_id is not None
    others = [other for other in list_own_passkeys(db, by=by) if other.id != passkey_id]
    if not has_password(db, by.user_id) and not any(opens(other, host) for other in others):
        raise Conflict(LAST_WAY_IN)
    queries.delete_passkey(db, passkey_id)
    append_event(db, PASSKEY_REMOVED, by=by, subject=about(passkey_id), payload={"name": passkey.name})


def remove_passkeys(db: sa.Connection, user: User, *, by: Actor) -> None:
    """Remove all of a person, who has another way in or is given one."""
    for passkey in queries.list_passkeys_of(db, user.id):
        queries.delete_passkey(db, passkey.id)
        append_event(db, PASSKEY_REMOVED, by=by, subject=about(passkey.id), payload={"name": passkey.name})


def find_own_passkey(db: sa.Connection, passkey_id: str, *, by: Principal) -> Passkey:
    """One of theirs. Raises NotFound."""
    for passkey in list_own_passkeys(db, by=by):
        if passkey.id == passkey_id:
            return passkey
    raise NotFound("You have no passkey of that id, or it was removed.")


def opens(passkey: Passkey, host: str | None) -> bool:
    """Whether it opens the site under this name; where there are no passkeys, whether it may elsewhere."""
    return host is None or passkey.host == host


def _check_name(name: str) -> str:
    name = without_secrets(" ".join(name.split()))
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid({"name": f"Use 1 to {LONGEST_NAME} characters that can be shown."})
    return name
