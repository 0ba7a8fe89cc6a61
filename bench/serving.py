"""What reading and publishing cost, each figure beside a bare function's under the same server, in one run.

By hand, from the project's folder: `.venv/bin/python -m bench.serving`, on a machine that does nothing else. It takes
forty minutes and some gigabytes of the temp folder (`TMPDIR` says where), needs wrk and nginx from the
system's packages, and writes `bench/RESULTS.md`. With `--quick` it measures small sites for a second each, and writes
nothing.
"""

import os
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import requests
from rich.console import Console
from rich.progress import track

from bench import posts
from bench.load import Cost, Place, load, middle
from bench.places import PAGES, PROCESSES, places_of, sites_of
from bench.publishing import Publishing, fsync_milliseconds

PAST_THE_CACHE = {"Content-Type": "text/plain"}
_UNCHANGED = "home, unchanged (304)"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    sizes: tuple[int, ...] = (10, 1_000, 100_000)
    sessions: int = 1_000_000
    rounds: int = 5
    seconds: int = 1
    starts: int = 3
    turns: int = 7
    publications: int = 60
    browsed: int = 1_000_000


QUICK = Plan(sizes=(10, 100), sessions=1_000, rounds=1, seconds=1, starts=1, turns=3, publications=10, browsed=10_000)


@dataclass(frozen=True, slots=True)
class Question:
    """One line of the table."""

    name: str
    place: str  # hello, layer (the cache as a WSGI layer alone), site (the whole), nginx
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    script: tuple[str, ...] = ()


def main() -> None:
    """Measure, print, and keep the table."""
    plan = QUICK if "--quick" in sys.argv else Plan()
    lines = [f"# What reading and publishing cost\n\n{_machine()}\n"]
    with TemporaryDirectory() as name:
        folder = Path(name)
        for size in plan.sizes:
            posts.fill(folder / str(size), posts=size, sessions=plan.sessions if size == plan.sizes[-1] else 0)
        for size in plan.sizes:
            lines += _table(folder / str(size), size, plan)
        lines += _in_turn(folder, plan)
        lines += _publishing(folder, plan)
    text = "\n".join(lines)
    Console().print(text, markup=False, highlight=False, soft_wrap=True)
    if plan is not QUICK:
        Path(__file__).with_name("RESULTS.md").write_text(text.rstrip() + "\n")


def _table(folder: Path, size: int, plan: Plan) -> Iterator[str]:
    with places_of(folder) as places:
        # As many other posts as there are, up to some thousands: what is kept of one is then of no use for the next.
        addresses = min(10_000, size - posts.WRITTEN)
        questions = [*_questions(places["site"]), *_of_any_post(addresses)]
        costs: dict[tuple[str, int], list[Cost]] = {}
        for _round in track(range(plan.rounds), description=f"{size:,} posts"):
            for connections in (1, 32):
                for question in questions:
                    cost = load(
                        places[question.place],
                        question.path,
                        connections=connections,
                        seconds=plan.seconds,
                        headers=question.headers,
                        script=question.script,
                    )
                    costs.setdefault((question.name, connections), []).append(cost)
        memory = places["site"].memory_mebibytes
        if size == plan.sizes[-1]:
            browsed, memory_after = _browse(places["site"], plan.browsed, addresses)
    yield f"\n## {size:,} posts\n"
    yield "| what | connections | processor time, µs | beside hello | answers a second | p50, ms | p99, ms |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    middles = {key: middle(found) for key, found in costs.items()}
    for (name, connections), cost in sorted(middles.items(), key=lambda item: item[0][1]):
        # Beside the same bytes; what is none of the three pages, beside home's.
        page = next((page for page, _path in PAGES if page in name.replace(",", " ").split()), PAGES[0][0])
        ratio = cost.cpu / middles[f"hello, bytes of {page}", connections].cpu
        yield (
            f"| {name} | {connections} | {cost.cpu:.0f} | {ratio:.2f} | {cost.rate:,.0f} | {cost.p50 / 1000:.2f} "
            f"| {cost.p99 / 1000:.2f} |"
        )
    yield f"\nMemory of the {PROCESSES} web processes afterwards: {memory:.0f} MiB."
    if size == plan.sizes[-1]:
        yield f"After {browsed:,} more requests for {addresses:,} addresses: {memory_after:.0f} MiB."


def _questions(site: Place) -> list[Question]:
    tag = _tag_of_home(site)
    cookie = {"Cookie": f"session={Publishing(site.url).cookie}"}
    return [
        *(Question(f"hello, bytes of {name}", "hello", path) for name, path in PAGES),
        *(Question(f"file, bytes of {name}, by nginx", "nginx", f"/{name}") for name, _path in PAGES),
        *(Question(f"{name}, through the layer", "layer", path) for name, path in PAGES),
        *(Question(name, "site", path) for name, path in PAGES),
        Question("home, gzip", "site", "/", {"Accept-Encoding": "gzip"}),
        Question(_UNCHANGED, "site", "/", {"If-None-Match": tag}),
        Question("home, missed", "site", "/", PAST_THE_CACHE),
        Question("post, missed", "site", "/posts/post-1", PAST_THE_CACHE),
        Question("archive, missed", "site", "/archive", PAST_THE_CACHE),
        Question("sitemap, missed", "site", "/sitemap.xml?part=1", PAST_THE_CACHE),
        Question("home, signed in", "site", "/", cookie),
        Question("post, signed in", "site", "/posts/post-1", cookie),
        Question("search for a rare word, missed", "site", f"/search?q={posts.RARE}", PAST_THE_CACHE),
        Question("search for a common word, missed", "site", "/search?q=winter", PAST_THE_CACHE),
    ]


