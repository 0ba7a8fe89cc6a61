"""Finding posts by what somebody typed."""

from dataclasses import dataclass

import sqlalchemy as sa
from markupsafe import Markup

from auth.principal import Principal
from blog.indexing.words import separate
from blog.posts.model import PostLine
from blog.search import queries
from blog.search.language import Question, understand
from blog.search.queries import Found
from blog.search.snippets import mark, snippet
from storage import clock

# Ranking looks at every post that fits; beyond that only at the newest.
MOST_RANKED = 2000
PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Result:
    """A post as the results show it."""

    line: PostLine
    title_html: Markup
    text_html: Markup  # where the words stand, or how the post begins


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found."""

    results: list[Result]
    count: int  # of all pages
    is_cut: bool  # more fit than were ranked
    is_shortened: bool  # the question was too long to be used whole
    is_understood: bool  # something in it could be looked for

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return -(-self.count // PER_PAGE)


def search(db: sa.Connection, text: str, *, by: Principal, page: int = 1) -> Results:
    """The posts that fit `text` and that `by` may read, the best first. Whatever the text is, it is answered."""
    question = understand(text)
    if question.is_empty:
        return Results([], 0, False, question.is_shortened, is_understood=False)
    at = clock.now()
    hits = queries.list_hits(db, question, by=by, at=at, limit=MOST_RANKED + 1)
    is_cut = len(hits) > MOST_RANKED
    if is_cut:
        hits.remove(min(hits, key=lambda hit: hit.number))
    numbers = [hit.number for hit in hits[(page - 1) * PER_PAGE : page * PER_PAGE]]
    found = queries.list_found(db, numbers, by=by, at=at) if numbers else []
    results = [_result(each, question) for each in found]
    return Results(results, len(hits), is_cut, question.is_shortened, is_understood=True)


def _result(found: Found, question: Question) -> Result:
    title = mark(separate(found.line.title), question.words)
    text = snippet(found.text, question.words)
    return Result(found.line, title, Markup.escape(found.line.excerpt) if text is None else text)
