"""The last step: an allow-list of what may reach a page, whoever wrote it."""

import nh3

from blog.rendering.highlighting import CODE_CLASSES, LANGUAGES

ID_PREFIX = "section_"
"""Before every id in a text, so that none meets an id of the page or hides a name of the DOM (`id=forms`)."""

TABLE_LABEL = "Table"
DONE_LABEL = "Done"
TODO_LABEL = "To do"
BACK_LABEL = "Back to the text"

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
    "img": {"src", "alt", "width", "height", "title"},
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
    "img": {"loading": {"lazy", "eager"}},
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


_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=_ATTRIBUTES,
    tag_attribute_values=_VALUES,
    # No field but a box. Code scrolls, and must do so with the keyboard too. One each: nh3 shuffles several.
    set_tag_attribute_values={"input": {"type": "checkbox"}, "pre": {"tabindex": "0"}},
    allowed_classes=_CLASSES,
    url_schemes={"http", "https", "mailto"},
    url_relative=_prefix_fragment,
    id_prefix=ID_PREFIX,
    # The links are the author's own word, not a stranger's comment: they vouch for them, so no nofollow, and the
    # site's Referrer-Policy decides on the referrer. noopener costs nothing and holds should a theme open new windows.
    link_rel="noopener",
)


def sanitise(html: str) -> str:
    """Give well-formed HTML with nothing in it but what is allowed; the words of a tag that is not stay.

    The text must be encodable in UTF-8.
    """
    return _CLEANER.clean(html)
