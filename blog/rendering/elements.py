"""How the elements are written that need more than markdown-it's own HTML."""

from collections.abc import Callable, Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from blog.rendering.highlighting import find_language, highlight
from blog.rendering.sanitising import BACK_LABEL, DONE_LABEL, ID_PREFIX, TABLE_LABEL, TODO_LABEL

MAX_HIGHLIGHTED_LENGTH = 80_000
"""Characters of code in one text that get colours: a tenth of a second, or three for the worst that passes."""


def write_elements(parser: MarkdownIt) -> None:
    """Tell a parser made for one text how to write its code, tables, tasks and footnotes."""
    rules = {
        "fence": _make_code_writer(),
        "code_block": _write_plain_code,
        "table_open": _open_table,
        "table_close": _close_table,
        "th_open": _open_cell,
        "td_open": _open_cell,
        "list_item_open": _open_item,
        "footnote_ref": _refer_to_note,
        "footnote_block_open": _open_notes,
        "footnote_open": _open_note,
        "footnote_anchor": _refer_back,
    }
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)


def _make_code_writer() -> Callable[..., str]:
    left = MAX_HIGHLIGHTED_LENGTH

    def write(self: RendererHTML, tokens: Sequence[Token], i: int, options: OptionsDict, env: EnvType) -> str:
        nonlocal left
        code = tokens[i].content
        info = str(unescapeAll(tokens[i].info)).split()
        language = find_language(info[0]) if info else ""
        if not language:
            return _write_plain_code(self, tokens, i, options, env)
        left -= len(code)
        written = highlight(code, language) if left >= 0 else escape(code)
        return f'<pre><code class="language-{language}">{written}</code></pre>\n'

    return write


def _write_plain_code(
    _self: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: EnvType
) -> str:
    return f"<pre><code>{escape(tokens[i].content)}</code></pre>\n"


def _open_table(_self: RendererHTML, _tokens: Sequence[Token], _i: int, _options: OptionsDict, _env: EnvType) -> str:
    # Wide tables scroll by themselves, with the keyboard too. A group, not a region: tables are no landmarks of a page.
    return f'<div class="table-scroll" tabindex="0" role="group" aria-label="{TABLE_LABEL}">\n<table>\n'


def _close_table(_self: RendererHTML, _tokens: Sequence[Token], _i: int, _options: OptionsDict, _env: EnvType) -> str:
    return "</table>\n</div>\n"


def _open_cell(_self: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: EnvType) -> str:
    # markdown-it writes a style, which the Content-Security-Policy forbids.
    align = str(tokens[i].attrs.get("style", "")).removeprefix("text-align:")
    return f'<{tokens[i].tag} align="{align}">' if align else f"<{tokens[i].tag}>"


def _open_item(self: RendererHTML, tokens: Sequence[Token], i: int, options: OptionsDict, env: EnvType) -> str:
    item = self.renderToken(tokens, i, options, env)
    if "checked" not in tokens[i].meta:
        return item
    label, checked = (DONE_LABEL, ' checked=""') if tokens[i].meta["checked"] else (TODO_LABEL, "")
    return f'{item}<input type="checkbox" disabled=""{checked} aria-label="{label}"> '


def _refer_to_note(_self: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: EnvType) -> str:
    note, number = _name_note(tokens[i])
    place = _name_place(tokens[i])
    return f'<sup class="footnote"><a href="#{note}" id="{place}">{number}</a></sup>'


def _open_notes(_self: RendererHTML, _tokens: Sequence[Token], _i: int, _options: OptionsDict, _env: EnvType) -> str:
    return '<section class="footnotes">\n<hr>\n<ol>\n'


def _open_note(_self: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: EnvType) -> str:
    return f'<li id="{_name_note(tokens[i])[0]}">'


def _refer_back(_self: RendererHTML, tokens: Sequence[Token], i: int, _options: OptionsDict, _env: EnvType) -> str:
    # The sign after the arrow keeps iOS from showing it as a picture.
    return f' <a href="#{_name_place(tokens[i])}" class="footnote-back" aria-label="{BACK_LABEL}">↩\ufe0e</a>'


def _name_note(token: Token) -> tuple[str, int]:
    # The dot keeps a note apart from a heading "Note 1": headings' names have none.
    number = token.meta["id"] + 1
    return f"{ID_PREFIX}note.{number}", number


def _name_place(token: Token) -> str:
    return f"{_name_note(token)[0]}.from.{token.meta['subId'] + 1}"
