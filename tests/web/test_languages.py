"""What elements say of the language of their words."""

import pytest
from flask import Flask

from web.languages import init_languages, is_rtl
from web.site.model import Site


@pytest.mark.parametrize("tag", ["ar", "AR", "he-IL", "fa", "ckb", "ug", "az-Arab", "en-Hebr"])
def test_from_right_to_left(tag: str) -> None:
    assert is_rtl(tag)


@pytest.mark.parametrize("tag", ["en", "de-AT", "ug-Latn", "ar-Latn", "ja", "zh-Hant", "arn", ""])
def test_from_left_to_right(tag: str) -> None:
    assert not is_rtl(tag)


@pytest.mark.parametrize(
    ("written", "attributes"),
    [
        ("''|lang(site)", ""),
        ("'en'|lang(site)", ""),
        ("'de'|lang(site)", ' lang="de"'),
        ("''|lang(site, 'de')", ' lang="en"'),
        ("'de'|lang(site, 'de')", ""),
        ("'\"><b>'|lang(site)", ' lang="&#34;&gt;&lt;b&gt;"'),
        ("''|lang_and_dir(site)", ""),
        ("'de'|lang_and_dir(site)", ' lang="de"'),
        ("'ar'|lang_and_dir(site)", ' lang="ar" dir="rtl"'),
    ],
)
def test_only_what_differs_is_said(written: str, attributes: str) -> None:
    app = Flask(__name__)
    init_languages(app)
    template = app.jinja_env.from_string("{% autoescape true %}{{ " + written + " }}{% endautoescape %}")
    assert template.render(site=Site(language="en")) == attributes


def test_among_words_from_right_to_left_the_others_say_so() -> None:
    app = Flask(__name__)
    init_languages(app)
    template = app.jinja_env.from_string("{{ 'en'|lang_and_dir(site) }}{{ 'fa'|lang_and_dir(site) }}")
    assert template.render(site=Site(language="ar")) == ' lang="en" dir="ltr" lang="fa"'
