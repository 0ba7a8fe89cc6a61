"""Which sections answer a question, whatever language it is put in, and how little hostile ones cost."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from blog.conversations.ranking import Source, keywords, rank
from blog.conversations.sections import LONGEST_PIECE, sections_of
from blog.conversations.terms import root_of
from blog.rendering import render

TEXT = """
# Installing

Get the archive, and unpack it into a folder of your own. Nothing else has to be installed.

# Configuration

The program looks for its settings in a file. It is read again whenever it changes.

## Colours

Every colour of the page can be chosen. Dark backgrounds suit libraries of photographs.

# Backups

Copy the folder. A `BackupWriter` does it every night.
"""


def headings(text: str, question: str, most: int = 5) -> list[str]:
    """Of the sections found, the best first."""
    sources = [Source("post", section) for section in sections_of(render(text))]
    return [each.source.section.heading for each in rank(sources, keywords(question), most=most)]


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("How is it installed?", "Installing"),
        ("How do I configure the program?", "Configuration"),
        ("Where is the configuration?", "Configuration"),
        ("Which colors are there?", "Colours"),
        ("Does it suit a library of photographs?", "Colours"),
        ("What does the back ground look like?", "Colours"),
        ("What is a backup writer?", "Backups"),
        ("INSTALLATION", "Installing"),
        ("settings?\x00\ud800", "Configuration"),
    ],
)
def test_words_are_found_in_other_forms(question: str, heading: str) -> None:
    assert headings(TEXT, question)[:1] == [heading]


def test_the_words_of_the_headings_above_count_a_little() -> None:
    text = "# Windows\n\n## Setup\n\nRun the file.\n\n# Linux\n\n## Setup\n\nRun the script."
    sources = [Source("post", section) for section in sections_of(render(text))]
    found = [each.source.section for each in rank(sources, keywords("setup on Linux"), most=5)]
    assert found[0].above == ("Linux",)


def test_what_is_there_twice_is_found_once() -> None:
    text = "# One\n\nThe parrot sings.\n\n# Two\n\nThe parrot sings.\n\n# Three\n\nThe parrot is silent."
    assert headings(text, "parrot") == ["One", "Three"]


@pytest.mark.parametrize(
    "question",
    [
        "Where can I buy a violin?",
        "Is it possible to go to the moon every day?",
        "How long is a day in winter?",
        "???",
        "",
        "😀",
    ],
)
def test_a_word_that_is_everywhere_answers_nothing(question: str) -> None:
    assert headings(TEXT, question) == []


LANGUAGES = {
    "Chinese": (
        "# 安装\n\n下载软件，然后运行安装程序。\n\n# 备份\n\n每天晚上会自动复制数据库。\n\n# 价格\n\n个人使用免费。",
        [
            ("如何安装这个软件？", "安装"),
            ("数据库什么时候复制？", "备份"),
            ("价格是多少", "价格"),
            ("昨晚开始才想知道怎样才能够正确安装于电脑上", "安装"),
        ],
        "法国的首都在哪里？",
    ),
    "Japanese": (
        "# インストール\n\nファイルをダウンロードして実行します。\n\n# 設定\n\n背景の色を変更できます。\n\n# バックアップ\n\nデータベースは毎晩コピーされます。",
        [
            ("インストールするにはどうすればいいですか", "インストール"),
            ("背景の色は変更できますか？", "設定"),
            ("データベースはいつコピーされますか", "バックアップ"),
        ],
        "東京の天気はどうですか",
    ),
    "Korean": (
        "# 설치\n\n파일을 내려받아 실행하면 설치됩니다.\n\n# 설정\n\n배경의 색을 바꿀 수 있습니다.\n\n# 백업\n\n데이터베이스는 매일 밤에 복사됩니다.",
        [
            ("어떻게 설치하나요?", "설치"),
            ("배경 색을 바꾸고 싶어요", "설정"),
            ("데이터베이스를 복사하려면?", "백업"),
            ("배경을 밝게 하는 방법을 알려 주시겠습니까?", "설정"),
        ],
        "서울 날씨가 어때요?",
    ),
    "German": (
        "# Einrichten\n\nDas Programm wird in einen eigenen Ordner entpackt und gestartet.\n\n# Einstellungen\n\nDie Farbe des Hintergrunds lässt sich wählen.\n\n# Sicherung\n\nDie Datenbank wird jede Nacht kopiert.",
        [
            ("In welchen Ordner entpacke ich das Programm?", "Einrichten"),
            ("Wo ändere ich eine Einstellung?", "Einstellungen"),
            ("Wann wird die DATENBANK gesichert und kopiert?", "Sicherung"),
            ("hintergrundfarbe oder Hintergrund", "Einstellungen"),
        ],
        "Wie hoch ist der Eiffelturm?",
    ),
    "Arabic": (
        "# التثبيت\n\nنزّل الملف ثم شغّل البرنامج.\n\n# الإعدادات\n\nيمكنك اختيار لون الخلفية.\n\n# النسخ الاحتياطي\n\nتُنسخ قاعدة البيانات كل ليلة.",
        [
            ("كيف يتم تثبيت هذا؟", "التثبيت"),
            ("ما هو لون الخلفية؟", "الإعدادات"),
            ("متى تنسخ قاعدة البيانات", "النسخ الاحتياطي"),
        ],
        "أين تقع باريس؟",
    ),
    "Hindi": (
        "# स्थापना\n\nफ़ाइल डाउनलोड करें और चलाएँ।\n\n# रंग\n\nपृष्ठभूमि का रंग बदला जा सकता है।",
        [("पृष्ठभूमि कैसे बदलें?", "रंग"), ("फ़ाइल डाउनलोड", "स्थापना")],
        "पेरिस कहाँ है?",
    ),
    "Russian": (
        "# Установка\n\nСкачайте файл и запустите программу.\n\n# Настройки\n\nЦвет фона можно выбрать.",
        [("Где изменить настройку?", "Настройки"), ("как установить программу", "Установка")],
        "Какая погода в Лондоне?",
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_of_other_languages_find_their_section(language: str) -> None:
    text, questions, unanswered = LANGUAGES[language]
    found = {question: headings(text, question)[:1] for question, _heading in questions}
    assert found == {question: [heading] for question, heading in questions}
    assert headings(text, unanswered) == []


def test_a_quote_is_made_of_whole_sentences_and_holds_what_was_asked() -> None:
    filler = "This sentence is about nothing in particular, and stands here to fill the place. "
    text = f"# One\n\n{filler * 30}The treasure is buried under the oak. {filler * 30}"
    sources = [Source("post", section) for section in sections_of(render(text))]
    (found,) = rank(sources, keywords("Where is the treasure buried?"), most=5)
    assert "The treasure is buried under the oak." in found.quote
    assert found.quote.startswith("This sentence")
    assert found.quote.endswith(".")
    assert len(found.quote) <= LONGEST_PIECE


def test_a_quote_goes_on_over_paragraphs_that_say_more() -> None:
    text = f"# One\n\nA lemon.\n\n{'Nothing. ' * 60}\n\nThe lemon is yellow.\n\nIt came from Sicily."
    sources = [Source("post", section) for section in sections_of(render(text))]
    (found,) = rank(sources, keywords("yellow lemon from Sicily"), most=5)
    assert found.quote == "The lemon is yellow. It came from Sicily."


def calls_of(act: Callable[[], Any]) -> int:
    """How many functions are called, ours and Python's own: what it costs, on any machine."""
    count = 0
    root_of.cache_clear()

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


