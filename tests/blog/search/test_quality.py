"""Search quality: the words of real packages as posts, and what people type to find them."""

import importlib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from auth.principal import VISITOR
from blog.search.searching import search
from tests.packages import about, description_of
from tests.support import Site, make_site

FOLDER = Path(__file__).parent
LONGEST = 20_000
QUERIES = [
    (question.strip(), wanted.strip())
    for line in (FOLDER / "quality.txt").read_text().splitlines()
    if line and not line.startswith("#")
    for question, wanted in [line.split("|")]
]


def documents() -> Iterator[tuple[str, str]]:
    """Names and texts: what installed packages say of themselves, and, as those may be fewer than a hundred, what
    Python says of some of its modules.
    """
    for each in sorted(distributions(), key=lambda found: found.name.lower()):
        words = description_of(each)
        if each.name != "byline" and len(words) > 80:
            yield each.name, f"{about(each).get('Summary') or ''}\n\n{words}"
    for name in (FOLDER / "modules.txt").read_text().split():
        yield f"Module {name}", importlib.import_module(name).__doc__ or name


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = make_site(tmp_path_factory.mktemp("quality") / "instance")
    for number, (name, words) in enumerate(documents()):
        body = "".join(c for c in words[:LONGEST] if c.isprintable() or c in "\n\t")
        site.post(title=name, body=body, slug=f"text-{number}")
    yield site
    site.close()


def test_of_a_hundred_questions_nine_in_ten_find_what_was_meant_first(library: Site) -> None:
    assert len(QUERIES) == len(dict(QUERIES)) == 100
    assert library.rows("posts") >= 100
    missed = []
    with library.database.reading() as db:
        for question, wanted in QUERIES:
            found = [result.line.title.lower().replace("_", "-") for result in search(db, question, by=VISITOR).results]
            if found[:1] != [wanted]:
                missed.append((question, wanted, found[:3]))
    assert len(missed) <= 10, missed
