"""The posts of the blog in which what was asked is talked about most, as far as a reader may read them now."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations.terms import is_common, root_of
from blog.posts.model import ShownPost
from blog.search.language import MOST_WORDS, Question, Word, understand
from blog.search.queries import count_holding, list_hits, list_posts_behind

# So many posts beside the one at hand are looked through.
_MOST_POSTS = 8
# What stands in more posts than that is looked for only together with other words.
_MOST_HOLDING = 2000
_MOST_HITS = 4000
# One in so many posts.
_FEW = 150
_SHORTEST_BEGINNING = 4


class Nearby(NamedTuple):
    """Where the words stand."""

    posts: list[ShownPost]
    telling: frozenset[str]  # the words that stand in so few posts that one of them says enough


def find_nearby(db: sa.Connection, words: Sequence[str], *, by: Principal, at: int) -> Nearby:
    """The best of what `by` finds as a reader or was granted, the post at hand perhaps among them.

    The rarest words come first, and so many of them that every post that holds one is ranked; how long that takes
    does not depend on how many posts there are.
    """
    understood = {word: found for word in words[:MOST_WORDS] if (found := _to_look_for(word)) is not None}
    counts = {word: count_holding(db, found, most=_MOST_HOLDING + 1) for word, found in understood.items()}
    held = sorted((word for word in understood if counts[word]), key=lambda word: counts[word])
    if not held:
        return Nearby([], frozenset())
    rare, left = list[Word](), _MOST_HITS
    for word in held:
        if counts[word] > min(left, _MOST_HOLDING):
            break
        rare.append(understood[word])
        left -= counts[word]
    # Where every word is in very many posts, what says all of them, and of that the newest.
    question = Question(tuple(rare or [understood[word] for word in held]), is_any=bool(rare))
    hits = list_hits(db, question, by=by, at=at, limit=_MOST_HITS if rare else _MOST_HOLDING, with_held=True)
    posts = list_posts_behind(db, [hit.number for hit in hits[:_MOST_POSTS]], by=by, at=at, with_held=True)
    few = count_holding(db, most=_MOST_HOLDING) / _FEW
    return Nearby(posts, frozenset(word for word in held if counts[word] <= few and not is_common(word)))


def _to_look_for(word: str) -> Word | None:
    """A word as the index holds it, or what has the same beginning: the index does not know that words have forms."""
    found = understand(word).words
    if not found:
        return None
    root = root_of(word)
    if len(found[0].pieces) == 1 and len(root) >= _SHORTEST_BEGINNING and word.startswith(root) and not is_common(word):
        return Word((root,), is_beginning=True)
    return Word(found[0].pieces)
