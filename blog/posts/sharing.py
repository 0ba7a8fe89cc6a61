"""What the page of a post tells programs: those that show a link to it, search engines, feed readers."""

import json
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from blog.posts.model import Kind, ShownPost
from storage import clock
from web.render import absolute_url, render_macro
from web.site.model import Site

# As with outlines: what most pages say of themselves has not changed when they are made anew.
_KEPT = 128
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class _Card(NamedTuple):
    """What stands in it; `description` is empty and `image` None where there is none."""

    title: str
    url: str
    description: str
    type: str = "website"
    published_at: int | None = None
    image: str | None = None
    linked_data: Markup | None = None


class _Told(NamedTuple):
    """All that a card is made of."""

    site_name: str
    base_url: str
    path: str
    is_page: bool
    title: str
    summary: str
    picture: str | None
    published_at: int
    updated_at: int
    author_username: str
    author_name: str
    tags: tuple[str, ...]
    language: str


def share(post: ShownPost, site: Site, *, picture: str | None) -> Markup:
    """The card of a post that everybody may read; `picture` is the path of one of its own."""
    published_at, updated_at = post.published_at or 0, post.updated_at
    by, language = (post.author_username, post.author_name), post.lang or site.language
    about = (post.path, post.kind == Kind.PAGE, post.title, post.summary, picture)
    return _written(
        _Told(site.name, absolute_url(""), *about, published_at, updated_at, *by, tuple(post.tags), language)
    )


@lru_cache(_KEPT)
def _written(told: _Told) -> Markup:
    return render_macro("blog/posts/sharing.html", "card", _card(told), told.site_name)


def _card(told: _Told) -> _Card:
    title, url, description = told.title, f"{told.base_url}{told.path}", _in_one_line(told.summary)
    image = f"{told.base_url}{told.picture}" if told.picture else None
    if told.is_page:
        return _Card(title, url, description, image=image)
    author = {
        "@type": "Person",
        "name": told.author_name,
        "url": f"{told.base_url}/authors/{told.author_username}",
    }
    data = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": title,
        "url": url,
        "datePublished": clock.to_html_time(told.published_at),
        "dateModified": clock.to_html_time(max(told.updated_at, told.published_at)),
        "author": author,
        "inLanguage": told.language,
        **({"description": description} if description else {}),
        **({"image": image} if image else {}),
        **({"keywords": told.tags} if told.tags else {}),
    }
    return _Card(title, url, description, "article", told.published_at, image, _as_data(data))


def share_without_text(post: ShownPost, site: Site) -> Markup:
    """The card of a post whose text is not for everybody: nothing but what its author wrote for all."""
    card = _Card(post.title, absolute_url(post.path), _in_one_line(post.excerpt), "article")
    return render_macro("blog/posts/sharing.html", "card", card, site.name)


def _as_data(data: dict[str, Any]) -> Markup:
    # No text can end the element that it stands in: < > & and ' are written as escapes.
    return htmlsafe_json_dumps(data, dumps=_ENCODER.encode)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
