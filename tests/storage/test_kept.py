"""Small questions: nobody waits for somebody else's, and a connection that has failed is not asked again."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import sqlite
from storage.kept import KeptConnections, Unread

NAME = sa.select(sa.text("name FROM site"))


@pytest.fixture
def kept(path: Path) -> Iterator[KeptConnections]:
    made = KeptConnections(path)
    yield made
    made.close()


def test_while_one_is_being_answered_another_is_asked(kept: KeptConnections, monkeypatch: pytest.MonkeyPatch) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def slowly(text: str) -> str:
        is_asked.set()
        assert may_answer.wait(30)
        return text

    monkeypatch.setattr(sqlite, "folded", slowly)
    ask_slowly, ask = kept.prepare(sa.select(sa.func.folded("x"))), kept.prepare(NAME)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(ask_slowly)
        try:
            assert is_asked.wait(30)
            assert pool.submit(ask).result(10) == ask()
        finally:
            may_answer.set()
        assert slow.result(10) == ("x",)


def test_one_after_the_other_is_asked_on_one_connection(kept: KeptConnections, monkeypatch: pytest.MonkeyPatch) -> None:
    made, connect = list[object](), kept._connect
    monkeypatch.setattr(kept, "_connect", lambda: made.append(1) or connect())
    ask = kept.prepare(NAME)
    assert {ask() for _ in range(5)} == {ask()}
    assert len(made) == 1


@pytest.mark.parametrize("way", [KeptConnections.prepare, lambda kept, asked: kept.remember(asked, tuple)])
def test_what_cannot_be_read_is_said_and_the_next_is_answered(
    kept: KeptConnections, path: Path, tmp_path: Path, way: Callable[[KeptConnections, Any], Callable[[], Any]]
) -> None:
    ask = way(kept, NAME)
    known = ask()
    kept.close()
    path.rename(tmp_path / "away")
    path.mkdir()
    with pytest.raises(Unread):
        ask()
    path.rmdir()
    (tmp_path / "away").rename(path)
    assert ask() == known
