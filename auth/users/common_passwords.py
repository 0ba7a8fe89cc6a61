"""Passwords that others try first: those that many people use, and those made of a name that everybody knows."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

# Of shorter ones no password can be.
_SHORTEST = 8
# A word of fewer letters stands in too much that has nothing to do with it.
_SHORTEST_WORD = 3


def is_common(password: str) -> bool:
    """Whether it stands in the list that zxcvbn ships, of what leaked most often, in whatever case and width."""
    return _folded(password) in _list()


def is_made_of(password: str, names: Iterable[str]) -> bool:
    """Whether it is a name, or words of names, and beside them digits and signs alone, fewer than a password has."""
    whole = rest = _folded(password)
    folded = {_folded(name) for name in names}
    words = {word for name in folded for word in (name, *name.split()) if len(word) >= _SHORTEST_WORD}
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    has_letters = any(character.isalpha() for character in rest)
    return whole in folded or (rest != whole and len(rest) < _SHORTEST and not has_letters)


@cache
def _list() -> frozenset[str]:
    """The list; read when it is first needed, from its file alone, for the package beside it would stay in memory."""
    package = find_spec("zxcvbn")
    assert package is not None
    assert package.origin is not None
    spec = spec_from_file_location("frequency_lists", Path(package.origin).with_name("frequency_lists.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return frozenset(word for word in module.FREQUENCY_LISTS["passwords"] if len(word) >= _SHORTEST)


def _folded(text: str) -> str:
    # Folding may undo the normal form, and normalising the folding.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()
