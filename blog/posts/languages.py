"""Tags of languages (BCP 47), as far as a site needs them: a language, and perhaps script and region. Pure."""

import re

LONGEST = 35
PATTERN = "[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
UNUSABLE = "Use a language tag such as en, de or pt-BR."

_TAG = re.compile(PATTERN)


def normalise_language(text: str) -> str | None:
    """The tag as it is stored, with the letters that are usual in it: `pt-BR`, `zh-Hant`; None when it is none."""
    tag = text.strip(" ")
    if not _TAG.fullmatch(tag):
        return None
    language, *rest = tag.split("-")
    return "-".join([language.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)])
