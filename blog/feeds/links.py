"""Links of a text that is read somewhere else: whole, where on its own page they are relative."""

import re
from html import escape, unescape
from urllib.parse import urljoin, urlsplit

# Tags as the sanitiser writes them, whole, so that nothing is taken for an attribute that stands inside of another.
_TAG = re.compile(r'<(?:a|img)(?: [a-z-]+="[^"]*")+>')
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')
_IS_WHOLE = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


def with_whole_links(html: str, url: str) -> str:
    """The sanitised HTML of the post at `url` with every link and picture as it is found from anywhere."""

    here, site = escape(url), escape("{0.scheme}://{0.netloc}".format(urlsplit(url)))

    def whole(value: str) -> str:
        # What nearly every link is; values are escaped already.
        if _IS_WHOLE.match(value):
            return value
        if value.startswith("#"):
            return here + value
        if value.startswith("/") and value[1:2] not in ("/", "\\"):
            return site + value
        try:
            return escape(urljoin(url, unescape(value)))
        except ValueError:
            return value

    def write(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name not in ("href", "src", "srcset"):
            return found[0]
        if name == "srcset":
            # Paths of this site, each with its width, and a comma and a blank between them.
            return f' srcset="{", ".join(map(whole, value.split(", ")))}"'
        return f' {name}="{whole(value)}"'

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(write, tag[0]), html)
