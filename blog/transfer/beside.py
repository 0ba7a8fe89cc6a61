"""The files of JSON beside the posts of a folder: written the same for the same, and read from anybody. Pure."""

import json
from typing import Any


def dump(values: Any) -> str:
    """What a file says, a line for each value, for people and for programs that compare."""
    return json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def load(data: bytes) -> Any:
    """What a file says. Raises ValueError for what is no JSON, or holds what is no character."""
    try:
        found = json.loads(data)
        json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except UnicodeEncodeError as error:
        raise ValueError("half of a character (a lone surrogate)") from error
    return found
