"""What keeps a hostile text from costing minutes, while every sane one is parsed exactly.

markdown-it-py drops what is nested beyond its limit; here it stays text. A few of its loops look ahead without end;
here they have one, far beyond what people write. Whatever else a text costs is counted, and a text that needs more
than an honest megabyte does is refused before it has taken a second: its reader gets it as preformatted text.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.helpers import parseLinkDestination, parseLinkLabel, parseLinkTitle
from markdown_it.rules_block import StateBlock, blockquote, fence, html_block, list_block, reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, autolink, image, link, text
from markdown_it.token import Token
from mdit_py_plugins.footnote.index import footnote_def, footnote_ref

BlockRule = Callable[[StateBlock, int, int, bool], bool]
InlineRule = Callable[[StateInline, bool], bool]

MAX_COST = 800_000
"""In microseconds or so. An honest megabyte takes 200,000 to 700,000."""

COST_OF_A_LINE = 4
"""Of a look at it: there are several where containers could begin or end."""

COST_OF_A_BLOCK = 3
"""Of what opens or closes a paragraph, a heading, a cell …, from there to the sanitised page; and of what is in it."""

COST_OF_HTML = 6
"""Of a block of a writer's own HTML, besides."""

COST_OF_A_PLACE = 4
"""Of a place in a line where something may begin, as it is at a bracket or a star."""

COST_OF_AN_ADDRESS = 12
"""Of its normal form."""

COST_OF_A_NOTE = 15
"""Of the reference to a footnote, and as much of its definition."""

LONGEST_BODY_BYTES = 1024 * 1024
"""What a post's text may have, as UTF-8."""

MAX_NESTING = 24
"""Levels of quotes, lists (each takes two) and brackets, each up to five of the thousand calls that Python allows."""

MAX_HTML_LENGTH = 8 * 1024 * 1024
"""A megabyte of references to one footnote gives forty of HTML."""

MAX_ADDRESS_LENGTH = 4_096
MAX_TITLE_LENGTH = 4_096

MAX_TAGS_INSIDE_TAGS = 50_000_000
"""Open elements summed over all tags: an HTML parser walks up that stack again and again (1 s for 300 million)."""

MAX_TAGS_INSIDE_FORMATTING = 500_000
"""The same for <b> and its like, which an HTML parser opens anew in every paragraph when they are left open."""

_FORMATTING_TAGS = "b big code em font i s small strike strong tt u"
_TAGS_CLOSED_BY_OTHERS = "a br button col dd dt hr img input li nobr p rp rt tbody td tfoot th thead tr wbr"
_FORMATTING = frozenset(_FORMATTING_TAGS.split())
_CLOSED_BY_OTHERS = frozenset(_TAGS_CLOSED_BY_OTHERS.split())
_FOOTNOTE_LABEL = re.compile(r"\[\^[^\s\[\]]{1,200}\]")
_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")


class TooIntricate(Exception):
    """The text would cost more than any honest one does."""


