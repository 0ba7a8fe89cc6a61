"""Images: their captions, their sizes, and nobody else's addresses."""

from dataclasses import dataclass
from typing import Any

import pytest

from blog.rendering import excerpt, render
from blog.rendering.sanitising import sanitise
from tests.blog.rendering.allowed import Page


@dataclass
class Kept:
    width: Any = 1600
    height: Any = 900
    srcset: str = "/media/ab-640.webp 640w, /media/ab-1280.webp 1280w"
    alt: str = "A harbour"


KEPT = {"/media/ab": Kept(), "/media/new": Kept(srcset=""), "/media/bare": Kept(alt="")}
SIZE = 'width="1600" height="900" srcset="/media/ab-640.webp 640w, /media/ab-1280.webp 1280w" sizes="(max-width: 40em) 100vw, 37em"'  # fmt: skip


def images(html: str) -> list[dict[str, str]]:
    return [attributes for tag, attributes in Page(html).elements if tag == "img"]


# Captions


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ('![a](b "C")', '<figure><img src="b" alt="a"><figcaption>C</figcaption>\n</figure>\n'),
        ("![a][r]\n\n[r]: b 'C'", '<figure><img src="b" alt="a"><figcaption>C</figcaption>\n</figure>\n'),
        (
            '[![a](b "C")](/d)',
            '<figure><a href="/d" rel="noopener"><img src="b" alt="a"></a><figcaption>C</figcaption>\n</figure>\n',
        ),
        (
            '> ![a](b "C")',
            '<blockquote>\n<figure><img src="b" alt="a"><figcaption>C</figcaption>\n</figure>\n</blockquote>\n',
        ),
        ("![a](b)", '<p><img src="b" alt="a"></p>\n'),
        ('![a](b " ")', '<p><img src="b" alt="a" title=" "></p>\n'),
        ('See ![a](b "C")', '<p>See <img src="b" alt="a" title="C"></p>\n'),
        ('![a](b "C") ![d](e "F")', '<p><img src="b" alt="a" title="C"> <img src="e" alt="d" title="F"></p>\n'),
        ('- ![a](b "C")', '<ul>\n<li><img src="b" alt="a" title="C"></li>\n</ul>\n'),
        ('# ![a](b "C")', '<h2 id="section_"><img src="b" alt="a" title="C"></h2>\n'),
    ],
)
def test_an_image_with_a_title_alone_in_its_paragraph_is_a_figure(text, html):
    assert render(text) == html


def test_a_caption_is_text_with_its_quotes_and_addresses():
    html = render('![a](b "It\'s \\"so\\" *here* <b>, https://example.org/x.")', own_host="me.example")
    assert (
        "<figcaption>It’s “so” *here* &lt;b&gt;, "
        '<a href="https://example.org/x" rel="noopener external">https://example.org/x</a>.</figcaption>'
    ) in html


@pytest.mark.parametrize(
    "caption",
    [
        "<script>alert(1)</script>",
        "</figcaption></figure><img src=x onerror=alert(1)>",
        '\\"><svg onload=alert(1)>',
        "&lt;img src=x onerror=alert(1)&gt;",
        "javascript:alert(1)",
        "[a](javascript:alert(1))",
        "]]><!--",
        "\u202e\ufeff",
    ],
)
def test_a_hostile_caption_is_words(caption):
    page = Page(render(f'![a](b "{caption}")'))
    assert page.faults == []
    assert [tag for tag, _ in page.elements] == ["figure", "img", "figcaption"]
    assert not any("title" in attributes for attributes in images(render(f'![a](b "{caption}")')))


def test_an_excerpt_begins_after_the_figure():
    assert excerpt(render('![a](b "Caption")\n\nWords.')) == "Words."


# Sizes


def test_an_image_that_is_kept_here_has_its_size_and_copies_and_later_ones_are_lazy():
    html = render("![a](/media/ab)\n\n![b](/media/ab) ![c](/media/new) ![d](/elsewhere)\n", pictures=KEPT)
    assert html == (
        f'<p><img src="/media/ab" alt="a" {SIZE} loading="eager"></p>\n'
        f'<p><img src="/media/ab" alt="b" {SIZE} loading="lazy">'
        ' <img src="/media/new" alt="c" width="1600" height="900" loading="lazy"> <img src="/elsewhere" alt="d"></p>\n'
    )


def test_the_writers_words_for_an_image_win_over_those_of_the_library():
    texts = ("![Mine](/media/ab)", "![](/media/ab)", "![ ](/media/ab)", "![](/media/bare)", "![*m*](/media/ab)")
    assert [images(render(text, pictures=KEPT))[0]["alt"] for text in texts] == [
        "Mine",
        "A harbour",
        "A harbour",
        "",
        "m",
    ]


def test_an_image_in_a_figure_and_in_a_link_is_found_too():
    html = render('[![](/media/ab "C")](/x)', pictures=KEPT)
    assert [image["width"] for image in images(html)] == ["1600"]
    assert "<figcaption>C</figcaption>" in html


@pytest.mark.parametrize(
    "srcset",
    [
        "javascript:alert(1) 640w",
        "/media/a 640w, javascript:alert(1) 1280w",
        "data:image/svg+xml,<svg> 1x",
        "https://evil.example/a.webp 640w",
        "//evil.example/a.webp 640w",
        "/\\evil.example/a.webp 640w",
        "/media/a 640w,//evil.example/a 1280w",
        "/media/a 640w, /media/b\t//evil.example/a 1280w",
        '/media/a" onerror="alert(1) 640w',
        "/media/a?b=c 640w",
        "/media/a 2x",
        "/media/a",
        "/media/a 640w\n",
        ", ".join(["/media/a 640w"] * 9),
        "/" + "a" * 400 + " 640w",
        "",
    ],
)
def test_copies_are_of_this_site_or_none(srcset):
    kept = {"/media/ab": Kept(srcset=srcset)}
    for html in (render("![a](/media/ab)", pictures=kept), sanitise(f"<img src='/media/ab' srcset='{srcset}'>")):
        assert Page(html).faults == []
        assert "srcset" not in images(html)[0]


def test_what_the_library_says_is_never_markup():
    hostile = Kept(width='1" onerror="alert(1)', height="<b>", alt='"><script>alert(1)</script>')
    page = Page(render("![](/media/x)", pictures={"/media/x": hostile}))
    assert page.faults == []
    assert page.elements[1][1]["alt"] == '"><script>alert(1)</script>'
    assert "onerror" not in page.elements[1][1]


def test_a_writers_own_html_may_name_copies_of_this_site_and_no_other_sizes():
    html = render('<img src="/media/ab" srcset="/media/ab-640.webp 640w" sizes="1px" loading="lazy" alt="">')
    assert html == '<img src="/media/ab" srcset="/media/ab-640.webp 640w" loading="lazy" alt="">'


def test_a_library_that_fails_costs_the_looks_and_not_the_words():
    nothing: Any = object()
    assert Page(render("![a](/media/ab) words", pictures={"/media/ab": nothing})).text == "![a](/media/ab) words"
