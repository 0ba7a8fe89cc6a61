"""An author's own HTML, made well formed before anything else reads it."""

import re
from html import escape

from markdown_it.common.html_re import close_tag, open_tag
from markdown_it.rules_core import StateCore

from blog.rendering.sanitising import TAGS

_MARKUP = re.compile(
    rf"(?P<tag>{open_tag}|{close_tag})"
    r"|(?P<unseen><!---?>|<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>|<![a-z][^>]*>)"
    # What begins one of these and never ends it would be looked for again at every further `<`.
    r"|(?P<text><(?:!--|\?|!\[CDATA\[|![a-z]).*|<)",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_TAG_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]*)")
_MAX_TAG_SPACES = 500

_NUMBER = re.compile(r"&#(?:x0*([0-9a-f]{1,8})|0*([0-9]{1,8}));?", re.ASCII | re.IGNORECASE)
# Neither UTF-8 nor XML (a feed) can carry these; CommonMark asks for the replacement character in place of NUL.
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

# Tags of pages written elsewhere, whose words are kept without them. All others are shown as text: readers are to see
# what `List<String>` and `<your name>` mean. Not here: boxes and fields, and what an HTML parser reads by other rules
# (`script`, `textarea`, `svg`), where it and we would disagree on what is a tag.
_DROPPED = """
    acronym address article aside big button center fieldset font footer form h1 header hgroup label legend main nav
    nobr picture source strike tt video
"""
_KNOWN = TAGS.union(_DROPPED.split()) - {"input"}


def settle_raw_html(state: StateCore) -> None:
    """Leave of raw HTML only tags as CommonMark defines them, so that no parser can read them in two ways.

    Characters that no page can carry are replaced when they come as numbers (`&#1;`), too, as Markdown does it.
    Comments, declarations and instructions go. A `<` that begins none of these is text, and so are unknown tags.
    """
    for token in state.tokens:
        for part in (token, *(token.children or ())):
            if part.type in ("html_block", "html_inline"):
                part.content = _MARKUP.sub(_settle, _NUMBER.sub(_settle_number, part.content))


def _settle(match: re.Match[str]) -> str:
    markup = match[0]
    if match["unseen"]:
        return ""
    # An HTML parser compares each attribute of a tag with all before it.
    is_tag = match["tag"] and len(markup.split(maxsplit=_MAX_TAG_SPACES)) <= _MAX_TAG_SPACES
    name = _TAG_NAME.match(markup)
    if is_tag and name and name[1].lower() in _KNOWN:
        return markup
    return escape(markup, quote=False)


def _settle_number(match: re.Match[str]) -> str:
    number = int(match[1], 16) if match[1] else int(match[2])
    return "\ufffd" if number > 0x10FFFF or UNWRITABLE.match(chr(number)) else match[0]
