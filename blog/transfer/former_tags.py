"""What the tags of a folder were called before: `former_tags.json`, an object from former to present names."""

from collections.abc import Mapping

import sqlalchemy as sa

from blog.tagging.events import TAG_RENAMED
from blog.tags.names import normalise_tag
from blog.tags.queries import find_present_tag, is_borne, keep_former_tag
from blog.transfer.beside import dump, load
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from web.site.queries import touch

PATH = "former_tags.json"
MOST_BYTES = 16 * 1024 * 1024


def write(former: Mapping[str, str]) -> str:
    """The file, the same for the same names; nothing when there are none."""
    return dump(former) if former else ""


def read(data: bytes) -> dict[str, str]:
    """What the file says. Raises ValueError for what is no such file, or names what no tag can be called."""
    found = load(data)
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found.values()):
        raise ValueError("not an object of names")
    return {normalise_tag(former): normalise_tag(present) for former, present in found.items()}


def take_in(db: sa.Connection, former: str, present: str, *, by: Actor) -> bool:
    """Let a former name lead to the present one; returns whether it does.

    It does not where posts bear the former name here, or where it leads somewhere else already.
    """
    present = find_present_tag(db, present) or present
    known = find_present_tag(db, former)
    if known is not None or former == present or is_borne(db, former):
        return known == present
    keep_former_tag(db, former, present=present)
    append_event(db, TAG_RENAMED, by=by, subject=f"tag:{present}", payload={"from": former, "to": present, "count": 0})
    touch(db)
    return True
