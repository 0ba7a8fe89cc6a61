"""Days as the site's language writes them."""

from datetime import date
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError, localedata
from babel.dates import format_date

# English without a country: the day stands before the month, as in the interface.
_ENGLISH = "en-GB"

Form = Literal["long", "medium", "LLLL"]
"""`long`: 21 November 2026. `medium`: 21 Nov 2026. `LLLL`: November, as it stands alone."""


@lru_cache(maxsize=4096)
def write_day(day: date, language: str, form: Form) -> str:
    """The day in a language (BCP 47); in English when nobody knows how that one writes it."""
    return format_date(day, form, locale=_locale(language))


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    # What languages inherit is one object in Babel, and the first to resolve a part of it resolves it for all others:
    # after Japanese, months in Swahili are Japanese. So each language begins with nothing loaded.
    localedata._cache.clear()
    for tag in (_ENGLISH if language == "en" else language, language.split("-")[0], _ENGLISH):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError("Babel knows no English")
