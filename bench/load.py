"""Load from wrk on what runs on this machine, and what it cost the processes that answered."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_TICKS = os.sysconf("SC_CLK_TCK")
_REQUESTS = re.compile(r"(\d+) requests in")
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)\s*$", re.MULTILINE)
_FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.+)")
_SETTLED_SECONDS = 0.2
_MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request cost: microseconds of processor time, requests a second, latencies in microseconds."""

    cpu: float
    rate: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Place:
    """A server of several processes, and where it answers."""

    url: str
    pids: list[int]

    @property
    def cpu_seconds(self) -> float:
        """What all its processes have used so far."""
        return sum(_cpu_seconds(pid) for pid in self.pids)

    @property
    def memory_mebibytes(self) -> float:
        """What they hold, pages they share counted by their part of them."""
        return sum(_memory_kibibytes(pid) for pid in self.pids) / 1024


@contextmanager
def running(
    command: list[str], *, environment: Mapping[str, str] | None = None, first_line: str = ""
) -> Iterator[Place]:
    """A server that prints its port on its first line, or a line with `first_line` and its address at the end."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        line = next(line.strip() for line in process.stdout if first_line in line)
        port = line.rpartition(":")[2]
        yield Place(f"http://127.0.0.1:{port}", _children(process.pid))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


def load(
    place: Place, path: str, *, connections: int, seconds: int = 3, headers: Mapping[str, str] | None = None,
    script: tuple[str, ...] = (),
) -> Cost:  # fmt: skip
    """Ask the same again and again on so many connections, and say what one answer cost. Raises RuntimeError.

    `script`: a file for wrk that chooses what is asked for, and what it is told.
    """
    more = [part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")]
    scripted, told = (["-s", script[0]], ["--", *script[1:]]) if script else ([], [])
    before = place.cpu_seconds
    done = subprocess.run(
        [
            wrk(),
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout=10s",
            "--latency",
            *more,
            *scripted,
            place.url + path,
            *told,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    used = place.cpu_seconds - before
    _settle(place)
    requests, rate = _REQUESTS.search(done.stdout), _RATE.search(done.stdout)
    if _FAILED.search(done.stdout) or requests is None or rate is None:
        raise RuntimeError(f"{path} was not answered as it should be:\n{done.stdout}")
    latencies = {part: float(number) * _MICROSECONDS[unit] for part, number, unit in _LATENCY.findall(done.stdout)}
    return Cost(used / int(requests[1]) * 1e6, float(rate[1]), latencies["50"], latencies["99"])


def _settle(place: Place) -> None:
    """Wait until the server has done what was asked of it: the next figure is of something else."""
    so_far = place.cpu_seconds
    while True:
        time.sleep(_SETTLED_SECONDS)
        now = place.cpu_seconds
        if now - so_far < _SETTLED_SECONDS / 10:
            return
        so_far = now


def middle(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    names = ("cpu", "rate", "p50", "p99")
    return Cost(*(median(getattr(cost, name) for cost in costs) for name in names))


def wrk() -> str:
    """Where wrk is. Ends the program with a sentence when it is missing."""
    found = shutil.which("wrk")
    if found is None:
        sys.exit("wrk is missing: install your system's package `wrk`.")
    return found


def _children(pid: int) -> list[int]:
    listed = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in listed if Path(f"/proc/{child}/comm").read_text().strip() != "byline-jobs"] or [pid]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory_kibibytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
