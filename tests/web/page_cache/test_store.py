"""The room that kept pages have: bounded whatever is asked for, and not to be emptied by asking once."""

from hypothesis import given
from hypothesis import strategies as st

from web.page_cache.pages import Page
from web.page_cache.store import PageStore

HEADERS = [("Content-Type", "text/html; charset=utf-8")]


def page(size: int = 1000, version: int = 1) -> Page:
    return Page("200 OK", HEADERS, b"x" * size, version, 0)


def test_what_was_put_is_there() -> None:
    store, kept = PageStore(1_000_000), page()
    store.put("a", kept)
    assert store.get("a") is kept
    assert store.get("b") is None
    newer = page(version=2)
    store.put("a", newer)
    assert store.get("a") is newer


def test_a_hundred_thousand_addresses_asked_for_once_do_not_push_out_what_is_read() -> None:
    store = PageStore(1_000_000)
    store.put("home", page())
    assert store.get("home") is not None
    for number in range(100_000):
        store.put(number, page(100))
    assert store.get("home") is not None
    assert store.size_bytes <= 1_000_000


def test_a_page_too_large_is_not_kept_nor_what_it_replaces() -> None:
    store = PageStore(100_000)
    store.put("a", page(100))
    store.put("a", page(90_000))
    assert store.get("a") is None
    assert store.size_bytes == 0


def test_a_variant_counts_once_it_was_made() -> None:
    store, kept = PageStore(1_000_000), page(20_000)
    store.put("a", kept)
    before = store.size_bytes
    kept.compress()
    store.measure("a")
    assert store.size_bytes == kept.size_bytes > before
    store.measure("never put")
    assert store.size_bytes == kept.size_bytes


@given(st.lists(st.tuples(st.sampled_from("gpm"), st.integers(0, 30), st.integers(0, 9_000)), max_size=200))
def test_the_count_of_bytes_is_right_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    store = PageStore(60_000)
    for what, key, size in steps:
        if what == "g":
            store.get(key)
        elif what == "p":
            store.put(key, page(size))
        else:
            kept = store.get(key)
            if kept is not None:
                kept.compress()
            store.measure(key)
        assert store.size_bytes <= 60_000
    there = [kept for key in range(31) if (kept := store.get(key)) is not None]
    assert sum(kept.size_bytes for kept in there) == store.size_bytes
