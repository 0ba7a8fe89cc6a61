"""The words that go with a picture: what it shows, and what its file was called. Pure: no database."""

import re
import unicodedata

from web.errors import Invalid

LONGEST_ALT = 1000
LONGEST_LABEL = 100


def check_alt(alt: str) -> str:
    """A description in one line. Raises Invalid."""
    line = unicodedata.normalize("NFC", " ".join(alt.split()))
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in line):
        raise Invalid({"alt": "It holds a character that cannot be shown. Take it out."})
    if len(line) > LONGEST_ALT:
        raise Invalid({"alt": f"A description has at most {LONGEST_ALT:,} characters; this one has {len(line):,}."})
    return line


def label_from(name: str | None) -> str:
    """A file's name, only to be read: without folders and what cannot be shown, and not too long."""
    last = re.split(r"[/\\]", name or "")[-1]
    shown = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C")
    return " ".join(shown.split()).strip(".")[:LONGEST_LABEL].strip()
