"""A tag's address is the same everywhere and leads to it, whatever the tag is called."""

import re
from html import unescape

import pytest
from flask import render_template_string

from blog.tags.addresses import tag_path
from tests.support import Site

BASE = "http://localhost:8000"
NAMES = ["a%41", "100%", "c++", "日本 語", "a&b", "it's", "x;y=z~!*()"]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_a_tag_leads_to_it(site: Site, name: str) -> None:
    for number in range(11):
        site.post(title=f"Post {number}", slug=f"post-{number}", tags=[name])
    visitor, path = site.client(), tag_path(name)
    assert re.fullmatch(r"/tags/[A-Za-z0-9%._~-]+", path)
    page = visitor.get(path)
    assert page.status_code == 200
    assert f'<link rel="canonical" href="{BASE}{path}">' in page.text
    older = unescape(re.findall(r'rel="next" href="([^"]*)"', page.text)[0])
    assert older.startswith(f"{path}?before=")
    assert visitor.get(older).status_code == 200
    assert re.findall(r'rel="prev" href="([^"]*)"', visitor.get(older).text) == [path]
    feed = visitor.get(f"{path}/feed.xml")
    assert feed.status_code == 200
    assert f'rel="self" type="application/atom+xml" href="{BASE}{path}/feed.xml"' in feed.text
    assert f"<id>{BASE}{path}</id>" in feed.text
    assert f'href="{path}/feed.xml"' in page.text
    for other in ("/", "/tags", "/posts/post-0"):
        assert f'href="{path}"' in visitor.get(other).text


def test_another_way_of_writing_it_says_which_one_counts(site: Site) -> None:
    site.post(tags=["c++"])
    site.post(tags=["c++"], slug="other")
    for written in ("/tags/C++", "/tags/c++", "/tags/C%2B%2B", "/tags/%20c%2B%2B%20"):
        answer = site.client().get(written)
        assert f'<link rel="canonical" href="{BASE}/tags/c%2B%2B">' in answer.text
        assert f'href="{BASE}/tags/c%2B%2B/feed.xml"' in site.client().get(f"{written}/feed.xml").text


@pytest.mark.parametrize("name", NAMES)
def test_templates_write_it_the_same_way(site: Site, name: str) -> None:
    with site.app.app_context():
        assert render_template_string("/tags/{{ tag|urlencode }}", tag=name) == tag_path(name)
