"""Where pictures stand: kept in the transaction of every change of a text, so that nobody has to read all texts.

Texts that are not saved are read when somebody asks: they are few, and only one's own.
"""

import re
from collections.abc import Sequence

import sqlalchemy as sa

from auth.principal import Principal
from blog.media import queries
from blog.media.model import Media, Standing

_ADDRESS = re.compile(r"/media/([0-9a-f]{64})", re.ASCII)


def digests_in(text: str) -> list[str]:
    """The pictures whose addresses stand in a text, wherever in it, each once."""
    return list(dict.fromkeys(_ADDRESS.findall(text)))


def keep_uses(db: sa.Connection, post_id: str, body_markdown: str) -> None:
    """Remember which pictures stand in a post's text, and forget those that did before."""
    queries.replace_uses(db, post_id, digests_in(body_markdown))


def where_they_stand(db: sa.Connection, pictures: Sequence[Media], *, by: Principal) -> dict[str, Standing]:
    """Where each of these pictures of one's own stands, by digest."""
    uses = queries.list_uses(db, pictures, by=by)
    needed = queries.list_needed_by_others(db, pictures, by=by)
    unsaved = {digest for text in queries.unsaved_texts(db, by=by) for digest in digests_in(text)}
    return {
        digest: Standing(
            [use for use in uses.get(digest, []) if use.is_current],
            [use for use in uses.get(digest, []) if use.is_own and not use.is_current],
            digest in needed,
            digest in unsaved,
        )
        for digest in (picture.digest for picture in pictures)
    }
