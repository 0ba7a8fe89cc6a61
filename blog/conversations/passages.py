"""The passages that answer a question: of one post, or of the whole blog as far as this reader may read it now."""

from collections.abc import Sequence

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations.model import Passage, Scope
from blog.conversations.ranking import Source, rank
from blog.conversations.sections import sections_of
from blog.posts.model import Post
from blog.search.language import Question, Word
from blog.search.queries import list_hits, list_posts_behind

MOST_PASSAGES = 5
# Of the blog, so many posts beside the one at hand are looked through.
_MOST_POSTS = 8
_MOST_HITS = 200


def find_passages(
    db: sa.Connection, post: Post, words: Sequence[str], *, scope: Scope, by: Principal, at: int
) -> list[Passage]:
    """The sections that say most of these words, the best first; none where no word is found."""
    posts = {post.id: post}
    if scope == Scope.BLOG and words:
        question = Question(tuple(Word((word,)) for word in words), is_any=True)
        hits = list_hits(db, question, by=by, at=at, limit=_MOST_HITS)[:_MOST_POSTS]
        posts |= {found.id: found for found in list_posts_behind(db, [hit.number for hit in hits], by=by, at=at)}
    sources = [Source(each.id, section) for each in posts.values() for section in sections_of(each.html)]
    return [
        Passage(
            number=number,
            post=ranked.source.post_id,
            title=posts[ranked.source.post_id].title,
            heading=ranked.source.section.heading,
            url=_url(posts[ranked.source.post_id], ranked.source.section.anchor),
            quote=ranked.quote,
            version=posts[ranked.source.post_id].version,
        )
        for number, ranked in enumerate(rank(sources, words, most=MOST_PASSAGES), 1)
    ]


def _url(post: Post, anchor: str) -> str:
    return f"{post.path}#{anchor}" if anchor else post.path
