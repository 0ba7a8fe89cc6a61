"""Where a tag stands."""

from urllib.parse import quote


def tag_path(tag: str) -> str:
    """The path of a tag's page as links have it, of its name as it is stored."""
    return f"/tags/{quote(tag, safe='')}"
