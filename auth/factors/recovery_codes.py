"""Recovery codes: written on paper, each good once.

A code has 80 random bits, as many as nobody can try, so what is stored is a plain SHA-256 digest: a slow hash would
protect nothing more, and a keyed one would make codes on paper depend on a key that may be changed.
"""

import hashlib
import secrets

COUNT = 10
FEW = 3

# Crockford's base 32: none of its signs is taken for another one, and what people write in their place is known.
_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH, _GROUP = 16, 4
_MISREAD = str.maketrans({"o": "0", "i": "1", "l": "1", "-": None})


def make_codes() -> list[str]:
    """Fresh ones, each in four groups: `7k3m-9qxe-0d2f-w8ab`."""
    return [_in_groups("".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))) for _ in range(COUNT)]


def digest_of(code: str) -> str:
    """What is stored in place of a code, however it was written: capitals, spaces and hyphens do not matter."""
    plain = "".join(code.lower().split()).translate(_MISREAD)
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _in_groups(code: str) -> str:
    return "-".join(code[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
