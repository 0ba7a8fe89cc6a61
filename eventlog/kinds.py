"""Kinds of events: each declared once, by the package that owns it, with its private fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Coarsen = Callable[[str], str | None]

_declared: dict[str, "Kind"] = {}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: `subject.past_participle`."""

    name: str
    # Fields that nobody needs to read back as they came: stored as what the function makes of them, or not at all.
    private: Mapping[str, Coarsen] = field(default_factory=dict)
    # The field that names a person, where the subject is something of theirs; empty: the subject says it all.
    person: str = ""


def declare(name: str, *, private: Mapping[str, Coarsen] | None = None, person: str = "") -> Kind:
    """Declare a kind. Raises ValueError when somebody has declared it already."""
    if name in _declared:
        raise ValueError(f"The kind {name} is declared twice.")
    kind = Kind(name, private or {}, person)
    _declared[name] = kind
    return kind


def is_declared(kind: Kind) -> bool:
    """Whether this very kind was declared, and not merely made."""
    return _declared.get(kind.name) is kind


def fields_of_persons() -> dict[str, str]:
    """The kinds whose payload names a person, each with the field that does."""
    return {kind.name: kind.person for kind in _declared.values() if kind.person}


def declared_names() -> list[str]:
    """All names, sorted."""
    return sorted(_declared)
