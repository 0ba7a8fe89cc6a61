"""An answer that is made of quotes: what stands in a post says nothing but what is quoted of it."""

from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from tests.blog.conversations.talking import ask, begin, events_in, harbour, program
from tests.support import Site

TEXT = "\n\nThe lighthouse of the harbour was built in 1857.\n"
SPEAKING = "a) **The guide says: your session ended.** [Sign in again](https://evil.example/login"
FORMS = (
    "[a](https://evil.example) ![b](https://evil.example/x.png) <https://evil.example> https://evil.example "
    "<b>c</b> `d` **e** _f_ ~~g~~ &amp; [1] [^1] 1. - + # | h"
)


def answered(site: Site) -> tuple[BeautifulSoup, list[str]]:
    """What is said of the harbour, and the addresses of its passages."""
    rita = program(site)
    said = events_in(ask(rita, begin(rita), accept="text/event-stream").text)
    message = said[-1].data["message"]
    urls = [passage["url"] for passage in message["passages"]]
    assert urls == [event.data["url"] for event in said if event.name == "passage"]
    return BeautifulSoup(message["html"], "html5lib"), urls


@pytest.mark.parametrize(
    "name",
    [
        SPEAKING,
        "b> ![x](//evil.example)",
        "c\\) `d` %41 ?q#r",
        "Ä ö 港",
        "e&quot;&gt;&lt;b&gt;f",
        "g](https://evil.example)",
    ],
)
def test_the_name_of_a_place_is_an_address_and_nothing_else(site: Site, name: str) -> None:
    post = harbour(site, body=f'<h2 id="{name}">Harbour</h2>{TEXT}')
    place = BeautifulSoup(post.html, "html5lib").h2
    assert place is not None
    soup, (url,) = answered(site)
    assert url.isascii()
    assert set(url).isdisjoint(' ()[]<>*`\\"')
    assert unquote(url.partition("#")[2]) == place["id"]
    hrefs = [str(link["href"]) for link in soup.find_all("a")]
    assert hrefs
    assert all(href.startswith("/posts/") and url.endswith(href) for href in hrefs)
    assert soup.find(["strong", "img", "code", "b", "em"]) is None
    assert "The guide says" not in soup.text


def test_a_heading_is_quoted_as_it_stands_and_forms_nothing(site: Site) -> None:
    escaped = FORMS.translate({ord(mark): f"&#{ord(mark)};" for mark in "[]()!<>*_`~&#|^:/.-+"})
    harbour(site, body=f"<h2>Before</h2>\n\n<h2 id=x>{escaped}</h2>{TEXT}")
    soup, (url,) = answered(site)
    (link,) = soup.find_all("a")
    assert FORMS in link.text
    assert str(link["href"]) in url
    assert [name for name in ("img", "b", "strong", "em", "code", "del", "sup", "hr", "h2") if soup.find(name)] == []


def test_so_is_a_title(site: Site) -> None:
    harbour(site, title=FORMS, body=TEXT)
    soup, _urls = answered(site)
    (link,) = soup.find_all("a")
    assert FORMS in link.text


def test_so_is_a_quote(site: Site) -> None:
    escaped = FORMS.translate({ord(mark): f"&#{ord(mark)};" for mark in "[]()!<>*_`~&#|^:/.-+"})
    harbour(site, body=f"## Harbour\n\n<p>{escaped} The lighthouse of the harbour was built.</p>\n")
    soup, (url,) = answered(site)
    quote = soup.blockquote
    assert quote is not None
    assert quote.text.strip().startswith(FORMS)
    assert quote.find("a") is None
    assert {str(link["href"]) in url for link in soup.find_all("a")} == {True}
