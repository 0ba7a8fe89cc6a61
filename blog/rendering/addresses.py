"""Addresses that stand in the text without brackets: people paste them."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.common.utils import isLinkClose, isLinkOpen
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_MAX_LENGTH = 2_000
# Not within a word, and no further than a quote or CJK punctuation, which people write without a space.
_ADDRESS = re.compile(
    rf"(?<![a-z0-9_./:@+-])https?://\w[^\s<>\"`\u3000-\u303f\uff00-\uffef]{{,{_MAX_LENGTH}}}", re.IGNORECASE | re.ASCII
)


def link_bare_addresses(state: StateCore) -> None:
    """Link the http and https addresses of the text, as GitHub does (GFM 6.9), unless they are in a link already.

    mdit-py-plugins has a rule for this; it copies the rest of the paragraph at every colon, so is not for megabytes.
    """
    for token in state.tokens:
        if token.children and "://" in token.content:
            token.children = list(_link(token.children, state.md))


def _link(parts: list[Token], parser: MarkdownIt) -> Iterator[Token]:
    depth = 0
    for part in parts:
        if part.type == "link_open" or (part.type == "html_inline" and isLinkOpen(part.content)):
            depth += 1
        elif part.type == "link_close" or (part.type == "html_inline" and isLinkClose(part.content)):
            depth -= 1
        if part.type == "text" and depth <= 0:
            yield from _split(part.content, parser)
        else:
            yield part


def _split(text: str, parser: MarkdownIt) -> Iterator[Token]:
    done = 0
    for match in _ADDRESS.finditer(text):
        address = _without_trailing_punctuation(match[0])
        href = parser.normalizeLink(address)
        if len(match[0]) > _MAX_LENGTH or not parser.validateLink(href):
            continue
        yield Token("text", "", 0, content=text[done : match.start()])
        yield Token("link_open", "a", 1, attrs={"href": href}, info="auto")
        yield Token("text", "", 0, content=address)
        yield Token("link_close", "a", -1)
        done = match.start() + len(address)
    yield Token("text", "", 0, content=text[done:])


def _without_trailing_punctuation(address: str) -> str:
    """Leave out what ends the sentence, and a closing parenthesis that was opened before the address."""
    surplus = address.count(")") - address.count("(")
    end = len(address)
    while address[end - 1] in "?!.,:;*_~'’”»])":
        if address[end - 1] == ")":
            if surplus <= 0:
                break
            surplus -= 1
        end -= 1
    return address[:end]
