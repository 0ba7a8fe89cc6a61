"""Colours for code: classes only, since the Content-Security-Policy forbids styles."""

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from itertools import groupby

from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType

# pygments' name of a language, and the names that writers give it after a fence. Only these are highlighted: each was
# timed on hostile code within the limits below and took less than half a second; some of the others take hours,
# and some (Markdown, HTTP) hand parts of the code to any of the others.
_NAMES = {
    "bash": "bash sh shell zsh",
    "c": "c h",
    "clojure": "clojure clj",
    "console": "console shell-session terminal",
    "cpp": "cpp c++ cc cxx hpp",
    "csharp": "csharp c# cs",
    "css": "css",
    "dart": "dart",
    "diff": "diff patch",
    "docker": "docker dockerfile",
    "elixir": "elixir ex exs",
    "erlang": "erlang erl",
    "go": "go golang",
    "graphql": "graphql gql",
    "haskell": "haskell hs",
    "hcl": "hcl terraform tf",
    "html": "html",
    "ini": "ini cfg conf",
    "java": "java",
    "javascript": "javascript js mjs cjs node",
    "jinja": "jinja jinja2",
    "json": "json jsonc",
    "jsx": "jsx",
    "julia": "julia jl",
    "kotlin": "kotlin kt",
    "less": "less",
    "lua": "lua",
    "make": "make makefile",
    "nginx": "nginx",
    "nix": "nix",
    "objective-c": "objective-c objc",
    "ocaml": "ocaml ml",
    "perl": "perl pl",
    "php": "php",
    "powershell": "powershell pwsh ps1",
    "pycon": "pycon",
    "python": "python py python3",
    "r": "r",
    "ruby": "ruby rb",
    "rust": "rust rs",
    "scss": "scss",
    "sql": "sql postgresql mysql sqlite",
    "swift": "swift",
    "tex": "tex latex",
    "toml": "toml",
    "tsx": "tsx",
    "typescript": "typescript ts",
    "xml": "xml svg",
    "yaml": "yaml yml",
    "zig": "zig",
}
_LANGUAGE_OF = {name: language for language, names in _NAMES.items() for name in names.split()}
LANGUAGES = frozenset(_NAMES)

_CLASSES = "c cp gd ge gh gi go gp gr gs gt gu k kc m na nb nc nd nf nt nv ow s"
CODE_CLASSES = frozenset(_CLASSES.split())
"""Those of pygments' classes with a colour in `static/code.css`; any other token is written as the nearest kind."""

MAX_LENGTH = 8_000
_MAX_LENGTHS = {"java": 3_000}  # slower with the square of any run of words
MAX_LINES = 400
MAX_LINE_LENGTH = 300
_LONG_SPACE = re.compile(r"\s{100}")


def find_language(name: str) -> str:
    """Give the language that a fence names, or "" for one that is not highlighted."""
    return _LANGUAGE_OF.get(name.lower().strip("{}."), "")


def highlight(code: str, language: str) -> str:
    """Give the code as HTML with its tokens in spans, or only escaped when it is beyond the limits. Never raises."""
    return "".join(_write_spans(code, language)) if _is_highlightable(code, language) else escape(code)


def _is_highlightable(code: str, language: str) -> bool:
    """Tell whether lexers can be trusted with it: most slow down with the square of a line, or of a run of blanks."""
    lines = code.split("\n")
    return (
        len(code) <= _MAX_LENGTHS.get(language, MAX_LENGTH)
        and len(lines) <= MAX_LINES
        and max(map(len, lines)) <= MAX_LINE_LENGTH
        and not _LONG_SPACE.search(code)
    )


def _write_spans(code: str, language: str) -> Iterator[str]:
    for css_class, text in _classify(code, language):
        yield f'<span class="{css_class}">{escape(text)}</span>' if css_class else escape(text)


def _classify(code: str, language: str) -> list[tuple[str, str]]:
    try:
        # PHP is shown without its opening tag as often as with it; the other lexers ignore that option.
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False, startinline="<?" not in code)
        tokens = list(lexer.get_tokens(code))
    except Exception:  # noqa: BLE001 - whatever a lexer stumbles over, the code can be read without colours
        return [("", code)]
    pieces = [
        (css_class, "".join(text for _, text in group))
        for css_class, group in groupby(tokens, key=lambda token: _find_class(token[0]))
    ]
    # Not one character of a writer's code may change for the sake of its colours.
    return pieces if "".join(text for _, text in pieces) == code else [("", code)]


@cache
def _find_class(kind: _TokenType) -> str:
    lineage = reversed(kind.split())
    return next((STANDARD_TYPES[k] for k in lineage if STANDARD_TYPES.get(k) in CODE_CLASSES), "")
