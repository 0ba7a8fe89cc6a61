"""What a text becomes, to the letter."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blog.rendering import RENDERER_VERSION, render
from blog.rendering.markdown import to_html
from blog.rendering.sanitising import sanitise
from tests.blog.rendering.allowed import Page

FRAGMENTS = [
    *("\n", "\n\n", "\n    ", "\n\t", "  \n", " ", "  ", "\\", "\r", "\u2028", "\u00a0"),
    *("> ", "- ", "1. ", "2) ", "- [ ] ", "- [x] ", "# ", "## ", "\n===\n", "\n---\n", "***\n", "```\n", "~~~\n"),
    *(
        "*",
        "**",
        "_",
        "__",
        "`",
        "``",
        "~~",
        "![",
        "[",
        "]",
        "|",
        "\n|-|-|\n",
        "<",
        ">",
        "&",
        "&amp;",
        "&#1;",
        "&#xd800;",
    ),
    *(
        "<b>",
        "</b>",
        "<div>",
        "</div>",
        "<td>",
        "</table>",
        "<p>",
        "<!--",
        "<?",
        "<h1>",
        "</h1>",
        "<li>",
        "<script>",
        "<svg>",
    ),
    *("https://example.org/", "www.", "@", "!", ".", "é", "e\u0301", "漢字", "👩‍👩‍👧", "\u202e"),
]


def test_a_table_can_be_scrolled_and_keeps_its_alignment_without_styles():
    assert render("| a | b |\n|:--|--:|\n| *1* | `2` |\n") == (
        '<div class="table-scroll" tabindex="0" role="group" aria-label="Table">\n<table>\n'
        '<thead>\n<tr>\n<th align="left">a</th>\n<th align="right">b</th>\n</tr>\n</thead>\n'
        '<tbody>\n<tr>\n<td align="left"><em>1</em></td>\n<td align="right"><code>2</code></td>\n</tr>\n</tbody>\n'
        "</table>\n</div>\n"
    )


def test_a_footnote_leads_there_and_back():
    assert render("Once[^n] and again[^n].\n\n[^n]: The *note*.\n") == (
        '<p>Once<sup class="footnote"><a href="#section_note.1" id="section_note.1.from.1" rel="noopener">1</a></sup>'
        ' and again<sup class="footnote"><a href="#section_note.1" id="section_note.1.from.2" rel="noopener">1</a></sup>'
        '.</p>\n<section class="footnotes">\n<hr>\n<ol>\n<li id="section_note.1"><p>The <em>note</em>.'
        ' <a href="#section_note.1.from.1" class="footnote-back" aria-label="Back to the text" rel="noopener">↩︎</a>'
        ' <a href="#section_note.1.from.2" class="footnote-back" aria-label="Back to the text" rel="noopener">↩︎</a>'
        "</p>\n</li>\n</ol>\n</section>\n"
    )


def test_a_note_within_a_note_stays_text_and_loses_nothing():
    page = Page(render("See[^a].\n\n[^a]: outer\n\n    [^b]: inner\n\n    after\n"))
    assert page.faults == []
    assert all(word in page.text for word in ("outer", "inner", "after"))


def test_a_task_is_a_box_that_nobody_can_tick():
    assert render("- [ ] one\n- [x] two\n") == (
        '<ul class="contains-task-list">\n'
        '<li class="task-list-item"><input disabled="" aria-label="To do" type="checkbox"> one</li>\n'
        '<li class="task-list-item"><input disabled="" checked="" aria-label="Done" type="checkbox"> two</li>\n'
        "</ul>\n"
    )


def test_strikethrough_and_hard_breaks():
    assert render("~~gone~~ here\\\nthere") == "<p><s>gone</s> here<br>\nthere</p>\n"


def test_raw_html_is_kept_and_markdown_within_it_works():
    assert render(
        '<details open>\n<summary>More</summary>\n\n*Yes*, <kbd>Ctrl</kbd> <abbr title="x">y</abbr>.\n\n</details>\n'
    ) == (
        '<details open="">\n<summary>More</summary>\n<p><em>Yes</em>, <kbd>Ctrl</kbd> <abbr title="x">y</abbr>.</p>\n</details>\n'
    )


def test_comments_are_not_published():
    assert render("a <!-- b --> c\n\n<!-- d\n\ne -->\n") == "<p>a  c</p>\n\n"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<div>\n1 < 2 <i title='x'lang='y'>z\n</div>\n", "<div>\n1 &lt; 2 &lt;i title='x'lang='y'&gt;z\n</div>\n"),
        ("List<String> of <your-name>", "<p>List&lt;String&gt; of &lt;your-name&gt;</p>\n"),
        ("<textarea>a</textarea>", "&lt;textarea&gt;a&lt;/textarea&gt;"),
        ("<center><font color=red>a</font></center>", "a"),
    ],
)
def test_html_that_is_not_html_is_text(text, html):
    assert render(text) == html


def test_links_are_the_authors_own_word_and_so_followed():
    assert render('[a](https://example.org "t") <mail@example.org>') == (
        '<p><a href="https://example.org" title="t" rel="noopener">a</a>'
        ' <a href="mailto:mail@example.org" rel="noopener">mail@example.org</a></p>\n'
    )


# Headings


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n## b\n### c\n", "h2 h3 h4"),
        ("## a\n### b\n", "h2 h3"),
        ("### a\n#### b\n### c\n", "h2 h3 h2"),
        ("## a\n# b\n", "h3 h2"),
        ("# a\n###### b\n", "h2 h6"),
        ("a\n===\n\nb\n---\n", "h2 h3"),
        ("<h1>a</h1>\n\n## b\n\nc <h6>d</h6>\n", "h2 h3 h6"),
    ],
)
def test_headings_begin_below_the_title_of_the_page(text, levels):
    assert " ".join(tag for tag, _ in Page(render(text)).elements if tag.startswith("h")) == levels


def test_a_heading_can_be_linked_to_by_the_name_github_gives_it():
    assert render("# A `b`, *c* & d!\n\n[up](#a-b-c--d) [top](#)\n") == (
        '<h2 id="section_a-b-c--d">A <code>b</code>, <em>c</em> &amp; d!</h2>\n'
        '<p><a href="#section_a-b-c--d" rel="noopener">up</a> <a href="#" rel="noopener">top</a></p>\n'
    )


@pytest.mark.parametrize(
    ("headings", "names"),
    [
        (["Same", "same", "Same"], ["same", "same-1", "same-2"]),
        (["a", "a-1", "a"], ["a", "a-1", "a-2"]),
        (["a", "a", "a-1"], ["a", "a-1", "a-1-1"]),
        (["!", "?"], ["", "-1"]),
        (["Über uns", "हिन्दी", "漢字 かな", "e\u0301"], ["über-uns", "हिन्दी", "漢字-かな", "é"]),
        (["Section 1"], ["section-1"]),
        (["Note 1", "note.1"], ["note-1", "note1"]),
    ],
)
def test_no_two_headings_have_one_name(headings, names):
    page = Page(render("".join(f"# {heading}\n" for heading in headings)))
    assert [attributes["id"] for _, attributes in page.elements] == [f"section_{name}" for name in names]


def test_ids_that_a_writer_chose_cannot_meet_those_of_the_page():
    assert render('<h2 id="session">a</h2>\n\n<a id="forms"></a> <i id="x">b</i>') == (
        '<h2 id="section_session">a</h2>\n<p><a id="section_forms" rel="noopener"></a> <i>b</i></p>\n'
    )


# Bare addresses


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://example.org.", ["https://example.org"]),
        ("(https://example.org/a_(b)?c=1&d=2)", ["https://example.org/a_(b)?c=1&d=2"]),
        ("**https://a.example** and <i>http://b.example:8/</i>", ["https://a.example", "http://b.example:8/"]),
        (
            "“https://example.org/é”, https://example.org/一。二",
            ["https://example.org/%C3%A9", "https://example.org/%E4%B8%80"],
        ),
        ("[https://a.example](https://b.example)", ["https://b.example"]),
        ('<a href="https://b.example">https://a.example</a>', ["https://b.example"]),
        ("`https://example.org` https:// xhttps://example.org ftp://example.org", []),
        (f"https://example.org/{'a' * 3000}", []),
    ],
)
def test_an_address_in_the_text_is_a_link(text, links):
    page = Page(render(text))
    assert [attributes["href"] for tag, attributes in page.elements if tag == "a"] == links
    assert page.faults == []


def test_linking_an_address_changes_no_character_of_the_text():
    text = "a https://example.org/x, (https://b.example/y)…"
    assert Page(render(text)).text == text + "\n"


# Whatever people type


def test_the_version_of_the_renderer_is_a_number_to_store():
    assert RENDERER_VERSION >= 1


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x0b", "\x0c", "\x1b", "\x7f", "\ud800", "\ufffe"])
def test_what_no_page_can_carry_is_replaced(character):
    html = render(f"a{character}b `{character}` [x](y{character} 'z{character}') <b title='{character}'>c</b>")
    assert html.encode()
    assert character not in html
    assert "a\ufffdb" in html


@pytest.mark.parametrize(
    "number", ["&#1;", "&#x1;", "&#X00000B;", "&#0000000031", "&#xD800;", "&#65535;", "&#99999999;", "&#x0;"]
)
def test_what_no_page_can_carry_is_replaced_as_a_number_too(number):
    html = render(f"<div>\na{number} &#65;\n</div>\n\nb{number}")
    assert html.startswith("<div>\na\ufffd")
    assert " A\n</div>" in html
    assert html.isprintable() or {c for c in html if not c.isprintable()} == {"\n"}


def test_line_ends_of_every_system_are_the_same():
    assert render("a\r\n\r\nb\rc") == render("a\n\nb\nc")


def test_a_fault_of_the_parser_costs_the_looks_and_not_the_words(monkeypatch):
    monkeypatch.setattr("blog.rendering.markdown.settle_headings", lambda state: 1 / 0)
    assert render("# a <b>\n\n&amp;") == '<pre tabindex="0"># a &lt;b&gt;\n\n&amp;amp;</pre>'


@settings(max_examples=80, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_characters_give_a_clean_page(text):
    html = render(text)
    html.encode()
    assert Page(html).faults == []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60))
def test_no_markup_makes_the_parser_fail_or_loses_a_word(fragments):
    words = [f"w{number}w" for number in range(len(fragments))]
    text = "".join(fragment + word for fragment, word in zip(fragments, words, strict=True))
    page = Page(sanitise(to_html(text)))
    assert page.faults == []
    assert [word for word in words if word not in page.text] == []
