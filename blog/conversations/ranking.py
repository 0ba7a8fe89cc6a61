"""Which sections answer a question: BM25 over the sections at hand, a heading's words weighing more. Pure.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), with weighted fields.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from blog.conversations.quoting import quote_of
from blog.conversations.sections import Section
from blog.conversations.terms import is_common, is_empty, parts_of, root_of, words_of

_K1, _B = 1.2, 0.6
_HEADING_WEIGHT, _ABOVE_WEIGHT = 3.0, 0.5
# A section of a few words is not the better for having no others.
_SHORTEST = 25
# Two words of the question that stand side by side say more than both apart.
_PAIR_WEIGHT = 0.5
# A word that only begins like the one that was asked for.
_KIN_WEIGHT, _KIN_LETTERS, _KIN_SHARE, _MOST_KIN = 0.5, 5, 0.7, 20
_MOST_WORDS = 24
# A word that stands in texts of every kind; in any language a short one does that stands in most of some sections.
_COMMON_WEIGHT, _SHORT_WORD, _ENOUGH_SECTIONS = 0.5, 3, 6
# As if there were so many more sections without a word of it: in a short text, too, a common word is not a rare one.
_MORE_SECTIONS = 20
# How much of what was asked a section must say at least; of a long question two rare words are enough.
_LEAST_COVERED, _LEAST_COVERED_ELSEWHERE, _RARE_WORDS = 0.25, 0.4, 2


class Source(NamedTuple):
    """A section of a post that may be quoted."""

    post_id: str
    section: Section
    title: str = ""  # of the post; with one post alone it says nothing
    is_other: bool = False  # than the post that the conversation is about


class Ranked(NamedTuple):
    """A section that fits, and the part of it to quote."""

    source: Source
    score: float
    quote: str


class _Terms(NamedTuple):
    """What a section is compared by."""

    source: Source
    heading: list[str]
    text: list[str]
    counts: dict[str, float]  # how often, by weight
    length: int


class _Asked(NamedTuple):
    """What was asked, in the words of the text."""

    forms: dict[str, dict[str, float]]  # of each word, with how much they count for it
    words: dict[str, str]  # whose form each is
    weights: dict[str, float]
    common: set[str]
    telling: set[str]
    pairs: set[tuple[str, str]]
    enough: float


def keywords(question: str) -> list[str]:
    """The words that a question is about, each once; all of them if none is left otherwise."""
    words = list(dict.fromkeys(words_of(question)))
    return [word for word in words if not is_empty(word)] or words


def rank(sources: Sequence[Source], words: Sequence[str], *, most: int, telling: Collection[str] = ()) -> list[Ranked]:
    """The sections that say enough of these words, the best first, with what to quote of each; none is there twice.

    `telling`: words of which one is enough.
    """
    words = list(dict.fromkeys(words))[:_MOST_WORDS]
    if not words or not sources:
        return []
    found = [_terms(source) for source in sources]
    asked = _ask(words, found, telling)
    average = sum(terms.length for terms in found) / len(found)
    ranked = [(_score(terms, asked, average), terms.source) for terms in found if _says_enough(terms, asked)]
    ranked.sort(key=lambda each: -each[0])
    best: dict[tuple[str, ...], Ranked] = {}
    for score, source in ranked:
        pieces = source.section.pieces
        if pieces not in best:
            best[pieces] = Ranked(source, score, _quote(pieces, asked))
        if len(best) == most:
            break
    return list(best.values())


def _ask(words: Sequence[str], found: Sequence[_Terms], telling: Collection[str]) -> _Asked:
    wanted = list(dict.fromkeys(map(root_of, words)))
    forms = _forms(wanted, words, {term for each in found for term in each.counts})
    common = {root_of(word) for word in words if is_common(word)}
    weights: dict[str, float] = {}
    for word in wanted:
        holding = sum(not forms[word].keys().isdisjoint(each.counts) for each in found)
        if len(word) <= _SHORT_WORD and len(found) >= _ENOUGH_SECTIONS and holding > len(found) / 2:
            common.add(word)
        weights[word] = _rarity(holding, len(found))
        if word in common:
            weights[word] *= _COMMON_WEIGHT
    return _Asked(
        forms=forms,
        words={form: word for word in wanted for form in forms[word]},
        weights=weights,
        common=common,
        telling={root_of(word) for word in telling},
        pairs=set(pairwise(wanted)),
        enough=_RARE_WORDS * _rarity(1, len(found)),
    )


def _says_enough(terms: _Terms, asked: _Asked) -> bool:
    if not asked.telling.isdisjoint(terms.counts):
        return True
    covered, by_chance, held = 0.0, True, 0
    for word, forms in asked.forms.items():
        if said := _said(terms, forms):
            # What is in the heading is what the section is about.
            is_named = not forms.keys().isdisjoint(terms.heading)
            covered += asked.weights[word] * min(2.0 if is_named else 1.0, said)
            by_chance, held = by_chance and word in asked.common and not is_named, held + 1
    share = _LEAST_COVERED_ELSEWHERE if terms.source.is_other else _LEAST_COVERED
    is_little = covered < min(share * sum(asked.weights.values()), asked.enough)
    return held > 0 and not is_little and not (by_chance and held < len(asked.forms))


def _score(terms: _Terms, asked: _Asked, average: float) -> float:
    score, norm = 0.0, _K1 * (1 - _B + _B * terms.length / average)
    for word, forms in asked.forms.items():
        said = _said(terms, forms)
        score += asked.weights[word] * said * (_K1 + 1) / (said + norm)
    for text in (terms.heading, terms.text):
        for one, other in asked.pairs.intersection(pairwise(asked.words.get(term, "") for term in text)):
            score += _PAIR_WEIGHT * (asked.weights[one] + asked.weights[other]) / 2
    return score


def _said(terms: _Terms, forms: Mapping[str, float]) -> float:
    return sum(weight * terms.counts[form] for form, weight in forms.items() if form in terms.counts)


def _quote(pieces: Sequence[str], asked: _Asked) -> str:
    present = [{asked.words[term] for term in _roots(piece) if term in asked.words} for piece in pieces]
    return quote_of(pieces, present, asked.weights)


def _terms(source: Source) -> _Terms:
    section = source.section
    text = [term for piece in section.pieces for term in _roots(piece)]
    counts: dict[str, float] = dict(Counter(text))
    for term in set(_roots(" ".join((*section.above, source.title)))):
        counts[term] = counts.get(term, 0) + _ABOVE_WEIGHT
    heading = _roots(section.heading)
    for term in set(heading):
        counts[term] = counts.get(term, 0) + _HEADING_WEIGHT
    return _Terms(source, heading, text, counts, max(len(text), _SHORTEST))


def _roots(text: str) -> list[str]:
    return [root_of(word) for word in (*words_of(text), *parts_of(text))]


def _forms(wanted: Sequence[str], words: Sequence[str], vocabulary: set[str]) -> dict[str, dict[str, float]]:
    """What counts for each word, and how much: itself, what is written apart or together, and what begins like it."""
    forms = {word: {word: 1.0} for word in wanted}
    ordered = sorted(vocabulary)
    for word in wanted:
        if word in vocabulary or len(word) <= _KIN_LETTERS:
            continue
        start = bisect_left(ordered, word[:_KIN_LETTERS])
        for other in ordered[start : start + _MOST_KIN]:
            if other not in forms and _are_kin(word, other):
                forms[word][other] = _KIN_WEIGHT
    for one, other in pairwise(words):
        if (joined := root_of(one + other)) in vocabulary and joined not in forms:
            for word in {root_of(one), root_of(other)} & forms.keys():
                forms[word].setdefault(joined, _KIN_WEIGHT)
    return forms


def _are_kin(word: str, other: str) -> bool:
    same = next((at for at, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    return same >= _KIN_LETTERS and same >= _KIN_SHARE * max(len(word), len(other))


def _rarity(holding: int, count: int) -> float:
    return math.log(1 + (count + _MORE_SECTIONS - holding + 0.5) / (holding + 0.5))