def bound(parser: MarkdownIt) -> None:
    """Put the limits of this module on a parser made for one text, its footnotes and tables already enabled."""
    parser.options["maxNesting"] = MAX_NESTING
    spend = _make_budget(MAX_COST)

    charged = 0

    def charge_for_blocks(tokens: list[Token]) -> None:
        # As soon as they are there: most of what they cost is still to come.
        nonlocal charged
        spend(COST_OF_A_BLOCK * (len(tokens) - charged))
        charged = len(tokens)

    def counted_fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        # Every loop of the block parser over lines asks at each line whether a fence begins there.
        spend(COST_OF_A_LINE)
        charge_for_blocks(state.tokens)
        return fence(state, start, end, silent)

    def counted_html(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        is_one = html_block(state, start, end, silent)
        spend(COST_OF_HTML * is_one)
        return is_one

    def counted_text(state: StateInline, silent: bool) -> bool:
        # The first rule tried at every place in a line.
        spend(COST_OF_A_PLACE)
        return text(state, silent)

    def charge_for_last_blocks(state: StateCore) -> None:
        charge_for_blocks(state.tokens)

    def count_address(url: str) -> str:
        spend(COST_OF_AN_ADDRESS)
        return normalize_link(url)

    def count_note(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        is_defined = _define_footnote(state, start, end, silent)
        spend(COST_OF_A_NOTE * is_defined)
        return is_defined

    def count_reference(state: StateInline, silent: bool) -> bool:
        is_one = _refer_to_footnote(state, silent)
        spend(COST_OF_A_NOTE * is_one)
        return is_one

    def count_short_address(state: StateInline, silent: bool) -> bool:
        is_one = _link_short_address(state, silent)
        spend(COST_OF_AN_ADDRESS * is_one)  # once more, for how it is shown
        return is_one

    interrupts_all = ["paragraph", "reference", "blockquote", "list"]
    block = parser.block.ruler
    block.at("fence", counted_fence, {"alt": interrupts_all})
    block.at("html_block", counted_html, {"alt": interrupts_all[:3]})
    block.at("blockquote", _unless_too_deep(blockquote), {"alt": interrupts_all})
    block.at("list", _unless_too_deep(list_block), {"alt": interrupts_all[:3]})
    block.at("footnote_def", _unless_too_deep(count_note), {"alt": interrupts_all[:2]})
    block.at("reference", _define_link)
    parser.core.ruler.before("inline", "last_blocks", charge_for_last_blocks)
    parser.inline.ruler.at("text", counted_text)
    parser.inline.ruler.at("link", _if_closed(link))
    parser.inline.ruler.at("image", _if_closed(image))
    parser.inline.ruler.at("autolink", count_short_address)
    parser.inline.ruler.at("footnote_ref", count_reference)
    # Rules look these up on the parser by name: those of links, images and definitions, and our own of bare addresses.
    normalize_link = parser.normalizeLink
    parser.normalizeLink = count_address  # type: ignore[method-assign]  # replaced on this parser alone
    parser.helpers = SimpleNamespace(  # type: ignore[assignment]  # a module's place, for functions of the same names
        parseLinkLabel=parseLinkLabel,
        parseLinkDestination=_parse_destination,
        parseLinkTitle=_parse_title,
    )


def refuse_costly_html(html: str) -> None:
    """Raise TooIntricate for HTML that is too long, or so nested that an HTML parser, ours or a browser's, would choke.

    Every tag in it must be well formed, as `raw_html` leaves them.
    """
    if len(html) > MAX_HTML_LENGTH:
        raise TooIntricate
    open_count: dict[str, int] = defaultdict(int)
    tags_inside = formatting_inside = 0
    stack = formatting = 0
    for name, opened in _list_nesting_tags(html):
        if opened > 0 or open_count[name]:
            open_count[name] += opened
            stack += opened
            formatting += opened * (name in _FORMATTING)
        tags_inside += stack
        formatting_inside += formatting
    if tags_inside > MAX_TAGS_INSIDE_TAGS or formatting_inside > MAX_TAGS_INSIDE_FORMATTING:
        raise TooIntricate


def _list_nesting_tags(html: str) -> Iterator[tuple[str, int]]:
    """Give the name of every tag, and how it changes the number of open elements."""
    for tag in HTML_TAG_RE.finditer(html):
        if found := _TAG_NAME.match(tag[0]):
            name = found[2].lower()
            yield name, 0 if name in _CLOSED_BY_OTHERS else -1 if found[1] else 1


def _make_budget(left: int) -> Callable[[int], None]:
    def spend(steps: int) -> None:
        nonlocal left
        left -= steps
        if left < 0:
            raise TooIntricate

    return spend


def _unless_too_deep(rule: BlockRule) -> BlockRule:
    """Let the rule open no container that markdown-it would drop the content of: what it would hold stays text."""

    def bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level + 2 < MAX_NESTING and rule(state, start, end, silent)

    return bounded


def _if_closed(rule: InlineRule) -> InlineRule:
    """Do not look for the end of a bracket after the last one that closes."""

    def bounded(state: StateInline, silent: bool) -> bool:
        return state.html_terminator_last("]") > state.pos and rule(state, silent)

    return bounded


def _define_footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Define a footnote, unless within one: the plugin mixes up the two and loses words.

    Labels are GitHub's, without brackets, so that any note defined can also be referred to.
    """
    if state.env.get("is_in_footnote") or not _FOOTNOTE_LABEL.match(
        state.src, state.bMarks[start] + state.tShift[start]
    ):
        return False
    state.env["is_in_footnote"] = not silent
    is_defined = footnote_def(state, start, end, silent)
    state.env["is_in_footnote"] = False
    return is_defined


def _define_link(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    # A note that is none is no link either, or it would vanish.
    is_note = state.src.startswith("[^", state.bMarks[start] + state.tShift[start])
    return not is_note and reference(state, start, end, silent)


def _refer_to_footnote(state: StateInline, silent: bool) -> bool:
    # The plugin looks for the closing bracket up to the end of the paragraph, again for every opening one.
    return bool(_FOOTNOTE_LABEL.match(state.src, state.pos, state.posMax)) and footnote_ref(state, silent)


def _link_short_address(state: StateInline, silent: bool) -> bool:
    end = state.src.find(">", state.pos, min(state.posMax, state.pos + MAX_ADDRESS_LENGTH))
    return end >= 0 and autolink(state, silent)


def _parse_destination(source: str, start: int, end: int) -> Any:
    # Cut off, an address is either not one or followed by something that ends no link: it stays text.
    return parseLinkDestination(source, start, min(end, start + MAX_ADDRESS_LENGTH))


def _parse_title(source: str, start: int, end: int, previous: Any = None) -> Any:
    limit = min(end, start + MAX_TITLE_LENGTH)
    title = parseLinkTitle(source, start, limit, previous)
    if limit < end or len(title.str) > MAX_TITLE_LENGTH:
        title.can_continue = False
    return title
