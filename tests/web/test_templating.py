"""What templates become."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from jinja2 import StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from auth.permissions import Role
from web.templating import Environment


@pytest.fixture
def render() -> Callable[..., str]:
    environment = Environment(Flask("small"), undefined=StrictUndefined, autoescape=True)
    return lambda template, **arguments: environment.from_string(template).render(**arguments)


class Text(str):
    __slots__ = ()


class Widget:
    kind = "text"

    def __html__(self) -> str:
        return "<input>"

    def __str__(self) -> str:
        return "<never>"


@pytest.mark.parametrize(
    "value",
    ["a & b", "<i>'\"</i>", "ünï <b>", "\u2028<", "", Markup("<b>bold</b>"), Text("<&"), 7, 1.5, None, True, Role.OWNER, ["<", Markup("<")],
     Widget(), {"<": ">"}],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_values_are_written_as_the_library_escapes_them(render: Callable[..., str], value: Any) -> None:
    assert render("{{ value }}", value=value) == str(escape(value))
    assert (
        render("a{{ value }}b{% if value is defined %}{{ value }}{% endif %}", value=value)
        == f"a{escape(value)}b{escape(value)}"
    )
    assert (
        render("{% macro m(v) %}<p>{{ v }}</p>{% endmacro %}{{ m(value) }}", value=value) == f"<p>{escape(value)}</p>"
    )
    assert render("{% set v %}{{ value }}{% endset %}{{ v }}", value=value) == str(escape(value))


def test_what_is_marked_safe_by_a_template_is_not_escaped_and_nothing_twice(render: Callable[..., str]) -> None:
    assert render("{{ '<'|safe }}{{ '<' ~ value }}{{ value|upper }}", value="&b") == "<&lt;&amp;b&amp;B"
    assert render("{% autoescape false %}{{ value }}{% endautoescape %}{{ value }}", value="<") == "<&lt;"


def test_an_attribute_is_read_as_in_python(render: Callable[..., str]) -> None:
    assert render("{{ w.kind }}{{ w.kind.upper() }}{{ 'x'.join([w.kind, w.kind]) }}", w=Widget()) == "textTEXTtextxtext"
    assert render("{{ (w or none).kind }}{{ (w if w else none).kind }}{{ [w][0].kind }}", w=Widget()) == "text" * 3
    assert render("{% for x in '<>' %}{{ loop.index }}{{ x }}{% endfor %}") == "1&lt;2&gt;"


def test_a_word_of_python_is_a_name_like_any_other(render: Callable[..., str]) -> None:
    assert render("{{ w.class }}", w={"class": "<"}) == "&lt;"


def test_what_is_not_there_is_an_error_and_not_empty(render: Callable[..., str]) -> None:
    with pytest.raises(AttributeError, match="size"):
        render("{{ w.size }}", w=Widget())
    with pytest.raises(AttributeError, match="size"):
        render("{% if w.size %}{% endif %}", w={"size": 1})
    with pytest.raises(UndefinedError, match="w"):
        render("{{ w.size }}")


def test_an_item_is_read_in_brackets_and_may_be_missing_where_that_is_said(render: Callable[..., str]) -> None:
    assert render("{{ w['size'] }}{{ w['none']|default('-') }}", w={"size": "<"}) == "&lt;-"


def test_whether_to_escape_may_be_decided_when_a_page_is_made(render: Callable[..., str]) -> None:
    template = "{% autoescape flag %}{{ value }}{% endautoescape %}"
    assert [render(template, value="<", flag=flag) for flag in (True, False)] == ["&lt;", "<"]


def test_a_block_may_be_shown_twice(render: Callable[..., str]) -> None:
    assert render("{% block title %}<{{ value }}>{% endblock %}{{ self.title() }}", value="&") == "<&amp;><&amp;>"


def test_what_finishes_each_value_is_still_asked() -> None:
    environment = Environment(Flask("small"), autoescape=True, finalize=lambda value: value or "<none>")
    assert environment.from_string("{{ value }}{{ 'x' }}").render(value="") == "&lt;none&gt;x"
