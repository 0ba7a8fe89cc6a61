"""What elements say of the language of their words (BCP 47), and which way they run."""

from functools import lru_cache

from flask import Flask
from markupsafe import Markup

from web.site.model import Site

_RTL_LANGUAGES = {"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}
_RTL_SCRIPTS = {"adlm", "arab", "hebr", "mand", "nkoo", "rohg", "syrc", "thaa"}


def init_languages(app: Flask) -> None:
    """Templates write attributes by `own|lang(site)` and `own|lang_and_dir(site)`, and ask `language is rtl`."""
    app.add_template_filter(_lang, "lang")
    app.add_template_filter(_lang_and_dir, "lang_and_dir")
    app.add_template_test(is_rtl, "rtl")


@lru_cache(maxsize=256)
def is_rtl(language: str) -> bool:
    """Whether it is written from right to left. A tag may name its script: `ug-Latn`."""
    first, *rest = language.lower().split("-")
    if rest and len(rest[0]) == 4:
        return rest[0] in _RTL_SCRIPTS
    return first in _RTL_LANGUAGES


def _lang(own: str, site: Site, around: str = "") -> Markup:
    """The attribute of words in the language `own` among words in `around`; empty: the site's."""
    return _attribute(own or site.language, around or site.language)


def _lang_and_dir(own: str, site: Site) -> Markup:
    """The same for a whole text, which also sets the direction of its page."""
    return _attributes(own or site.language, site.language)


@lru_cache(maxsize=1024)
def _attribute(own: str, around: str) -> Markup:
    return Markup() if own == around else Markup(' lang="{}"').format(own)


@lru_cache(maxsize=1024)
def _attributes(own: str, around: str) -> Markup:
    is_other_way = is_rtl(own) != is_rtl(around)
    direction = Markup(' dir="{}"').format("rtl" if is_rtl(own) else "ltr") if is_other_way else Markup()
    return _attribute(own, around) + direction
