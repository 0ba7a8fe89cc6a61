"""What is said of the pictures in a folder: `media/descriptions.json`, an object for each file."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from blog.transfer.links import MEDIA

PATH = f"{MEDIA}/descriptions.json"
MOST_BYTES = 64 * 1024 * 1024


class Description(NamedTuple):
    """What a picture shows, whether that matters, and what its file was called."""

    alt: str = ""
    is_decorative: bool = False
    label: str = ""


def write(descriptions: Mapping[str, Description]) -> str:
    """The file, the same for the same descriptions."""
    written = {name: description._asdict() for name, description in descriptions.items()}
    return json.dumps(written, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def read(data: bytes) -> dict[str, Description]:
    """What the file says, by name of a file beside it. Raises ValueError for what is no such file."""
    try:
        found = json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return {name: _read_one(said) for name, said in found.items()}


def _read_one(said: Any) -> Description:
    if not isinstance(said, dict):
        raise ValueError("not an object for each file")
    alt, label = said.get("alt", ""), said.get("label", "")
    if not isinstance(alt, str) or not isinstance(label, str):
        raise ValueError("words that are none")
    return Description(alt, said.get("is_decorative") is True, label)
