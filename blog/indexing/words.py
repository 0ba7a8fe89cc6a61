"""The words of a post as the index holds them. Pure: text in, text out."""

import re
import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from html import unescape
from typing import NamedTuple

# Stands beside every character that is a word by itself; no text of a post holds it.
SEPARATOR = "\x1f"

# Of sanitised HTML, in which every element is closed and every `<` begins one.
_TAG = r"""(?:[^<>"']|"[^"]*"|'[^']*')*>"""
_INLINE = "a|abbr|b|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|time|u|var|wbr"
_INLINE_TAGS = re.compile(rf"</?(?:{_INLINE})(?=[\s/>]){_TAG}")
_TAGS = re.compile(rf"<{_TAG}")
# The number at a word that has a footnote, and the arrow back: neither is a word, nor a part of one.
_NOTE_MARKS = re.compile(
    rf"""<sup class="footnote"><a\s{_TAG}[^<]*</a></sup>|<a\s(?=[^<>]*class="footnote-back"){_TAG}[^<]*</a>"""
)
_PIECES = re.compile(r"[^\W_]+")
_BLANK = re.compile(r"[\x00-\x20\x7f-\x9f]+")
# Scripts that put no spaces between words, and Korean, which hangs particles on them:
# Thai to Lao, Burmese, Khmer, kana, Hangul, Chinese characters.
_ALONE = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3105-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff])"
)


class Words(NamedTuple):
    """One entry of the index. Letters keep their case and accents, which the index itself does not look at."""

    title: str
    tags: str
    body: str
    keys: str  # what the filters look for: exactly one word for each tag, and one for the author
    name: str  # one word for the whole title, so that whoever types just that finds it first


def words_of(*, title: str, tags: Iterable[str], html: str, author: str) -> Words:
    """The entry of a post, made from its page."""
    tags = list(tags)
    keys = " ".join([*(key_of_tag(tag) for tag in tags), key_of_author(author)])
    return Words(separate(title), separate(", ".join(tags)), separate(plain_text(html)), keys, key_of_title(title))


def plain_text(html: str) -> str:
    """What somebody reads on a sanitised page, in one line."""
    text = unescape(_TAGS.sub(" ", _INLINE_TAGS.sub("", _NOTE_MARKS.sub("", html))))
    return _BLANK.sub(" ", text).strip()


def separate(text: str) -> str:
    """The text, with a separator beside every character that is a word by itself."""
    text = unicodedata.normalize("NFC", text)
    return text if text.isascii() else _ALONE.sub(rf"{SEPARATOR}\1{SEPARATOR}", text)


def key_of_tag(tag: str) -> str:
    """The one word by which everything with this tag is found, whatever its case and accents."""
    return "t" + (_bare(tag) or tag).encode().hex()


def key_of_author(username: str) -> str:
    """The one word by which everything of this author is found."""
    return "a" + username.lower().encode().hex()


def key_of_title(title: str) -> str:
    """The one word for all titles that are made of the same letters and digits in the same order."""
    return "n" + sha256("".join(_PIECES.findall(_bare(title))).encode()).hexdigest()[:16]


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
