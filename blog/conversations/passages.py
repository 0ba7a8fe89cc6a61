"""The passages that answer a question: of one post, or of the whole blog as far as this reader may read it now."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote as percent_encoded
from urllib.parse import unquote

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations.model import Passage, Scope
from blog.conversations.nearby import find_nearby
from blog.conversations.quoting import quote_of
from blog.conversations.ranking import Source, rank
from blog.conversations.sections import sections_of
from blog.conversations.terms import is_empty
from blog.posts.model import ShownPost

MOST_PASSAGES = 5
# Of the HTML of the post at hand, and of all others together. An honest megabyte of Markdown has less than two.
_MOST_CHARACTERS, _MOST_ELSEWHERE = 4_000_000, 1_000_000


def find_passages(
    db: sa.Connection, post: ShownPost, words: Sequence[str], *, scope: Scope, by: Principal, at: int
) -> list[Passage]:
    """The sections that say most of these words, the best first; none where too little of them is said.

    When the words name nothing (“What is this about?”), it is the post's opening.
    """
    posts = {post.id: post}
    if not words:
        quotes: Iterable[tuple[Source, str]] = []
    elif all(map(is_empty, words)):
        quotes = [(source, quote_of(source.section.pieces, (), {})) for source in list(_sources([post]))[:1]]
    else:
        telling: frozenset[str] = frozenset()
        if scope == Scope.BLOG:
            others, telling = find_nearby(db, words, by=by, at=at)
            posts |= {other.id: other for other in others if other.id != post.id}
        ranked = rank(list(_sources(posts.values())), words, most=MOST_PASSAGES, telling=telling)
        quotes = [(each.source, each.quote) for each in ranked]
    return [_passage(number, posts, source, quote) for number, (source, quote) in enumerate(quotes, 1)]


def find_changed(passages: Collection[Passage], posts: Mapping[str, str]) -> set[Passage]:
    """Those that no longer stand where they were found. `posts`: the HTML, as it is now, of the posts they are of."""
    changed = set[Passage]()
    for post, html in posts.items():
        texts: dict[str, str] = {}
        for section in sections_of(_beginning(html, _MOST_CHARACTERS)):
            texts[section.anchor] = texts.get(section.anchor, "") + _without_blanks(" ".join(section.pieces))
        for passage in passages:
            there = texts.get(unquote(passage.url.partition("#")[2]), "")
            if passage.post == post and _without_blanks(passage.quote) not in there:
                changed.add(passage)
    return changed


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def _sources(posts: Iterable[ShownPost]) -> Iterator[Source]:
    at_hand, *others = posts
    # Of one post alone the title says nothing.
    title = at_hand.title if others else ""
    for section in sections_of(_beginning(at_hand.html, _MOST_CHARACTERS)):
        yield Source(at_hand.id, section, title)
    left = _MOST_ELSEWHERE
    for post in others:
        html = _beginning(post.html, left)
        left -= len(html)
        for section in sections_of(html):
            yield Source(post.id, section, post.title, is_other=True)


def _beginning(html: str, most: int) -> str:
    return html if len(html) <= most else html[: html.rfind(">", 0, most) + 1]


def _passage(number: int, posts: dict[str, ShownPost], source: Source, quote: str) -> Passage:
    post, section = posts[source.post_id], source.section
    return Passage(
        number=number,
        post=post.id,
        title=post.title,
        heading=section.heading,
        # Whoever wrote the post named the place, perhaps with words and links of another text in it.
        url=f"{post.path}#{percent_encoded(section.anchor, safe='')}" if section.anchor else post.path,
        quote=quote,
        version=post.version,
    )
