"""Where a tag stands."""

from functools import lru_cache
from urllib.parse import quote


@lru_cache(maxsize=4096)
def tag_path(tag: str) -> str:
    """The path of a tag's page as links have it, of its name as it is stored."""
    return f"/tags/{quote(tag, safe='')}"
