"""What is said of the pictures in a folder: `media/descriptions.json`, an object for each file."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from blog.transfer.beside import dump, load
from blog.transfer.links import MEDIA

PATH = f"{MEDIA}/descriptions.json"
MOST_BYTES = 64 * 1024 * 1024


class Description(NamedTuple):
    """What a picture shows, whether that matters, what its file was called, and in whose library it is."""

    alt: str = ""
    is_decorative: bool = False
    label: str = ""
    owners: tuple[str, ...] = ()  # usernames


def write(descriptions: Mapping[str, Description]) -> str:
    """The file, the same for the same descriptions."""
    written = {name: description._asdict() for name, description in descriptions.items()}
    return dump(written)


def read(data: bytes) -> dict[str, Description]:
    """What the file says, by name of a file beside it. Raises ValueError for what is no such file."""
    found = load(data)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return {name: _read_one(said) for name, said in found.items()}


def _read_one(said: Any) -> Description:
    if not isinstance(said, dict):
        raise ValueError("not an object for each file")
    alt, label, owners = said.get("alt", ""), said.get("label", ""), said.get("owners", [])
    if not isinstance(alt, str) or not isinstance(label, str):
        raise ValueError("words that are none")
    if not isinstance(owners, list) or not all(isinstance(name, str) for name in owners):
        raise ValueError("owners that are no list of names")
    return Description(alt, said.get("is_decorative") is True, label, tuple(dict.fromkeys(owners)))
