"""Files with fields before the text: those that others export, and those that go out and come back."""

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.transfer.front_matter import LONGEST_BODY, LONGEST_FIELDS, FrontMatterFault, parse, write

MEBIBYTE = 2**20
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32) if n != 9]))
LINES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32) if n not in (9, 10)])
)
TRICKY = st.sampled_from(
    ["", " ", "---", "- a", "a: b", 'say "hi"', "it's", "# no", "true", "No", "null", "~", "12:30", "1e3", "007", "-0", "2026-01-02",
     "2026-01-02T03:04:05Z", "[a]", "{a: b}", "*a", "&a", "!a", "@a", "`a`", "%a", "a #b", "\\", "\\n", "a\\", "\u2028", "\x85", "\ufeff", "👩‍👩‍👧", "|", ">", "? a", "..."]
)  # fmt: skip
ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001 - `timezones` gives them theirs
ONE_LINE = WORDS | TRICKY
VALUES = (
    ONE_LINE
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.dates()
    | TIMES
    | st.none()
    | st.lists(ONE_LINE, max_size=4)
)
FIELDS = st.fixed_dictionaries({}, optional={"title": ONE_LINE, "excerpt": LINES, "tags": st.lists(ONE_LINE), "published_at": TIMES, "x-y_1": VALUES, "draft": st.booleans()})  # fmt: skip
BODIES = LINES | st.sampled_from(["", "\n", "\n\n", "---\n", "\n---\na: b\n---\n", "a\r\nb", "\r\n", "\ufeff", "..."])


@given(FIELDS, BODIES)
def test_what_is_written_is_read_again_exactly(fields, body):
    assert parse(write(fields, body)) == (fields, body)


@given(FIELDS, BODIES)
def test_kinds_come_back_too(fields, body):
    read, _ = parse(write(fields, body))
    assert {name: type(value) for name, value in read.items()} == {name: type(value) for name, value in fields.items()}


def test_a_file_to_the_letter():
    fields = {
        "title": 'On "quotes": and colons',
        "slug": "on-quotes",
        "tags": ["a: b", "c, d", "日本"],
        "draft": False,
        "version": 3,
        "published_at": datetime(2026, 1, 2, 5, 4, 5, 600_000, tzinfo=timezone(timedelta(hours=2))),
        "excerpt": "one\ntwo",
        "nothing": None,
    }
    assert write(fields, "# Text\n") == (
        '---\ntitle: "On \\"quotes\\": and colons"\nslug: "on-quotes"\ntags: ["a: b", "c, d", "日本"]\ndraft: false\nversion: 3\n'
        'published_at: 2026-01-02T03:04:05.600000Z\nexcerpt: "one\\ntwo"\nnothing: null\n---\n\n# Text\n'
    )


HUGO = """---
title: "My First Post: a story"
date: 2022-11-20T09:03:20-08:00
draft: true
tags: [go, 'web dev', 2024]
categories:
  - One
  - "Two"
weight: 10
params:
  author: Jo
summary: >
  Folded
  words.
---

Body --- here.
---
"""
JEKYLL = """---\r
layout: post\r
title:  Welcome to Jekyll!\r
date:   2015-11-17 16:16:01 -0600\r
categories: jekyll update\r
permalink: /a/b/\r
published: True\r
---\r
Body\r
"""
GHOST = "---\ntitle: it's 12:30\nslug: 007\ndate_published: 2020-05-01T10:00:00.123Z\ndate: 2020-05-01\ntime: 2020-05-01 10:00\nbad: 2020-02-31\ntags: \n---\nBody"


def test_files_of_hugo_jekyll_and_ghost():
    fields, body = parse(HUGO)
    assert body == "Body --- here.\n---\n"
    assert fields == {
        "title": "My First Post: a story",
        "date": datetime(2022, 11, 20, 17, 3, 20, tzinfo=UTC),
        "draft": True,
        "tags": ["go", "web dev", 2024],
        "categories": ["One", "Two"],
        "weight": 10,
        "params": {"author": "Jo"},
        "summary": "Folded words.\n",
    }
    fields, body = parse(JEKYLL)
    assert (fields["title"], fields["published"], body) == ("Welcome to Jekyll!", True, "Body\r\n")
    assert fields["date"] == datetime(2015, 11, 17, 22, 16, 1, tzinfo=UTC)
    fields, body = parse(GHOST)
    assert fields == {
        "title": "it's 12:30",
        "slug": "007",
        "date_published": datetime(2020, 5, 1, 10, 0, 0, 123_000, tzinfo=UTC),
        "date": date(2020, 5, 1),
        "time": datetime.fromisoformat("2020-05-01T10:00"),
        "bad": "2020-02-31",
        "tags": None,
    }


@given(st.text(st.sampled_from("ab:- \n'\"[]{}#|>?&*!%@,\\0\t\r.~x\ud800é"), max_size=60))
def test_whatever_stands_there_is_read_or_refused(fields):
    try:
        read, _ = parse(f"---\n{fields}\n---\nBody")
    except FrontMatterFault:
        return
    assert isinstance(read, dict)
    assert repr(read).encode()


