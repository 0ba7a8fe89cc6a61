"""Which sections answer a question: BM25 over the sections at hand, a heading's words weighing more. Pure.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), with k1 = 1.2 and b = 0.75.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from blog.conversations.sections import Section
from blog.indexing.words import SEPARATOR, separate

_K1, _B = 1.2, 0.75
_HEADING_WEIGHT = 3
# Two words of the question that stand side by side say more than both apart.
_PAIR_WEIGHT = 0.5
_LONGEST_QUOTE = 480
# What questions are put with says nothing of what they are about.
_EMPTY = """
    a about an and any are as at be been but by can could did do does doing explain for from get gets had has have how
    i if in into is it its me my not of on or our please should so tell than that the their them then there these they
    this those to us use used using was we were what when where which while who whom whose why will with would you your
"""
_EMPTY_WORDS = frozenset(re.findall(r"\w+", _EMPTY))
_ENDINGS = ("ing", "ies", "ed", "es", "s", "ly")


class Source(NamedTuple):
    """A section of a post that may be quoted."""

    post_id: str
    section: Section


class Ranked(NamedTuple):
    """A section that fits, and the part of it to quote."""

    source: Source
    score: float
    quote: str


def keywords(question: str) -> list[str]:
    """The words that a question is about, as they are compared, each once; all of them if none is left otherwise."""
    words = list(dict.fromkeys(_words(question)))
    return [word for word in words if word not in _EMPTY_WORDS] or words


def rank(sources: Sequence[Source], words: Sequence[str], *, most: int) -> list[Ranked]:
    """The sections that hold some of these words, the best first, with what to quote of each."""
    wanted = list(dict.fromkeys(map(_stem, words)))
    if not wanted or not sources:
        return []
    texts = [[_stem(word) for word in _words(" ".join(source.section.pieces))] for source in sources]
    headings = [[_stem(word) for word in _words(source.section.heading)] for source in sources]
    counts = [
        Counter(text) + Counter(dict.fromkeys(heading, _HEADING_WEIGHT))
        for text, heading in zip(texts, headings, strict=True)
    ]
    lengths = [sum(count.values()) for count in counts]
    average = sum(lengths) / len(lengths)
    weights = {word: _rarity(sum(word in count for count in counts), len(counts)) for word in wanted}
    pairs = set(pairwise(wanted))
    ranked = []
    for source, text, count, length in zip(sources, texts, counts, lengths, strict=True):
        score = sum(
            weights[word] * count[word] * (_K1 + 1) / (count[word] + _K1 * (1 - _B + _B * length / average))
            for word in wanted
            if count[word]
        )
        if score:
            met = pairs.intersection(pairwise(text))
            score += sum(_PAIR_WEIGHT * (weights[one] + weights[other]) / 2 for one, other in met)
            ranked.append((score, source))
    ranked.sort(key=lambda each: -each[0])
    return [Ranked(source, score, _quote(source.section, weights)) for score, source in ranked[:most]]


def _quote(section: Section, weights: dict[str, float]) -> str:
    """The run of a section's pieces that holds the most of what was asked, in its own words."""

    def worth(piece: str) -> float:
        present = {_stem(word) for word in _words(piece)}
        return sum(weight for word, weight in weights.items() if word in present)

    best = max(range(len(section.pieces)), key=lambda at: (worth(section.pieces[at]), -at))
    quote = section.pieces[best]
    for piece in section.pieces[best + 1 :]:
        if len(quote) + len(piece) >= _LONGEST_QUOTE:
            break
        quote = f"{quote} {piece}"
    return quote if len(quote) <= _LONGEST_QUOTE else f"{quote[:_LONGEST_QUOTE].rpartition(' ')[0]} …"


def _rarity(holding: int, count: int) -> float:
    return math.log(1 + (count - holding + 0.5) / (holding + 0.5))


def _words(text: str) -> list[str]:
    bare = "".join(c for c in unicodedata.normalize("NFKD", separate(text).lower()) if not unicodedata.combining(c))
    return "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in bare.replace(SEPARATOR, " ")).split()


def _stem(word: str) -> str:
    """The word without an ending that English hangs on; what is left has four letters at least."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word
