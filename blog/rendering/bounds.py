"""What keeps a hostile text from costing minutes, while every sane one is parsed exactly.

markdown-it-py is linear on nearly everything, and drops what is nested beyond its limit. Here such text stays text
instead, the loops that look ahead without end get one, and what is left is counted: a text that needs more steps than
an honest megabyte does is refused.
"""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import TypeVar

from markdown_it import MarkdownIt
from markdown_it.common.html_re import HTML_TAG_RE
from markdown_it.helpers import parseLinkDestination, parseLinkLabel, parseLinkTitle
from markdown_it.helpers.parse_link_title import _State as LinkTitle
from markdown_it.rules_block import StateBlock, blockquote, fence, list_block
from markdown_it.rules_inline import StateInline, autolink, text
from mdit_py_plugins.footnote.index import footnote_def, footnote_ref

MAX_STEPS = 4_000_000
"""Looks at a line or at a place in a line; an honest megabyte needs a quarter of a million to a million."""

MAX_NESTING = 40
"""Levels of quotes, lists and brackets. A list takes two. Python allows a thousand calls, each level takes up to six."""

MAX_ADDRESS = 4_096
MAX_LINK_TITLE = 4_096
MAX_HTML_STACK = 50_000_000
MAX_HTML_FORMATTING = 500_000
