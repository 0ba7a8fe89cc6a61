"""What a guide said, as HTML: untrusted Markdown, without pictures and without what a page's own markup is made of."""

import nh3

from blog.rendering import render

_TAGS = {"a", "blockquote", "br", "code", "del", "em", "hr", "li", "ol", "p", "pre", "s", "strong", "sub", "sup", "ul"}
_ATTRIBUTES = {"a": {"href", "rel", "class"}, "ol": {"start"}}


def show(content: str, *, own_host: str | None) -> str:
    """The HTML of an answer. Links that leave the site say so, as they do in posts."""
    html = render(content, language=None, own_host=own_host)
    return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel=None)
