"""Who answers: the guides that the owner configures. One is always left."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations import guide_queries
from blog.conversations.events import GUIDE_CHANGED
from blog.conversations.model import Guide, Scope
from eventlog.log.appending import append_event
from storage import clock
from storage.ids import new_id, parse_id
from web.errors import Conflict, Invalid, NotFound, Stale

LONGEST_NAME = 80
LONGEST_PROMPT = 8000
LONGEST_GREETING = 500
MOST_GUIDES = 50


def add_guide(db: sa.Connection, *, name: str, system_prompt: str, greeting: str, scope: str, by: Principal) -> Guide:
    """Another one, for conversations that begin from now on. Raises Invalid for all fields at once; Conflict."""
    _check_room(db)
    guide = Guide(new_id(), *_checked(name, system_prompt, greeting, scope), version=1, retired_at=None)
    guide_queries.insert_guide(db, guide, at=clock.now())
    _record(db, guide, "added", by=by)
    return guide


def change_guide(
    db: sa.Connection,
    guide_id: str,
    *,
    name: str,
    system_prompt: str,
    greeting: str,
    scope: str,
    version: int | None = None,
    by: Principal,
) -> Guide:
    """Set what it is, from its next answer on, also of one that is retired; with nothing changed there is no event.

    Raises NotFound; Stale when `version` is given and is not the current one; Invalid for all fields at once.
    """
    guide = find_guide(db, guide_id)
    if version is not None and version != guide.version:
        raise Stale(guide.version)
    values = _checked(name, system_prompt, greeting, scope)
    if values == (guide.name, guide.system_prompt, guide.greeting, guide.scope):
        return guide
    changed = Guide(guide.id, *values, version=guide.version + 1, retired_at=guide.retired_at)
    guide_queries.update_guide(db, changed)
    _record(db, changed, "changed", by=by)
    return changed


def retire_guide(db: sa.Connection, guide_id: str, *, by: Principal) -> None:
    """Let it begin nothing any more; conversations with it go on. Raises NotFound; Conflict for the last one."""
    guide = find_guide(db, guide_id)
    if guide.retired_at is not None:
        return
    if len(guide_queries.list_guides(db)) == 1:
        raise Conflict("This is the last guide, and somebody has to answer. Add another one first.")
    guide_queries.set_retired(db, guide.id, at=clock.now())
    _record(db, guide, "retired", by=by)


def bring_back_guide(db: sa.Connection, guide_id: str, *, by: Principal) -> None:
    """Let a retired one be chosen again. Raises NotFound; Conflict when there are as many as there may be."""
    guide = find_guide(db, guide_id)
    if guide.retired_at is None:
        return
    _check_room(db)
    guide_queries.set_retired(db, guide.id, at=None)
    _record(db, guide, "brought back", by=by)


def find_guide(db: sa.Connection, name: str) -> Guide:
    """One of them, also a retired one. Raises NotFound."""
    known = parse_id(name)
    guide = None if known is None else guide_queries.find_any_guide(db, known)
    if guide is None:
        raise NotFound("There is no guide of that id.")
    return guide


def _check_room(db: sa.Connection) -> None:
    if len(guide_queries.list_guides(db)) >= MOST_GUIDES:
        raise Conflict(f"There are {MOST_GUIDES} guides already. Retire one first.")


def _record(db: sa.Connection, guide: Guide, change: str, *, by: Principal) -> None:
    append_event(db, GUIDE_CHANGED, by=by, subject=f"guide:{guide.id}", payload={"name": guide.name, "change": change})


def _checked(name: str, system_prompt: str, greeting: str, scope: str) -> tuple[str, str, str, Scope]:
    name = " ".join(name.split())
    system_prompt, greeting = _lines(system_prompt), _lines(greeting)
    faults = {}
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        faults["name"] = f"Use 1 to {LONGEST_NAME} characters that can be shown."
    if not 1 <= len(system_prompt) <= LONGEST_PROMPT or not _can_be_shown(system_prompt):
        faults["system_prompt"] = f"Use 1 to {LONGEST_PROMPT:,} characters that can be shown."
    if len(greeting) > LONGEST_GREETING or not _can_be_shown(greeting):
        faults["greeting"] = f"Use at most {LONGEST_GREETING} characters that can be shown."
    if scope not in tuple(Scope):
        faults["scope"] = "Choose one of these."
    if faults:
        raise Invalid(faults)
    return name, system_prompt, greeting, Scope(scope)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _can_be_shown(text: str) -> bool:
    return text.replace("\n", "").replace("\t", "").isprintable()
