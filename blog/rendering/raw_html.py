"""An author's own HTML, made well formed before anything else reads it."""

import re

from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.rules_core import StateCore

_TAG_OR_BRACKET = re.compile(f"{HTML_TAG_RE.pattern}|<")
_TAG_NAME = re.compile(r"</?([a-z][a-z0-9-]*)", re.IGNORECASE)
_MAX_TAG_SPACES = 500

# After these an HTML parser stops seeing tags, so that it and we would disagree on what follows. They are shown
# as text, as GitHub does (GFM 6.11, "disallowed raw HTML"), which also helps the writer who only meant their names.
_SHOWN_AS_TEXT = frozenset(
    [
        "iframe",
        "noembed",
        "noframes",
        "noscript",
        "plaintext",
        "script",
        "select",
        "style",
        "svg",
        "math",
        "template",
        "textarea",
        "title",
        "xmp",
    ]
)


def settle_raw_html(state: StateCore) -> None:
    """Leave of raw HTML only tags as CommonMark defines them, so that no parser can read them in two ways.

    Comments, declarations and instructions go; a `<` that begins none of these is text.
    """
    for token in state.tokens:
        for part in (token, *(token.children or ())):
            if part.type in ("html_block", "html_inline"):
                part.content = _TAG_OR_BRACKET.sub(_settle, part.content)


def _settle(match: re.Match[str]) -> str:
    tag = match[0]
    if tag.startswith(("<!", "<?")):
        return ""
    name = _TAG_NAME.match(tag)
    # An HTML parser compares each attribute of a tag with all before it.
    if name is None or name[1].lower() in _SHOWN_AS_TEXT or len(tag.split(maxsplit=_MAX_TAG_SPACES)) > _MAX_TAG_SPACES:
        return "&lt;" + tag[1:]
    return tag
