"""What a rendered post may hold, said once more and looked for without the sanitiser: by Python's own HTML parser."""

import re
from html.parser import HTMLParser

TAG_NAMES = """
    a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure
    h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p pre q rp rt ruby s samp section small span strong sub summary
    sup table tbody td tfoot th thead time tr u ul var wbr
"""
TAGS = set(TAG_NAMES.split())
VOID = {"br", "col", "hr", "img", "input", "wbr"}
ATTRIBUTES = {
    "a": {"href", "title", "id", "rel", "class", "aria-label"},
    "abbr": {"title"},
    "code": {"class"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"datetime"},
    "details": {"open"},
    "dfn": {"title"},
    "div": {"class", "tabindex", "role", "aria-label"},
    "img": {"src", "alt", "width", "height", "title", "loading", "srcset", "sizes"},
    "input": {"type", "disabled", "checked", "aria-label"},
    "ins": {"datetime"},
    "li": {"id", "class", "value"},
    "ol": {"class", "start", "reversed"},
    "pre": {"tabindex"},
    "section": {"class"},
    "span": {"class"},
    "sup": {"class"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "ul": {"class"},
    **{f"h{level}": {"id"} for level in range(2, 7)},
}
CLASSES = re.compile(
    r"(|table-scroll|footnotes?|footnote-back|contains-task-list|task-list-item|language-[a-z+#-]+|[a-z]{1,2})"
)
SCHEMES = {"http", "https", "mailto"}


class Page(HTMLParser):
    """The elements and the text of some HTML, and everything in it that may not be there."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attributes.items():
            if name not in ATTRIBUTES.get(tag, set()) | {"lang", "dir"} or not is_allowed(name, value):
                self.faults.append(f"<{tag} {name}={value!r}>")
        if tag == "input" and (attributes.get("type"), attributes.get("disabled")) != ("checkbox", ""):
            self.faults.append(f"<input {attributes}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes what is not open")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.faults.append(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"<?{data}>")


def is_allowed(name: str, value: str) -> bool:
    """Whether an attribute that may stand there may have that value."""
    if name in ("href", "src"):
        # Browsers drop tabs and newlines anywhere in an address, and control characters and spaces before it.
        address = re.sub(r"[\t\n\r]", "", value).lstrip("".join(map(chr, range(0x21)))).lower()
        scheme = re.match(r"([a-z][a-z0-9+.-]*):", address)
        return scheme is None or scheme[1] in SCHEMES
    if name == "class":
        return all(CLASSES.fullmatch(word) for word in value.split(" "))
    return {
        "id": value.startswith("section_"),
        "rel": value in ("noopener", "noopener external"),
        "srcset": re.fullmatch(r"/\w[\w./-]* \d+w(, /\w[\w./-]* \d+w)*", value, re.ASCII) is not None,
        "sizes": value == "(max-width: 40em) 100vw, 37em",
        "tabindex": value == "0",
        "role": value == "group",
        "loading": value in ("lazy", "eager"),
        "align": value in ("left", "center", "right"),
    }.get(name, True)