@pytest.mark.parametrize("word", ["on", "off", "yes", "No", "y", "1e3", "1.10", "0x1F", "0o17", "010", "1_000", ".inf", "12:30:45", "=", "<<", "-0", "+1"])  # fmt: skip
def test_words_that_yaml_takes_for_something_else_stay_words(word):
    assert parse(f"---\ntitle: {word}\n---\n")[0] == {"title": word}


@pytest.mark.parametrize(
    "text", ["", "# Title\n", "----\na: b\n---\n", " ---\na: b\n---\n", "a\n---\nb: c\n---\n", "--- a\n---\n"]
)
def test_a_file_without_fields_is_all_text(text):
    assert parse(text) == ({}, text)


def test_a_mark_of_byte_order_is_no_text():
    assert parse("\ufeff---\na: b\n---\nc") == ({"a": "b"}, "c")


BOMB = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefg", "bcdefgh", strict=True))


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (BOMB, "Line 2: aliases"),
        ("a: 1\nb: *a\n", "Line 3: aliases"),
        ("a: &x b\n", "Line 2: aliases"),
        ("a: !!python/object/apply:os.system ['true']\n", "Line 2: types"),
        ("a: !!binary aGk=\n", "types"),
        ("a: !x b\n", "types"),
        ("a: " + "[" * 9 + "]" * 9 + "\n", "nested"),
        ("a: " + "[" * 20_000 + "\n", "nested"),
        ("a: " + "{b: " * 9_000 + "\n", "nested"),
        ("- " * 20_000 + "\n", "nested"),
        ("? " * 20_000 + "\n", "nested"),
        ("a: b\ntitle: c\na: d\n", "Line 4: there are two fields 'a'"),
        ("a: {b: c, b: d}\n", "two fields"),
        ("[a]: b\n", "name of a field"),
        ("- a\n- b\n", "there must be fields"),
        ("just words\n", "there must be fields"),
        ("a: b: c\n", "Line 2: this is not YAML"),
        ("a: 'never closed\n", "this is not YAML"),
        ("a:\n\t- b\n", "this is not YAML"),
        ("a: [b\n", "this is not YAML"),
        ("%YAML 1.1\n", "this is not YAML"),
        ("a: \x00\n", "characters"),
        ("a: \x1b\n", "characters"),
        ('a: "\\ud800"\n', "Line 2: a character"),
        ('a: ["\\0"]\n', "Line 2: a character"),
        ('"\\0": b\n', "name of a field"),
        ('a: "\\UFFFFFFFF"\n', "YAML"),
        ('a: "\\U00110000"\n', "YAML"),
        ("title: |\n  one\n  two\n", "'title' may not have more than one line"),
        ('tags: ["a\\nb"]\n', "more than one line"),
        ("a: " + "x" * LONGEST_FIELDS + "\n", "64 KiB"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_fields_that_cannot_be_trusted_are_refused_with_a_reason(fields, fault):
    began = time.process_time()
    with pytest.raises(FrontMatterFault, match=fault):
        parse(f"---\n{fields}---\nBody")
    assert time.process_time() - began < 2


def test_a_file_that_was_cut_or_is_too_long_or_in_toml_is_refused():
    for text, fault in (
        ("---\ntitle: a\n", "line of three dashes"),
        ("---\n" + "x" * (2 * MEBIBYTE), "1 MiB"),
        ("+++\ntitle = 'a'\n+++\n", "TOML"),
    ):
        with pytest.raises(FrontMatterFault, match=fault):
            parse(text)


def test_the_longest_file_is_read_soon():
    for fields in (
        "t: [" + '"a", ' * 9_000 + "]\n",
        "".join(f"k{n}: v\n" for n in range(6_000)),
        "a: '" + "''" * 30_000 + "'\n",
    ):
        began = time.process_time()
        assert parse(f"---\n{fields}---\n" + "x\n" * (MEBIBYTE // 2))[1].count("x") == MEBIBYTE // 2
        assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"title": "one\ntwo"}, "more than one line"),
        ({"title": "a\n"}, "more than one line"),
        ({"tags": ["a\nb"]}, "more than one line"),
        ({"title": "a\rb"}, "character"),
        ({"title": "\x00"}, "character"),
        ({"title": "\ud800"}, "character"),
        ({"a: b": "c"}, "name of a field"),
        ({"": "c"}, "name of a field"),
        ({"null": "c"}, "name of a field"),
        ({"a": {"b": "c"}}, "dict"),
        ({"a": [["b"]]}, "list"),
        ({"a": 1.5}, "float"),
        ({"a": 10**20}, "int"),
        ({"a": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001 - one that has none is what is refused
        ({"a": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))}, "calendar"),
        ({"a": "x" * LONGEST_FIELDS}, "64 KiB"),
    ],
)
def test_what_would_not_come_back_is_not_written(fields, fault):
    with pytest.raises(FrontMatterFault, match=fault):
        write(fields, "")
    with pytest.raises(FrontMatterFault, match="1 MiB"):
        write({}, "x" * (LONGEST_BODY + 1))