def _of_any_post(addresses: int) -> list[Question]:
    return [Question("any post, missed", "site", "/", PAST_THE_CACHE, _browsing(addresses))] if addresses > 0 else []


def _browsing(addresses: int) -> tuple[str, str]:
    return str(Path(__file__).with_name("browsing.lua")), str(addresses)


def _tag_of_home(site: Place) -> str:
    # Of the variant that is asked for: each has a tag of its own.
    plain = {"Accept-Encoding": "identity"}
    tag = requests.get(site.url + "/", headers=plain, timeout=10).headers["ETag"]
    again = requests.get(site.url + "/", headers=plain | {"If-None-Match": tag}, timeout=10)
    if again.status_code != HTTPStatus.NOT_MODIFIED:
        raise RuntimeError(f"A page that is unchanged was answered with {again.status_code}.")
    return tag


def _browse(site: Place, wanted: int, addresses: int) -> tuple[int, float]:
    done = 0.0
    while done < wanted:
        done += load(site, "/", connections=32, seconds=10, script=_browsing(addresses)).rate * 10
    return int(done), site.memory_mebibytes


def _in_turn(folder: Path, plan: Plan) -> Iterator[str]:
    """The same page from all, one right after the other: minutes apart, the machine itself is faster or slower."""
    costs: dict[tuple[str, int], list[float]] = {}
    bytes_of: dict[tuple[str, int], int] = {}
    for start in range(1, plan.starts + 1):
        # Two servers of one site differ too, by where their memory lies; no other pair differs in the same way.
        with sites_of(folder, plan.sizes) as places:
            _ask_in_turn(places, plan, costs, description=f"in turn, start {start} of {plan.starts}")
            for (name, path), (size, place) in product(PAGES, places.items()):
                bytes_of[name, size] = len(requests.get(place.url + path, timeout=10).content)
    smallest = plan.sizes[0]
    yield "\n## The same page of sites of several sizes, asked in turn\n"
    yield f"| what | posts | bytes | processor time, µs | beside {smallest:,} posts | beside the size before |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name, _path in PAGES:
        for before, size in zip((smallest, *plan.sizes), plan.sizes, strict=False):
            beside = [_beside(costs[name, size], costs[name, base]) for base in (smallest, before)]
            yield (
                f"| {name} | {size:,} | {bytes_of[name, size]:,} | {median(costs[name, size]):.0f} | {beside[0]:.2f} "
                f"| {beside[1]:.2f} |"
            )
    yield "\nHome that is unchanged (304) beside home, in the same turns: " + ", ".join(
        f"{_beside(costs[_UNCHANGED, size], costs['home', size]):.2f} with {size:,} posts" for size in plan.sizes
    )


def _ask_in_turn(
    places: dict[int, Place], plan: Plan, costs: dict[tuple[str, int], list[float]], *, description: str
) -> None:
    for place in places.values():
        # They are to be as large as they get.
        for question in _questions(place):
            if question.place == "site":
                load(place, question.path, connections=32, seconds=plan.seconds, headers=question.headers)
    tags = {size: {"If-None-Match": _tag_of_home(place)} for size, place in places.items()}
    order = [(name, path, size) for name, path in (*PAGES, (_UNCHANGED, "/")) for size in places]
    for _turn in track(range(plan.turns), description=description):
        # There and back: what comes first differs from what comes after it.
        order.reverse()
        for name, path, size in order:
            headers = tags[size] if name == _UNCHANGED else {}
            cost = load(places[size], path, connections=32, seconds=1, headers=headers).cpu
            costs.setdefault((name, size), []).append(cost)


def _beside(costs: list[float], others: list[float]) -> float:
    return median(one / other for one, other in zip(costs, others, strict=True))


def _publishing(folder: Path, plan: Plan) -> Iterator[str]:
    small, large = plan.sizes[0], plan.sizes[-1]
    took: dict[int, list[float]] = {small: [], large: []}
    with sites_of(folder, (small, large)) as places:
        clients = {size: Publishing(place.url) for size, place in places.items()}
        synced = []
        for _ in track(range(plan.publications), description="publishing"):
            for size, client in clients.items():
                took[size].append(client.publish())
            synced.append(fsync_milliseconds(folder))
    yield "\n## Publishing: from the form to the 303, synced\n"
    yield "| posts | p50, ms |\n| ---: | ---: |"
    for size, all_of_it in took.items():
        yield f"| {size:,} | {median(all_of_it):.1f} |"
    yield f"\nOne fsync of this disk, in the same run: {median(synced):.2f} ms."
    yield f"At {large:,} beside {small:,}: {median(took[large]) / median(took[small]):.2f}.\n"


def _machine() -> str:
    return (
        f"{time.strftime('%d %B %Y')}; {os.cpu_count()} processors, {platform.system()}, Python "
        f"{platform.python_version()}; {PROCESSES} web processes. Processor time is of the server's processes alone, "
        "the median of interleaved rounds. Figures differ from machine to machine, ratios hardly."
    )


if __name__ == "__main__":
    main()
