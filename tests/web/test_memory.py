"""What the allocator was told: seen in its own counters, in a process of its own."""

import ctypes
import subprocess
import sys

import pytest

from tests.web.test_server import turned_here
from web.server import serving

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


# Of small blocks, every hundredth stays: what is free lies between them, and at the end of the heap there is none.
_BETWEEN = """
import os
from pathlib import Path
from web.server.memory import give_back, prepare_for_forks

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

prepare_for_forks()
blocks = [bytes(2000) for _ in range(20_000)]
blocks = blocks[::100]
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library")
def test_what_is_free_between_small_blocks_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", _BETWEEN], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 20_000_000


def test_the_server_gives_back_whenever_it_looks_after_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[str]()
    monkeypatch.setattr(serving, "give_back", lambda: given.append("back"))
    with turned_here(lambda _environ, _start_response: []) as (server, _wire):
        assert server.adj.cleanup_interval == 30
        server.maintenance(0)
    assert given == ["back"]
