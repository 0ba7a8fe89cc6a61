"""Pictures for whoever renders a text: what an address in it stands for, so that nothing jumps while it loads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from blog.media import queries
from blog.media.model import Variant

_ADDRESS = re.compile(r"/media/([0-9a-f]{64})(?![0-9a-f])", re.ASCII)
# More pictures in one text than that are shown without their measures.
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Picture:
    """What HTML says of a picture. `srcset` is empty where there are no variants."""

    width: int
    height: int
    alt: str
    srcset: str


def pictures_in(db: sa.Connection, body_markdown: str, *, author_id: int | None) -> Mapping[str, Picture]:
    """The pictures of this site that a text names, by address (`/media/<digest>`), in one statement or none.

    They are described as the text's author describes their own: nobody else puts words into it.
    """
    digests = list(dict.fromkeys(found[1] for found in _ADDRESS.finditer(body_markdown)))[:_MOST]
    if not digests:
        return {}
    pictures: dict[str, Picture] = {}
    sets: dict[str, dict[int, str]] = {}
    for row in queries.list_measures(db, digests, author_id=author_id):
        path = f"/media/{row.digest}"
        sources = sets.setdefault(path, {row.width: path})
        if row.variant_width is not None:
            sources[row.variant_width] = Variant(row.digest, row.variant_width, 0).path
        srcset = ", ".join(f"{source} {width}w" for width, source in sorted(sources.items()))
        pictures[path] = Picture(row.width, row.height, row.alt, srcset if len(sources) > 1 else "")
    return pictures
