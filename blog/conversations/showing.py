"""What a guide said, as HTML: untrusted Markdown, without pictures and without what a page's own markup is made of."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from html import escape

import nh3

from blog.conversations.model import Passage
from blog.rendering import render
from blog.rendering.sanitising import TABLE_LABEL

_TEXT = "a blockquote br code del em hr li ol p pre s strong sub sup ul"
_TABLES = "div table tbody td th thead tr"
_TAGS = {*_TEXT.split(), *_TABLES.split()}
_ATTRIBUTES = {"a": {"href", "rel"}, "ol": {"start"}}
_ALIGN = {"align": {"left", "center", "right"}}
# Wide tables and code scroll by themselves, with the keyboard too, as they do in posts.
_VALUES = {
    "div": {"tabindex": {"0"}, "role": {"group"}, "aria-label": {TABLE_LABEL}},
    "pre": {"tabindex": {"0"}},
    "td": _ALIGN,
    "th": _ALIGN,
}
_CLASSES = {"div": {"table-scroll"}}

# Of sanitised HTML: a tag, or the text between two.
_PIECE = re.compile(r'<(?P<end>/?)(?P<name>[a-z][a-z0-9]*)(?P<rest>(?: [a-z-]+="[^"]*")*)>|[^<]+')
_BACK = re.compile(r'<a href="#[^"]*" class="footnote-back"[^>]*>.*?</a>')
_CITATION = re.compile(r"\[[1-9][0-9]?\]")
_NOT_CITING = frozenset({"a", "code", "pre"})
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})


def show(content: str, *, own_host: str | None, passages: Sequence[Passage] = ()) -> str:
    """The HTML of an answer. Links that leave the site say so, as they do in posts; `[1]` leads to the first passage.

    A heading is a paragraph of its own: the headings of the page are not the guide's. Nothing has a name to lead to.
    """
    html = _BACK.sub("", render(content, language=None, own_host=own_host))
    return nh3.clean(
        "".join(_written(html, passages)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        tag_attribute_values=_VALUES,
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )


def _written(html: str, passages: Sequence[Passage]) -> Iterator[str]:
    links = {
        f"[{each.number}]": f'<a href="{escape(each.url)}" rel="noopener">[{each.number}]</a>' for each in passages
    }
    # What is quoted of a post may have such numbers of its own.
    links_in_quotes = {
        written: link for written, link in links.items() if not any(written in each.quote for each in passages)
    }
    not_citing, quotes, leads_nowhere = 0, 0, False
    for piece in _PIECE.finditer(html):
        name, step = piece["name"], -1 if piece["end"] else 1
        not_citing += step if name in _NOT_CITING else 0
        quotes += step if name == "blockquote" else 0
        if name is None:
            known = {} if not_citing else links_in_quotes if quotes else links
            yield _CITATION.sub(partial(_linked, known), piece[0])
        elif name in _HEADINGS:
            yield "<p><strong>" if step > 0 else "</strong></p>"
        elif name == "input":
            yield "☑" if " checked=" in piece["rest"] else "☐"
        elif name == "a" and (leads_nowhere or ' href="#' in piece["rest"]):
            leads_nowhere = step > 0
        else:
            yield piece[0]


def _linked(known: dict[str, str], found: re.Match[str]) -> str:
    return known.get(found[0], found[0])
