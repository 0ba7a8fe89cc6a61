"""Markdown to HTML: CommonMark with tables, strikethrough, footnotes, task lists, bare addresses and figures."""

from collections.abc import Mapping
from html import escape

from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from blog.rendering.addresses import link_bare_addresses
from blog.rendering.bounds import bound, refuse_costly_html
from blog.rendering.elements import write_elements
from blog.rendering.figures import Picture, describe_pictures, make_figures
from blog.rendering.headings import settle_headings
from blog.rendering.pausing import no_collecting
from blog.rendering.quotes import set_quotes
from blog.rendering.raw_html import UNWRITABLE, settle_raw_html
from blog.rendering.sanitising import sanitise

RENDERER_VERSION = 2
"""Stored beside the HTML. Raise it when the same text gives other HTML, so that old posts can be rendered again."""


def render(
    body_markdown: str,
    *,
    language: str | None = "en",
    pictures: Mapping[str, Picture] | None = None,
    own_host: str | None = None,
) -> str:
    """Give the HTML of a text: sanitised, headings from h2 down, every id prefixed. Never raises.

    Quotation marks are those of `language` (none: as typed). Images whose address is in `pictures` get their size,
    and links that leave `own_host` say so.

    A text that would take more than a second (see `bounds`), or that the parser stumbles over, comes back whole as
    preformatted plain text: a page that looks wrong can be mended by its writer, a page that is refused takes the
    words with it.
    """
    text = UNWRITABLE.sub("\ufffd", body_markdown)
    try:
        html = to_html(text, language=language, pictures=pictures)
    except Exception:  # noqa: BLE001 - the parser is not ours, and no text may keep a writer from saving
        html = f"<pre>\n{escape(text)}</pre>"
    return sanitise(html, own_host=own_host)


def to_html(text: str, *, language: str | None = None, pictures: Mapping[str, Picture] | None = None) -> str:
    """Give the HTML of a text as it is before sanitising: not for pages. Raises TooIntricate."""
    with no_collecting():
        html: str = _build_parser(language, pictures).render(text)
    refuse_costly_html(html)
    return html


def _build_parser(language: str | None, pictures: Mapping[str, Picture] | None) -> MarkdownIt:
    """Make a parser for one text: it costs half a millisecond, and no thread then shares its budget or its caches."""
    parser = MarkdownIt("commonmark", {"tasklists": True})
    parser.enable(["table", "strikethrough"])
    # Notes written in place, ^[like this], are Pandoc's, not GitHub's, and each would start a parse within a parse.
    parser.use(footnote_plugin, inline=False)
    bound(parser)
    parser.core.ruler.push("raw_html", settle_raw_html)
    parser.core.ruler.push("headings", settle_headings)
    if pictures:
        parser.core.ruler.push("pictures", describe_pictures(pictures))
    parser.core.ruler.push("figures", make_figures)
    parser.core.ruler.push("bare_addresses", link_bare_addresses)
    if language:
        set_quotes(parser, language)
    write_elements(parser)
    return parser
