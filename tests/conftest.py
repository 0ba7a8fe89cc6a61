"""Fixtures for all tests."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Server, Site, make_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An application in this process, with the whole cast."""
    made = make_site(tmp_path / "instance")
    yield made
    made.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A real server with two processes and an owner named olive."""
    running = Server(tmp_path / "instance").start()
    yield running
    running.kill()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak`: the long kills and soaks too."""
    parser.addoption("--soak", action="store_true", help="run the long kills and soaks too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long is left out unless it is asked for, and is counted as such."""
    if not config.getoption("--soak"):
        long = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: the collector need not go through it again for every test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether this run takes its time."""
    return bool(request.config.getoption("--soak"))
