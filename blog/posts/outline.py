"""What the page of a post says beside its text: the headings in it, how long it takes to read, its first picture."""

import re
from functools import lru_cache
from html import unescape
from typing import NamedTuple

from blog.posts.reading_time import minutes_to_read
from blog.rendering import contents
from blog.rendering.contents import Entry

# A page is made anew when anything that readers see was changed, nearly always somewhere else than in this text. Longer
# texts are not kept with what was found in them: all together they take a few megabytes at most.
_KEPT, _LONGEST_KEPT_CHARACTERS = 128, 16 * 1024


# As the sanitiser writes it, so that nothing is looked for inside of another attribute.
_OWN_PICTURE = re.compile(r'<img(?: [a-z-]+="[^"]*")*? src="(/media/[^"]+)"')


class Outline(NamedTuple):
    """The entries of a table of contents, of which there may be none, whole minutes, and a path of this site."""

    contents: list[Entry]
    minutes: int
    picture: str | None


def outline(body_html: str) -> Outline:
    """The outline of a rendered text."""
    return (_found if len(body_html) <= _LONGEST_KEPT_CHARACTERS else _find)(body_html)


def _find(body_html: str) -> Outline:
    picture = _OWN_PICTURE.search(body_html)
    return Outline(contents(body_html), minutes_to_read(body_html), unescape(picture[1]) if picture else None)


_found = lru_cache(_KEPT)(_find)
