"""What tests of storage share."""

from pathlib import Path

import pytest

from storage.upgrading import upgrade


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of ours, with nothing in it yet."""
    made = tmp_path / "byline.db"
    upgrade(made)
    return made
