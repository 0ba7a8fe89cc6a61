"""The last step: an allow-list of what may reach a page, whoever wrote it."""

import re
from collections.abc import Callable

import nh3

from blog.rendering.highlighting import CODE_CLASSES, LANGUAGES

ID_PREFIX = "section_"
"""Before every id in a text, so that none meets an id of the page or hides a name of the DOM (`id=forms`)."""

TABLE_LABEL = "Table"
DONE_LABEL = "Done"
TODO_LABEL = "To do"
BACK_LABEL = "Back to the text"

SIZES = "(max-width: 40em) 100vw, 37em"
"""How wide an image is shown: as wide as the text, see `static/site.css`."""

_TAG_NAMES = """
    a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure
    h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p pre q rp rt ruby s samp section small span strong sub summary
    sup table tbody td tfoot th thead time tr u ul var wbr
"""
TAGS = frozenset(_TAG_NAMES.split())
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_CELL = {"colspan", "rowspan"}
_ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "title", "id"},
    "abbr": {"title"},
    "bdo": {"dir"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"datetime"},
    "details": {"open"},
    "dfn": {"title"},
    "img": {"src", "alt", "width", "height", "title", "srcset"},
    "input": {"checked", "disabled"},
    "ins": {"datetime"},
    "li": {"value", "id"},
    "ol": {"start", "reversed"},
    "td": _CELL,
    "th": _CELL,
    "time": {"datetime"},
    **{heading: {"id"} for heading in _HEADINGS},
}
_ALIGN = {"left", "center", "right"}
_VALUES = {
    "a": {"aria-label": {BACK_LABEL}},
    "div": {"tabindex": {"0"}, "role": {"group"}, "aria-label": {TABLE_LABEL}},
    "img": {"loading": {"lazy", "eager"}, "sizes": {SIZES}},
    "input": {"aria-label": {DONE_LABEL, TODO_LABEL}},
    "td": {"align": _ALIGN},
    "th": {"align": _ALIGN, "scope": {"col", "row", "colgroup", "rowgroup"}},
}
_CLASSES = {
    "a": {"footnote-back"},
    "code": {f"language-{language}" for language in LANGUAGES},
    "div": {"table-scroll"},
    "li": {"task-list-item"},
    "ol": {"contains-task-list"},
    "section": {"footnotes"},
    "span": CODE_CLASSES,
    "sup": {"footnote"},
    "ul": {"contains-task-list"},
}


def _prefix_fragment(url: str) -> str:
    """Let a link within the text find its heading, whose id carries the prefix."""
    if not url.startswith("#") or url == "#" or url.startswith(f"#{ID_PREFIX}"):
        return url
    return f"#{ID_PREFIX}{url[1:]}"


# Copies of an image come from this site, as the media of this site are named, and nothing else fetches anything.
_COPY = r"/[A-Za-z0-9_][A-Za-z0-9_./-]{0,300} [1-9][0-9]{0,4}w"
_COPIES = re.compile(rf"{_COPY}(?:, {_COPY}){{0,7}}")

_IGNORED_IN_ADDRESS = re.compile(r"[\t\n\r]")
_BLANKS_AND_CONTROLS = "".join(map(chr, range(0x21)))
# What stands for a host to a browser, which takes a backslash for a slash, and any number of them after http(s).
_HOST = re.compile(r"(?:https?:[/\\]*|[/\\]{2,})(?:[^/\\?#]*@)?([^/\\?#@]*)", re.IGNORECASE | re.ASCII)
_LONGEST_HOST = 300


def _make_cleaner(own_host: str | None) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=TAGS,
        attributes=_ATTRIBUTES,
        tag_attribute_values=_VALUES,
        # No field but a box. Code scrolls, and must do so with the keyboard too. One each: nh3 shuffles several.
        set_tag_attribute_values={"input": {"type": "checkbox"}, "pre": {"tabindex": "0"}},
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto"},
        url_relative=_prefix_fragment,
        id_prefix=ID_PREFIX,
        attribute_filter=_make_filter(own_host),
        # The links are the author's own word, not a stranger's comment: they vouch for them, so no nofollow, and the
        # site's Referrer-Policy decides on the referrer. noopener costs nothing and holds should a theme open new
        # windows. Added to every link after its other attributes, which is when the filter sees it.
        link_rel="noopener",
    )


def _make_filter(own_host: str | None) -> Callable[[str, str, str], str | None]:
    own = _normalise_host(own_host) if own_host else ""
    leads_away = False

    def keep(tag: str, attribute: str, value: str) -> str | None:
        nonlocal leads_away
        if tag == "a" and attribute == "href" and own:
            leads_away = _leads_away(value, own)
        elif tag == "a" and attribute == "rel" and leads_away:
            leads_away = False
            return f"{value} external"
        elif attribute == "srcset":
            return value if _COPIES.fullmatch(value) else None
        return value

    return keep


def _leads_away(url: str, own: str) -> bool:
    found = _HOST.match(_IGNORED_IN_ADDRESS.sub("", url).lstrip(_BLANKS_AND_CONTROLS))
    return found is not None and _normalise_host(found[1]) != own


def _normalise_host(host: str) -> str:
    """Give a host as it is asked for: small letters, without the port that goes without saying, in ASCII."""
    host = re.sub(r":(?:80|443)?$", "", host.lower()).removesuffix(".")
    try:
        return host if host.isascii() or len(host) > _LONGEST_HOST else host.encode("idna").decode()
    except UnicodeError:
        return host


def sanitise(html: str, *, own_host: str | None = None) -> str:
    """Give well-formed HTML with nothing in it but what is allowed; the words of a tag that is not stay.

    Links to another host than `own_host` (with its port, if it has one of its own) are marked `rel="external"`.
    The text must be encodable in UTF-8.
    """
    return _make_cleaner(own_host).clean(html)
