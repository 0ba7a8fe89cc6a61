"""What the allocator was told: seen in its own counters, in a process of its own."""

import ctypes
import subprocess
import sys

import pytest

# Blocks that stand in maps of their own, of glibc's `struct mallinfo2`: the fourth of its ten fields.
_PROGRAM = """
import ctypes
from web.server.memory import prepare_for_forks

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]

ask = ctypes.CDLL(None).mallinfo2
ask.restype = Info
prepare_for_forks()
page = b"x" * 5_000_000
del page
before = ask().hblks
page = b"x" * 1_000_000
print(ask().hblks - before)
del page
print(ask().hblks - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="another C library, or an older one")
def test_a_large_block_goes_back_to_the_system_also_after_a_larger_one() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]
