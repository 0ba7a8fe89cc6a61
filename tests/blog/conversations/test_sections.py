"""A post as the sections that stand under its headings."""

from blog.conversations.sections import LONGEST_PIECE, MOST_SECTIONS, sections_of
from blog.rendering import render


def test_a_section_is_what_stands_under_a_heading_of_any_level() -> None:
    found = sections_of(render("Before.\n\n# One\n\nFirst.\n\n## Two *bold*\n\n- a\n- b\n\n# Three\n\n# Four\n\nLast."))
    assert [(each.heading, each.anchor, each.pieces) for each in found] == [
        ("", "", ("Before.",)),
        ("One", "section_one", ("First.",)),
        ("Two bold", "section_two-bold", ("a", "b")),
        ("Four", "section_four", ("Last.",)),
    ]


def test_a_section_knows_the_headings_that_it_is_a_part_of() -> None:
    found = sections_of(render("# A\n\na\n\n## B\n\nb\n\n### C\n\nc\n\n## D\n\nd\n\n# E\n\ne"))
    above = {each.heading: each.above for each in found}
    assert above == {"A": (), "B": ("A",), "C": ("A", "B"), "D": ("A",), "E": ()}


def test_the_name_of_a_place_is_the_one_that_the_page_has() -> None:
    found = sections_of(render(f'<h2 id="a&amp;b) c">A</h2>\n\na\n\n<h2 id="{"x" * 301}">B</h2>\n\nb\n\n## 港 Ä\n\nc'))
    assert [(each.heading, each.anchor) for each in found] == [
        ("A", "section_a&b) c"),
        ("B", ""),
        ("港 Ä", "section_港-ä"),
    ]


def test_a_table_is_its_rows_and_code_its_lines() -> None:
    text = "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\n" + "value = 1  # a line of it\n" * 60 + "```\n"
    (section,) = sections_of(render(text))
    assert section.pieces[:2] == ("a b", "1 2")
    code = section.pieces[2:]
    assert len(code) > 1
    assert all(piece.startswith("value = 1") and piece.endswith("a line of it") for piece in code)


def test_a_long_paragraph_is_parted_between_sentences_and_only_a_longer_sentence_between_words() -> None:
    sentence = "This is one of many sentences, each as long as the one before."
    parted = sections_of(render(" ".join([sentence] * 40)))[0].pieces
    assert len(parted) > 1
    assert all(piece.endswith("before.") and len(piece) <= LONGEST_PIECE for piece in parted)
    words = sections_of(render("word " * 400))[0].pieces
    assert set(" ".join(words).split()) == {"word"}
    assert all(len(piece) <= LONGEST_PIECE for piece in words)


def test_chinese_sentences_are_parted_though_nothing_stands_between_them() -> None:
    pieces = sections_of(render("今天天气很好，我们去公园散步。" * 60))[0].pieces
    assert len(pieces) > 1
    assert all(piece.endswith("。") for piece in pieces)


def test_a_text_of_headings_alone_says_nothing() -> None:
    assert len(sections_of(render("# a\n" * 5000))) == 0


def test_a_hundred_thousand_headings_are_bounded_and_no_word_before_the_bound_is_lost() -> None:
    html = "".join(f'<h2 id="section_{n}">{n}</h2>\n<p>word{n}</p>\n' for n in range(100_000))
    found = sections_of(html)
    assert [each.pieces for each in found[:MOST_SECTIONS]] == [(f"word{n}",) for n in range(MOST_SECTIONS)]
    rest = found[MOST_SECTIONS:]
    assert len(rest) < MOST_SECTIONS
    assert {each.heading for each in rest} == {str(MOST_SECTIONS)}
    assert rest[-1].pieces[-1] == "word99999"


def test_a_long_section_is_several_of_one_heading_and_nothing_of_it_is_lost() -> None:
    found = sections_of(render("# One\n\n" + "\n\n".join(f"Paragraph {n} says something." for n in range(2000))))
    assert len(found) > 3
    assert {(each.heading, each.anchor) for each in found} == {("One", "section_one")}
    pieces = [piece for each in found for piece in each.pieces]
    assert pieces == [f"Paragraph {n} says something." for n in range(2000)]
