"""Headings that fit below a page's title and can be linked to."""

import re
import unicodedata

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from blog.rendering.sanitising import ID_PREFIX

_RAW_HEADING = re.compile(r"(?<=<)(/?h)([1-6])(?=[\s/>])", re.IGNORECASE)
_RAW_ID = re.compile(r"""\sid\s*=\s*["']?([^\s"'>]+)""", re.IGNORECASE)


def settle_headings(state: StateCore) -> None:
    """Move the headings up or down together, so that the highest is an h2, and give each an id.

    The page's h1 is the title. Writers begin with `#` as often as with `##`; both give h2, and no level is skipped.
    """
    raw = [
        part
        for token in state.tokens
        for part in (token, *(token.children or ()))
        if part.type in ("html_block", "html_inline")
    ]
    levels = {int(token.tag[1]) for token in state.tokens if token.type == "heading_open"}
    levels.update(int(level) for part in raw for _, level in _RAW_HEADING.findall(part.content))
    shift = 2 - min(levels, default=2)
    for part in raw:
        part.content = _RAW_HEADING.sub(lambda found: f"{found[1]}{min(int(found[2]) + shift, 6)}", part.content)
    # A name that the writer gave in HTML stays where it is.
    taken = {name: 0 for part in raw for name in _RAW_ID.findall(part.content)}
    for token, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + shift, 6)}"
        if token.type == "heading_open":
            token.attrSet("id", ID_PREFIX + _make_unique(_slug(inline), taken))


def _slug(inline: Token) -> str:
    """Make GitHub's name for a heading, which tables of contents written elsewhere link to."""
    title = "".join(part.content for part in inline.children or () if part.type in ("text", "code_inline"))
    kept = (c for c in unicodedata.normalize("NFC", title.lower()) if c in " -_" or unicodedata.category(c)[0] in "LMN")
    return "".join(kept).strip().replace(" ", "-")[:200]


def _make_unique(slug: str, taken: dict[str, int]) -> str:
    name = slug
    while name in taken:
        taken[slug] += 1
        name = f"{slug}-{taken[slug]}"
    taken[name] = 0
    return name
