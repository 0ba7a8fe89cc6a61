"""What answers a question: the words of real packages as posts, and what their readers may ask of them."""

from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from typing import TYPE_CHECKING

import pytest

from blog.conversations.model import Passage, Scope
from blog.conversations.passages import MOST_PASSAGES, find_passages
from blog.conversations.ranking import keywords
from storage import clock
from tests.blog.conversations.questions import PACKAGES, QUESTIONS, UNANSWERED, UNSEEN
from tests.packages import about, description_of
from tests.support import Site, make_site

if TYPE_CHECKING:
    from blog.posts.model import Post


class Library:
    """A site on which every package is a post, and a reader of it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.reader = site.principal("rita")
        self.posts = {name: self._publish(name) for name in PACKAGES}

    def _publish(self, name: str) -> "Post":
        package = distribution(name)
        assert about(package)["Description-Content-Type"].startswith("text/markdown")
        body = description_of(package)
        return self.site.post(title=about(package)["Name"], body=body, slug=f"package-{name}")

    def ask(self, name: str, question: str, scope: Scope = Scope.POST) -> list[Passage]:
        """What is found for a question about that package."""
        with self.site.database.reading() as db:
            at = clock.now()
            return find_passages(db, self.posts[name], keywords(question), scope=scope, by=self.reader, at=at)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    site = make_site(tmp_path_factory.mktemp("library") / "instance")
    yield Library(site)
    site.close()


def missed(library: Library, questions: Sequence[tuple[str, str, str]], scope: Scope, first: int) -> list[str]:
    """The questions whose section is not among the first passages."""
    found = []
    for name, question, heading in questions:
        post = library.posts[name]
        places = [(passage.post, passage.heading) for passage in library.ask(name, question, scope)[:first]]
        if (post.id, heading) not in places:
            found.append(f"{name}: {question} {[place[1] for place in places]}")
    return found


def test_the_questions_are_enough_and_each_is_asked_once() -> None:
    assert len(PACKAGES) >= 30
    asked = [question[:2] for question in (*QUESTIONS, *UNSEEN, *UNANSWERED)]
    assert len(set(asked)) == len(asked)
    assert len(QUESTIONS) >= 60
    assert len({name for name, _question, _heading in QUESTIONS}) >= 30


def test_nine_in_ten_questions_find_their_section_among_the_first_three(library: Library) -> None:
    failed = missed(library, QUESTIONS, Scope.POST, 3)
    assert len(failed) <= len(QUESTIONS) * 0.1, failed


def test_so_do_nine_in_ten_of_those_that_the_ranking_was_not_made_with(library: Library) -> None:
    failed = missed(library, UNSEEN, Scope.POST, 3)
    assert len(failed) <= len(UNSEEN) * 0.1, failed


def test_over_the_whole_blog_the_post_and_its_section_are_among_the_first_five(library: Library) -> None:
    questions = [*QUESTIONS, *UNSEEN]
    failed = missed(library, questions, Scope.BLOG, MOST_PASSAGES)
    assert len(failed) <= len(questions) * 0.2, failed


def test_what_the_text_does_not_answer_is_hardly_ever_answered(library: Library) -> None:
    answered = [question for name, question in UNANSWERED if library.ask(name, question)]
    assert len(answered) <= len(UNANSWERED) * 0.2, answered


def test_a_quote_is_of_the_section_that_it_names_and_can_be_read_at_once(library: Library) -> None:
    for name, question, _heading in QUESTIONS:
        post = library.posts[name]
        for number, passage in enumerate(library.ask(name, question), 1):
            assert passage.number == number
            assert 0 < len(passage.quote) <= 480
            assert passage.url == f"{post.path}#{passage.url.partition('#')[2]}".rstrip("#")
            assert f'id="{passage.url.partition("#")[2]}"' in post.html or not passage.heading
