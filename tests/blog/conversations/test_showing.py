"""What a guide said, as HTML: its form stays, its numbers are links, and nothing of it is the page's own."""

import pytest
from bs4 import BeautifulSoup, Tag

from blog.conversations.model import Passage
from blog.conversations.showing import show

OWN = "blog.example"
PASSAGES = [
    Passage(1, "p", "Title", "Harbour", "/posts/harbour#section_a%20b", "It was built [2] then.", 1),
    Passage(2, "p", "Title", "Weather", "/posts/harbour?a=1&b=2#section_c", "Storms.", 1),
]


def shown(content: str) -> Tag:
    soup = BeautifulSoup(show(content, own_host=OWN, passages=PASSAGES), "html5lib").body
    assert soup is not None
    return soup


def links(content: str) -> list[tuple[str, str]]:
    return [(link.text, str(link.get("href"))) for link in shown(content).find_all("a")]


def citing(*numbers: int) -> list[tuple[str, str]]:
    return [(f"[{number}]", PASSAGES[number - 1].url) for number in numbers]


def test_a_heading_is_a_paragraph_of_its_own() -> None:
    soup = shown("Before.\n\n# A *heading*\n\nAfter.\n\n- a\n\n  ### In a list")
    assert [" ".join(each.text.split()) for each in soup.find_all("p")] == [
        "Before.",
        "A heading",
        "After.",
        "a",
        "In a list",
    ]
    assert [each.text for each in soup.find_all("strong")] == ["A heading", "In a list"]
    assert soup.find(["h1", "h2", "h3"]) is None


def test_a_table_is_a_table_that_scrolls() -> None:
    soup = shown("| a | b |\n|:-:|---|\n| 1 | 2 |\n")
    assert [[cell.text for cell in row.find_all(["td", "th"])] for row in soup.find_all("tr")] == [
        ["a", "b"],
        ["1", "2"],
    ]
    assert soup.th is not None
    assert soup.th["align"] == "center"
    box = soup.div
    assert box is not None
    assert (box["class"], box["tabindex"], box["role"]) == (["table-scroll"], "0", "group")


def test_what_is_done_of_a_list_is_told_from_what_is_not() -> None:
    soup = shown("- [x] one\n- [ ] two")
    assert [item.text.strip() for item in soup.find_all("li")] == ["☑ one", "☐ two"]


def test_a_note_says_what_it_says_and_leads_nowhere() -> None:
    soup = shown("Words[^1] and [more](#section_x).\n\n[^1]: The note.\n")
    assert soup.find("a") is None
    assert [item.text.strip() for item in soup.find_all("li")] == ["The note."]
    assert soup.sup is not None
    assert soup.sup.text == "1"
    assert soup.find(id=True) is None


@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        ("As it says [1].", [1]),
        ("Both [1][2], and [2] again.", [1, 2, 2]),
        ("# One [1]\n\n| a [2] |\n|---|\n| b |", [1, 2]),
        ("None [3], [0], [01], [1.5], [-1], [1, 2], [99] or [100].", []),
        ("`a[1]`\n\n    b[1]\n\n```\nc[2]\n", []),
        ("<pre>[1]</pre><code>x <b>[2]</b></code>", []),
        ("> Storms. [1]", [1]),
        # The words of a passage have numbers of their own.
        ("> It was built [2] then.\n\nSo it says [2].", [2]),
    ],
)
def test_a_number_leads_to_its_passage(content: str, numbers: list[int]) -> None:
    assert links(content) == citing(*numbers)


def test_a_number_within_a_link_is_a_part_of_it() -> None:
    assert links("[see [1] there](/posts/other) [1]") == [("see [1] there", "/posts/other"), *citing(1)]


def test_an_address_is_nothing_but_an_address() -> None:
    passage = PASSAGES[0]._replace(url='/posts/x#"><script>alert(1)</script>')
    html = show("[1]", own_host=OWN, passages=[passage])
    soup = BeautifulSoup(html, "html5lib")
    assert soup.find("script") is None
    (link,) = soup.find_all("a")
    assert link["href"] == passage.url


def test_links_to_other_sites_are_marked_and_our_own_are_not() -> None:
    one, two, cited = shown("[a](https://blog.example/x) [b](https://other.example/) [1]").find_all("a")
    assert "external" not in one["rel"]
    assert "external" in two["rel"]
    assert cited["rel"] == ["noopener"]
