"""Texts that people wrote: the descriptions of the packages installed here."""

from importlib.metadata import Distribution, distributions

import pytest

from blog.rendering import excerpt, render
from tests.blog.rendering.allowed import Page
from tests.packages import about, description_of


def describe(package: Distribution) -> str:
    """The long description of a package, if it is Markdown."""
    is_markdown = about(package).get("Description-Content-Type", "").startswith("text/markdown")
    return description_of(package) if is_markdown else ""


TEXTS = {package.name: text for package in distributions() if (text := describe(package))}


def test_there_are_texts_to_render():
    assert len(TEXTS) > 20


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_real_text_gives_a_clean_page(name):
    html = render(TEXTS[name])
    page = Page(html)
    assert page.faults == []
    assert len(page.elements) > 1
    assert "<h1" not in html
    assert 0 < len(excerpt(html)) <= 200
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