HOSTILE = {
    "one word": lambda size: f"<p>{'a' * size}</p>",
    "words": lambda size: f"<p>{'word ' * (size // 5)}</p>",
    "words that are all different": lambda size: f"<p>{' '.join(f'word{n}' for n in range(size // 10))}</p>",
    "sentences of one letter": lambda size: f"<p>{'a. ' * (size // 3)}</p>",
    "paragraphs of one letter": lambda size: "<p>a</p>\n" * (size // 9),
    "headings": lambda size: "".join(f'<h2 id="a{n}">word</h2>\n<p>word</p>\n' for n in range(size // 36)),
    "headings that begin alike": lambda size: "".join(
        f'<h2 id="a{n}">wordling{n}</h2><p>wordling{n}</p>' for n in range(size // 50)
    ),
    "code": lambda size: "<pre><code>" + "word = word\n" * (size // 12) + "</code></pre>",
    "code never ended": lambda size: "<pre >" * (size // 6),
    "names": lambda size: f"<p>{'aB' * (size // 2)}</p>",
    "Chinese": lambda size: f"<p>{'安装' * (size // 2)}</p>",
    "signs": lambda size: "<p>a" + "\u0301" * size + "</p>",
}
LONG_QUESTION = " ".join(f"word{n}" for n in range(4000))
FULL = 120_000


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_costs_in_proportion_to_its_length(kind: str) -> None:
    def cost(size: int) -> int:
        html = HOSTILE[kind](size)
        words = [*keywords("word wordlings 安装 a"), *keywords(LONG_QUESTION)]
        return calls_of(lambda: rank([Source("post", each) for each in sections_of(html)], words, most=5))

    assert cost(FULL) <= 2.6 * cost(FULL // 2) + 10_000


def test_a_question_of_four_thousand_words_costs_no_more_than_one_of_twenty_four() -> None:
    html = HOSTILE["words that are all different"](100_000)
    sources = [Source("post", each) for each in sections_of(html)]
    words = keywords(LONG_QUESTION)
    assert len(words) == 4000
    cost = calls_of(lambda: rank(sources, words, most=5))
    assert cost <= 1.1 * calls_of(lambda: rank(sources, words[:24], most=5)) + 10_000
