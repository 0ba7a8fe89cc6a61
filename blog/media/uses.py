"""Where pictures stand: kept in the transaction of every change of a text, so that nobody has to read all texts."""

import re

import sqlalchemy as sa

from blog.media import queries

_ADDRESS = re.compile(r"/media/([0-9a-f]{64})", re.ASCII)


def digests_in(text: str) -> list[str]:
    """The pictures whose addresses stand in a text, wherever in it, each once."""
    return list(dict.fromkeys(_ADDRESS.findall(text)))


def keep_uses(db: sa.Connection, post_id: str, body_markdown: str) -> None:
    """Remember which pictures stand in a post's text, and forget those that did before."""
    queries.replace_uses(db, post_id, digests_in(body_markdown))
