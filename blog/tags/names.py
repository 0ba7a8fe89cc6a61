"""What a tag may be called."""

import re
import unicodedata
from collections.abc import Iterable

MOST, LONGEST = 20, 50


class UnusableTags(ValueError):
    """Tags that cannot be used; the message says why."""


def split_tags(text: str) -> list[str]:
    """Tags as a person types them, separated by commas."""
    return [part for part in text.split(",") if part.strip()]


def normalise_tags(names: Iterable[str]) -> list[str]:
    """The names as they are stored: lower case, single spaces, each once, in the order given. Raises UnusableTags."""
    tags = list(dict.fromkeys(normalise_tag(name) for name in names))
    if len(tags) > MOST:
        raise UnusableTags(f"Use at most {MOST} tags.")
    return tags


def normalise_tag(name: str) -> str:
    """One name as it is stored. Raises UnusableTags."""
    if len(name) > LONGEST:
        raise UnusableTags(f"A tag has at most {LONGEST} characters.")
    # Small letters may compose where capitals did not: J and a caron.
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).lower())
    tag = re.sub(r"\s+", " ", lowered).strip()
    # A slash or a pair of dots would be read as a folder in the tag's address.
    if not tag or tag in (".", "..") or any(c in ',/\\?#"<>' or not c.isprintable() for c in tag):
        raise UnusableTags('Tags are words without , / \\ ? # " < >.')
    if len(tag) > LONGEST:
        raise UnusableTags(f"A tag has at most {LONGEST} characters.")
    return tag


def without_accents(name: str) -> str:
    """What a name is sorted by among others: é beside e."""
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
