"""Quotation marks: by language, and nowhere but in what people wrote as text."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.rendering import render
from blog.rendering.quotes import find_marks
from tests.blog.rendering.allowed import Page

STRAIGHTEN = str.maketrans(dict.fromkeys("“”„«»", '"') | dict.fromkeys("‘’‚‹›", "'") | {"\u00a0": None})
PIECES = ['"', "'", '"', "'", " ", "a", "b1", "*", "_", "`", "(", ")", ".", "\n", "\n\n", "<b>", "</b>", "<code>", "</code>", "[", "](x)", "\\", "&quot;", "> ", "- "]  # fmt: skip


def words(text: str, language: str | None = "en") -> str:
    return Page(render(text, language=language)).text.rstrip("\n")


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ('"Hello," she said.', "“Hello,” she said."),
        ("It's 'fine', isn't it?", "It’s ‘fine’, isn’t it?"),
        ("\"He said 'yes'\"", "“He said ‘yes’”"),
        ("the dogs' bones, rock 'n' roll", "the dogs’ bones, rock ‘n’ roll"),
        ("'tis the '90s", "’tis the ’90s"),
        ('("a") — "b"… "c"-"d"', "(“a”) — “b”… “c”-“d”"),
        ("a 27\" screen, 6' tall", 'a 27" screen, 6’ tall'),
        ('never "closed', 'never "closed'),
        ('"*all* of it" and *"some"* of "**it**"', "“all of it” and “some” of “it”"),
        ('*"across* a border"', '"across a border"'),
        ('"over\ntwo lines"', "“over\ntwo lines”"),
        ('"one\n\nparagraph"', '"one\nparagraph"'),
        ('- "a"\n\n> "b"\n\n# "c"\n\n|"d"|\n|-|\n|"e"|', "“a”\n“b”\n“c”\n“d”\n“e”"),
        ('x[^1]\n\n[^1]: "a"', "x1\n“a” ↩\ufe0e"),
    ],
)
def test_quotes_become_those_of_print(text, turned):
    assert re.sub(r"\n+", "\n", words(text)).strip() == turned


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('`"a"` and `it\'s`', '"a" and it\'s'),
        ('<code>"a"</code> <kbd>\'</kbd> <pre>"b"</pre>', '"a" \' "b"'),
        ('```\n"a"\n```', '"a"'),
        ('    "a"', '"a"'),
        ('<div>\n"a"\n</div>', '"a"'),
        ("\\\"a\\\" \\'b\\' &quot;c&quot; &#34;d&#34;", '"a" \'b\' "c" "d"'),
        ("<http://a.example/'b'> http://a.example/it's", "http://a.example/'b' http://a.example/it's"),
        ("(c) (tm) +- -- --- ... ?!!!!", "(c) (tm) +- -- --- ... ?!!!!"),
        ("“a” «b» ‚c‘ ′ ″ ` ´", "“a” «b» ‚c‘ ′ ″ ` ´"),
    ],
)
def test_what_is_no_quote_of_the_text_stays_as_it_is(text, shown):
    assert words(text).strip() == shown


def test_attributes_stay_as_they_are():
    html = render('[a](b "it\'s \\"c\\"") ![it\'s "d"](e) <abbr title=\'"f"\'>g</abbr>')
    assert 'title="it\'s &quot;c&quot;"' in html
    assert 'alt="it\'s &quot;d&quot;"' in html
    assert 'title="&quot;f&quot;"' in html


@pytest.mark.parametrize(
    ("language", "turned"),
    [
        ("en", "“a ‘b’ it’s”"),
        ("en-GB", "“a ‘b’ it’s”"),
        ("xx", "“a ‘b’ it’s”"),
        ("", "\"a 'b' it's\""),
        (None, "\"a 'b' it's\""),
        ("de", "„a ‚b‘ it’s“"),
        ("de_CH", "«a ‹b› it’s»"),
        ("fr", "«\u00a0a ‹\u00a0b\u00a0› it’s\u00a0»"),
        ("es", "«a “b” it’s»"),
        ("pt-BR", "“a ‘b’ it’s”"),
        ("sv", "”a ’b’ it’s”"),
        ("pl", "„a «b» it’s”"),
        ("ru", "«a „b“ it’s»"),
        ("da", "»a ›b‹ it’s«"),
    ],
)
def test_each_language_has_its_own(language, turned):
    assert words("\"a 'b' it's\"", language) == turned


def test_a_language_nobody_knows_reads_as_english():
    for tag in ("", "-", "de-", "x" * 10_000, "\x00", "日本"):
        assert len(find_marks(tag)) == 4
    assert find_marks("日本") == find_marks("en")


def test_a_heading_keeps_its_name():
    text = '# It\'s "a" heading'
    names = [re.findall(r'id="[^"]*"', render(text, language=language)) for language in (None, "en", "de", "fr")]
    assert names == [['id="section_its-a-heading"']] * 4


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join), st.sampled_from(["en", "de", "fr", "da"]))
def test_nothing_but_quotes_changes(text, language):
    turned, plain = Page(render(text, language=language)), Page(render(text, language=None))
    assert turned.text.translate(STRAIGHTEN) == plain.text
    assert turned.elements == plain.elements


MANY = {
    "double": '"' * 100_000,
    "single": "'" * 100_000,
    "opening": '"a ' * 100_000,
    "closing others": '"a ' * 50_000 + " b'" * 50_000,
    "mixed": "'a\"" * 100_000,
    "emphasised": '*"' * 50_000,
    "in pairs": "He said \"yes\", it's 'so'. " * 38_000,
    "in code": '<code>"' * 20_000 + "</code>" * 20_000,
}


@pytest.mark.parametrize("text", MANY.values(), ids=MANY)
def test_any_number_of_quotes_is_turned_soon(text):
    took = []
    for language in (None, "fr"):
        began = time.process_time()
        render(text, language=language)
        took.append(time.process_time() - began)
    assert took[1] - took[0] < 1
