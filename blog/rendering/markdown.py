"""Markdown to HTML: CommonMark with tables, strikethrough, footnotes, task lists and bare addresses."""

from html import escape

from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from blog.rendering.addresses import link_bare_addresses
from blog.rendering.bounds import bound, refuse_costly_html
from blog.rendering.elements import write_elements
from blog.rendering.headings import settle_headings
from blog.rendering.raw_html import UNWRITABLE, settle_raw_html
from blog.rendering.sanitising import sanitise

RENDERER_VERSION = 1
"""Stored beside the HTML. Raise it when the same text gives other HTML, so that old posts can be rendered again."""


def render(body_markdown: str) -> str:
    """Give the HTML of a text: sanitised, headings from h2 down, every id prefixed. Never raises.

    A text that would take minutes (see `bounds`), or that the parser stumbles over, comes back whole as preformatted
    plain text: a page that looks wrong can be mended by its writer, a page that is refused takes the words with it.
    """
    text = UNWRITABLE.sub("\ufffd", body_markdown)
    try:
        html = to_html(text)
    except Exception:  # noqa: BLE001  the parser is not ours, and no text may keep a writer from saving
        html = f"<pre>\n{escape(text)}</pre>"
    return sanitise(html)


def to_html(text: str) -> str:
    """Give the HTML of a text as it is before sanitising: not for pages. Raises TooIntricate."""
    html: str = _build_parser().render(text)
    refuse_costly_html(html)
    return html


def _build_parser() -> MarkdownIt:
    """Make a parser for one text: it costs half a millisecond, and no thread then shares its budget or its caches."""
    parser = MarkdownIt("commonmark", {"tasklists": True})
    parser.enable(["table", "strikethrough"])
    # Notes written in place, ^[like this], are Pandoc's, not GitHub's, and each would start a parse within a parse.
    parser.use(footnote_plugin, inline=False)
    bound(parser)
    parser.core.ruler.push("raw_html", settle_raw_html)
    parser.core.ruler.push("headings", settle_headings)
    parser.core.ruler.push("bare_addresses", link_bare_addresses)
    write_elements(parser)
    return parser
