"""The cache of one process: finds the answer to a request among the pages it keeps, and says when one is stale."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage import clock
from storage.engine import Database
from storage.kept import Unread
from web.page_cache.asking import GetHeader, Visitors, takes_a_page, takes_gzip
from web.page_cache.pages import Answer, Page, is_named
from web.page_cache.store import PageStore
from web.site.queries import CONTENT_VERSION

_FOR_EVER = 2**62
# For one process; a site of a thousand pages fits, with both variants of each.
_MOST_BYTES = 12 * 1024 * 1024


class Validity(NamedTuple):
    """What a page is made from, learned before it is made."""

    content_version: int
    good_until: int


class PageCache:
    """Keeps what was rendered for visitors; an entry is good for one content version, and until the next post is due.

    `content_version` gives the present one, `next_publication` the moment of the first post that is to come out after a
    moment, or None. Both raise Unread where the database cannot be read at once.
    """

    def __init__(
        self,
        visitors: Visitors,
        *,
        content_version: Callable[[], int],
        next_publication: Callable[[int], int | None],
        most_bytes: int,
    ) -> None:
        self.visitors = visitors
        self.store = PageStore(most_bytes)
        self._content_version = content_version
        self._next_publication = next_publication

    def find(self, method: str, path: str, query: str, header: GetHeader, *, may_compress: bool) -> Answer | None:
        """The answer that is kept for a visitor, if it is still what would be rendered now.

        With `may_compress` false also None when the variant that the client takes was not made yet.
        """
        key = (path, query)
        page = self.store.get(key)
        if page is None or page.good_until <= clock.now():
            return None
        try:
            if page.content_version != self._content_version():
                return None
        except Unread:
            return None
        if not page.is_ok and not takes_a_page(header):
            return None
        return self.answer(page, method, header, key=key, may_compress=may_compress)

    def validity(self) -> Validity | None:
        """To be asked before a page is rendered; None: it cannot be known now how long the page will be good."""
        try:
            return Validity(self._content_version(), self._next_publication(clock.now()) or _FOR_EVER)
        except Unread:
            return None

    def answer(
        self, page: Page, method: str, header: GetHeader, *, key: tuple[str, str], may_compress: bool = True
    ) -> Answer | None:
        """What this client gets of a page: its variant, or word that it has it already."""
        variant = page.plain
        if page.is_compressible and takes_gzip(header("ACCEPT_ENCODING")):
            if page.gzipped is None:
                if not may_compress:
                    return None
                page.compress()
                self.store.measure(key)
            variant = page.gzipped or page.plain
        if_none_match = header("IF_NONE_MATCH")
        if if_none_match is not None and page.is_ok and is_named(variant.etag, if_none_match):
            return variant.unchanged
        return variant.whole if method == "GET" else variant.whole.without_body()


def make_page_cache(database: Database, visitors: Visitors, next_publication: sa.Select[Any]) -> PageCache:
    """A cache that asks this database; `next_publication` is a statement with a parameter `at`."""
    publication = database.kept.prepare(next_publication)

    def next_after(at: int) -> int | None:
        row = publication(at=at)
        assert row is not None  # a minimum is always one
        moment: int | None = row[0]
        return moment

    return PageCache(
        visitors,
        content_version=database.kept.remember(CONTENT_VERSION, itemgetter(0)),
        next_publication=next_after,
        most_bytes=_MOST_BYTES,
    )
