"""How long a text takes to read."""

import re

_WORDS_A_MINUTE = 220  # as the editor counts
_CHARACTERS_A_MINUTE = 500

# What stands between words, as the sanitiser writes it.
_TAG = re.compile(r'<(?:[^<>"]++|"[^"]*+")*+>')
# Chinese, Japanese and Korean are counted by their characters: kana, ideographs, Hangul, and their full stops.
_CHARACTER = re.compile(
    "[\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff01-\uffee\U00020000-\U0003ffff]"
)


def minutes_to_read(body_html: str) -> int:
    """Whole minutes for a rendered text, at least one."""
    text = _TAG.sub(" ", body_html)
    rest, character_count = _CHARACTER.subn(" ", text) if not text.isascii() else (text, 0)
    return max(1, round(len(rest.split()) / _WORDS_A_MINUTE + character_count / _CHARACTERS_A_MINUTE))
