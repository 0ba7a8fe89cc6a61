"""What people have written, as far as an account is concerned: the floor above says what its end or block means for it.

`app.py` hands these functions in, so that this floor knows nothing of posts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from storage.engine import Database


@dataclass(frozen=True, slots=True)
class Writings:
    """What can be done with all that one person has written."""

    # Hides it from readers, or shows it again: of that id, True or False.
    hide: Callable[[sa.Connection, int, bool], None]
    # How many posts there are of that id; those in the bin are not counted.
    count: Callable[[sa.Connection, int], int]
    # Whether there is anything of that id at all.
    has_any: Callable[[sa.Connection, int], bool]
    # Makes everything of the first id that of the second.
    give: Callable[[sa.Connection, int, int], None]
    # Takes everything of that id from readers at once, before it is erased.
    withdraw: Callable[[sa.Connection, int], None]
    # The next little piece of the rest, and whether there is more: of giving what somebody of that name had; of erasing
    # what somebody of that id had. Both are safe to do twice.
    finish_giving: Callable[[Database, str], bool]
    finish_erasing: Callable[[Database, int], bool]


def current_writings() -> Writings:
    """Those of the running application."""
    writings = current_app.extensions["writings"]
    assert isinstance(writings, Writings)
    return writings
