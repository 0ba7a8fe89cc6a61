"""Colours for code."""

import re
from html import unescape
from pathlib import Path

import pytest
from pygments.lexers import get_lexer_by_name

from blog.rendering import render
from blog.rendering.elements import MAX_HIGHLIGHTED_LENGTH
from blog.rendering.highlighting import CODE_CLASSES, LANGUAGES, MAX_LENGTH, MAX_LINE_LENGTH, find_language, highlight

STYLES = (Path(__file__).parents[3] / "static/code.css").read_text()
SAMPLES = [
    "def f(x): return \"a\" + 'b' # c",
    "<a b='c'>d</a> & {e: [1, 2]}",
    "- a: b\n+c\n@@ d\n",
    "$ ls -l | grep 'é'\n",
    "\n\n  x\n\n",
    "",
]


def test_code_is_written_with_classes_only():
    assert render('```python\ndef f(x):\n    return "<é>"  # 1\n```\n') == (
        '<pre tabindex="0"><code class="language-python"><span class="k">def</span> <span class="nf">f</span>(x):\n'
        '    <span class="k">return</span> <span class="s">"&lt;é&gt;"</span>  <span class="c"># 1</span>\n</code></pre>\n'
    )


@pytest.mark.parametrize(
    "fence", ["```\n", "```no-such-language\n", "```python3000\n", "~~~\n", "```<b>\n", "```&quot;\n"]
)
def test_code_in_no_language_is_plain(fence):
    assert render(f"{fence}x = '<b>'\n") == "<pre tabindex=\"0\"><code>x = '&lt;b&gt;'\n</code></pre>\n"


@pytest.mark.parametrize(
    "info", ["python", "Python", "py", "python title=a", "{python}", "{.python .x}", "pyth&#111;n"]
)
def test_a_language_is_known_by_the_first_word_after_the_fence(info):
    assert '<code class="language-python"><span class="k">if' in render(f"```{info}\nif x:\n```\n")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_character_of_the_code_changes(language):
    get_lexer_by_name(language)
    assert find_language(language) == language
    for sample in [*SAMPLES, "\n".join(SAMPLES)]:
        html = highlight(sample, language)
        assert unescape(re.sub(r'<span class="[a-z]+">|</span>', "", html)) == sample
        assert set(re.findall(r'class="([^"]*)"', html)) <= CODE_CLASSES


@pytest.mark.parametrize(
    "code",
    [
        "x = 1\n" * (MAX_LENGTH // 6 + 1),
        "x = 1\n" * 401,
        "x = " + "1" * MAX_LINE_LENGTH,
        "x = 1" + "\n" * 200 + "y = 2",
    ],
)
def test_code_beyond_the_limits_is_plain(code):
    assert "<span" not in highlight(code, "python")
    assert "<span" in highlight("x = 1", "python")


def test_a_text_of_much_code_is_highlighted_up_to_a_length():
    block = "```python\n" + "x = 1\n" * 300 + "```\n\n"
    html = render(block * 100)
    assert 0 < html.count("<span") <= MAX_HIGHLIGHTED_LENGTH // 5
    assert html.count('class="language-python"') == 100


def test_a_lexer_that_fails_costs_the_colours_only(monkeypatch):
    monkeypatch.setattr("pygments.lexer.RegexLexer.get_tokens_unprocessed", lambda *_: 1 / 0)
    assert highlight("x < 1", "python") == "x &lt; 1"


def test_every_class_has_a_colour_or_a_shape():
    assert set(re.findall(r"\.([a-z]+)", STYLES.partition("*/")[2])) == CODE_CLASSES


# Contrast: WCAG 2.2, 1.4.3


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("part", "backgrounds"), [(0, ["#f6f4ef", "#f3ecdf"]), (1, ["#1b1a18", "#241f1b"])])
def test_every_colour_can_be_read_in_both_schemes(part, backgrounds):
    colours = re.findall(r"--code-[a-z]+: (#[0-9a-f]{6});", STYLES.split("@media")[part])
    assert len(colours) == 6
    for colour in colours:
        for background in backgrounds:
            dark, light = sorted([luminance(colour), luminance(background)])
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (colour, background)


def test_the_styles_are_small():
    assert len(STYLES.encode()) < 1500
