"""What the page of a post tells programs: those that show a link to it, search engines, feed readers."""

import json
import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from blog.posts.model import Kind, Post
from storage import clock
from web.render import absolute_url
from web.site.model import Site

# As the sanitiser writes it, so that nothing is looked for inside of another attribute.
_OWN_PICTURE = re.compile(r'<img(?: [a-z-]+="[^"]*")*? src="(/media/[^"]+)"')

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Sharing:
    """The card of a page; `description` is empty and `image` None where there is none."""

    title: str
    url: str
    description: str
    type: str = "website"
    published_at: int | None = None
    image: str | None = None
    linked_data: Markup | None = None


def share(post: Post, site: Site) -> Sharing:
    """The card of a post that everybody may read."""
    title, url, description = post.title, absolute_url(post.path), _in_one_line(post.summary)
    found = _OWN_PICTURE.search(post.html)
    image = absolute_url(unescape(found[1])) if found else None
    if post.kind == Kind.PAGE:
        return Sharing(title, url, description, image=image)
    data = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": title,
        "url": url,
        "datePublished": clock.to_html_time(post.published_at or 0),
        "dateModified": clock.to_html_time(max(post.updated_at, post.published_at or 0)),
        "author": {
            "@type": "Person",
            "name": post.author_name,
            "url": absolute_url(f"/authors/{post.author_username}"),
        },
        "inLanguage": post.lang or site.language,
        **({"description": description} if description else {}),
        **({"image": image} if image else {}),
        **({"keywords": post.tags} if post.tags else {}),
    }
    return Sharing(title, url, description, "article", post.published_at, image, _as_data(data))


def share_without_text(post: Post) -> Sharing:
    """The card of a post whose text is not for everybody: nothing but what its author wrote for all."""
    return Sharing(post.title, absolute_url(post.path), _in_one_line(post.excerpt), "article")


def _as_data(data: dict[str, Any]) -> Markup:
    # No text can end the element that it stands in: < > & and ' are written as escapes.
    return htmlsafe_json_dumps(data, dumps=_ENCODER.encode)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
