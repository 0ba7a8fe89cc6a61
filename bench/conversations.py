"""What asking costs: how soon the first passage is there, and what many streams at once do to everybody else.

By hand, from the project's folder: `.venv/bin/python -m bench.conversations`, on a machine that does nothing else. It
needs wrk, and with its 100,000 posts some minutes and gigabytes of the temp folder to fill a site; `--posts 10000` has
fewer, `--streams 20` and `--rounds 20` likewise.
"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import track

from bench import posts
from bench.load import Cost, Place, load, running
from bench.places import PROCESSES
from bench.readers import Reader, Refused, add_readers, hear
from bench.serving import PAST_THE_CACHE
from blog.conversations.exchanging import MOST_STREAMS
from blog.conversations.model import Scope

_QUESTIONS = {
    "a rare word": f"Is there a {posts.RARE} in some garden?",
    "words of every post": "Is there a silver letter in the harbour, or a garden by the river?",
}
_RETRY_SECONDS = 0.2
_LOAD_SECONDS = 5
_LOADS = 3
# So many words of an answer, so many milliseconds apart: longer than all loads together.
_WORDS, _PAUSE = 400, 250


class Stream(threading.Thread):
    """One reader who listens to a slow answer, and asks again while there is no place."""

    def __init__(self, url: str, reader: Reader) -> None:
        super().__init__(daemon=True)
        self._url, self._reader = url, reader
        self.is_open = self.is_over = False
        self.refused = 0
        self.ended_with = ""

    def run(self) -> None:
        """Until the answer is there."""
        while not self.is_over:
            try:
                for name, _milliseconds in hear(self._url, self._reader, Scope.POST, _QUESTIONS["words of every post"]):
                    self.is_open, self.ended_with = self.is_open or name == "delta", name
                self.is_open, self.is_over = False, True
            except Refused:
                self.refused += 1
                time.sleep(_RETRY_SECONDS)
            except (OSError, RuntimeError) as error:
                self.is_open, self.is_over, self.ended_with = False, True, repr(error)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--streams", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=100)
    asked = parser.parse_args()
    if asked.streams > (most := PROCESSES * MOST_STREAMS):
        sys.exit(f"{PROCESSES} processes have room for {most} answers at most: use --streams {most}.")
    with TemporaryDirectory() as name:
        folder = Path(name) / "site"
        posts.fill(folder, posts=asked.posts)
        readers = add_readers(folder, max(asked.streams, 1 + asked.rounds // 40))
        lines = [*_soon(folder, readers, asked.posts, asked.rounds), *_together(folder, readers[: asked.streams])]
    Console().print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _soon(folder: Path, readers: Sequence[Reader], size: int, rounds: int) -> Iterator[str]:
    """From the question to the first passage, one question at a time."""
    took: dict[tuple[Scope, str], list[float]] = {}
    with _site(folder) as site:
        for number in track(range(rounds), description="first passages"):
            for scope in Scope:
                for kind, question in _QUESTIONS.items():
                    said = dict(reversed(list(hear(site.url, readers[number % len(readers)], scope, question))))
                    if "passage" in said:
                        took.setdefault((scope, kind), []).append(said["passage"])
    yield f"\n## The first passage, with {size:,} posts\n"
    yield "| scope | asked for | p50, ms | p99, ms | of |\n| --- | --- | ---: | ---: | ---: |"
    for (scope, kind), found in took.items():
        yield f"| {scope} | {kind} | {median(found):.0f} | {_p99(found):.0f} | {len(found)} |"


def _together(folder: Path, readers: Sequence[Reader]) -> Iterator[str]:
    """Many streams at once, what they hold, and how long others wait for a page meanwhile."""
    command = [sys.executable, "-m", "bench.model", str(_WORDS), str(_PAUSE)]
    with running(command) as model, _site(folder, BYLINE_LLM_URL=f"{model.url}/v1", BYLINE_LLM_MODEL="bench") as site:
        without, memory_before = _pages(site), site.memory_mebibytes
        streams = [Stream(site.url, reader) for reader in readers]
        for stream in streams:
            stream.start()
        _wait_until_open(streams)
        open_before, cpu, began = sum(stream.is_open for stream in streams), site.cpu_seconds, time.perf_counter()
        meanwhile, memory = _pages(site), site.memory_mebibytes
        cpu, seconds = site.cpu_seconds - cpu, time.perf_counter() - began
        open_after = sum(stream.is_open for stream in streams)
        for stream in track(streams, description="until the answers end"):
            stream.join()
    ends = sorted({stream.ended_with for stream in streams})
    yield f"\n## {len(readers)} streams at once on {PROCESSES} processes\n"
    yield (
        f"Open when the measuring began: {open_before}, when it ended: {open_after}; refused at first, and then let "
        f"in: {sum(stream.refused > 0 for stream in streams)}. They ended with: {', '.join(ends)}."
    )
    yield (
        f"Memory of the web processes: {memory_before:.0f} MiB before, {memory:.0f} MiB meanwhile. Processor time of "
        f"all that, the pages included: {cpu / seconds:.2f} of {os.cpu_count()} processors."
    )
    yield "\n| page, on 8 connections | p99 without streams, ms | meanwhile, ms | answers a second | meanwhile |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, before in without.items():
        after = meanwhile[name]
        yield f"| {name} | {before.p99 / 1e3:.2f} | {after.p99 / 1e3:.2f} | {before.rate:,.0f} | {after.rate:,.0f} |"


def _pages(site: Place) -> dict[str, Cost]:
    """The middle of some loads of the home page, as it is kept and as it is made."""
    found: dict[str, list[Cost]] = {}
    for _ in range(_LOADS):
        for name, headers in (("home", {}), ("home, missed", PAST_THE_CACHE)):
            cost = load(site, "/", connections=8, seconds=_LOAD_SECONDS, headers=headers)
            found.setdefault(name, []).append(cost)
    return {name: sorted(costs, key=lambda cost: cost.p99)[_LOADS // 2] for name, costs in found.items()}


def _wait_until_open(streams: Sequence[Stream]) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline and not all(stream.is_open for stream in streams):
        time.sleep(0.05)


def _p99(found: Sequence[float]) -> float:
    return quantiles(found, n=100, method="inclusive")[98] if len(found) > 1 else found[0]


@contextmanager
def _site(folder: Path, **environment: str) -> Iterator[Place]:
    settings = {"BYLINE_INSTANCE": str(folder), "PORT": "8951", "WEB_CONCURRENCY": str(PROCESSES), **environment}
    with running([sys.executable, "app.py", "serve"], environment=settings, first_line="Byline is at") as place:
        yield place


if __name__ == "__main__":
    main()
