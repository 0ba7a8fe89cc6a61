"""The posts of the blog in which what was asked is talked about most, as far as a reader may read them now."""

from collections.abc import Sequence

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations.terms import is_common, root_of
from blog.posts.model import Post
from blog.search.language import MOST_WORDS, Question, Word, understand
from blog.search.queries import count_holding, list_hits, list_posts_behind

# So many posts beside the one at hand are looked through.
_MOST_POSTS = 8
# What stands in more posts than that is looked for only together with other words.
_MOST_HOLDING = 2000
_MOST_HITS = 4000
_SHORTEST_BEGINNING = 4


def list_nearby(db: sa.Connection, words: Sequence[str], *, by: Principal, at: int) -> list[Post]:
    """The best of what `by` finds as a reader or was granted, the post at hand perhaps among them.

    The rarest words come first, and so many of them that every post that holds one is ranked; how long that takes
    does not depend on how many posts there are.
    """
    understood = [word for word in map(_to_look_for, words[:MOST_WORDS]) if word is not None]
    counted = [(count_holding(db, word, most=_MOST_HOLDING + 1), word) for word in dict.fromkeys(understood)]
    held = sorted(((count, word) for count, word in counted if count), key=lambda each: each[0])
    if not held:
        return []
    rare, left = list[Word](), _MOST_HITS
    for count, word in held:
        if count > min(left, _MOST_HOLDING):
            break
        rare.append(word)
        left -= count
    # Where every word is in very many posts, what says all of them, and of that the newest.
    question = Question(tuple(rare), is_any=True) if rare else Question(tuple(word for _count, word in held))
    hits = list_hits(db, question, by=by, at=at, limit=_MOST_HITS if rare else _MOST_HOLDING, with_held=True)
    return list_posts_behind(db, [hit.number for hit in hits[:_MOST_POSTS]], by=by, at=at, with_held=True)


def _to_look_for(word: str) -> Word | None:
    """A word as the index holds it, or what has the same beginning: the index does not know that words have forms."""
    found = understand(word).words
    if not found:
        return None
    root = root_of(word)
    if len(found[0].pieces) == 1 and len(root) >= _SHORTEST_BEGINNING and word.startswith(root) and not is_common(word):
        return Word((root,), is_beginning=True)
    return Word(found[0].pieces)
