"""Text in which case makes no difference, in any script: SQLite's own `lower` knows ASCII only."""

import unicodedata


def folded(text: str | None) -> str | None:
    """The text to compare. Statements call it by this name; no index may, since Python's Unicode grows."""
    if text is None or text.isascii():
        return text and text.lower()
    return unicodedata.normalize("NFC", text.casefold())
