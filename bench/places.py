"""The servers that are asked, each with as many processes as the others."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from bench.load import Place, running

PROCESSES = 2
PAGES = (("home", "/"), ("post", "/posts/post-1"), ("feed", "/feed.xml"))


@contextmanager
def places_of(folder: Path) -> Iterator[dict[str, Place]]:
    """What answers with the pages of one site: itself, its layer alone, a bare function, and nginx with its files."""
    environment = {"BYLINE_INSTANCE": str(folder), "PORT": "8931", "WEB_CONCURRENCY": str(PROCESSES)}
    python = sys.executable
    with ExitStack() as stack:
        site = stack.enter_context(
            running([python, "app.py", "serve"], environment=environment, first_line="Byline is at")
        )
        layer = stack.enter_context(running([python, "-m", "bench.site", str(PROCESSES)], environment=environment))
        files = {
            name: requests.get(site.url + path, headers={"Accept-Encoding": "identity"}, timeout=10).content
            for name, path in PAGES
        }
        urls = [site.url + path for _name, path in PAGES]
        hello = stack.enter_context(running([python, "-m", "bench.hello", str(PROCESSES), *urls]))
        nginx = stack.enter_context(_nginx(folder, files))
        yield {"site": site, "layer": layer, "hello": hello, "nginx": nginx}


@contextmanager
def _nginx(folder: Path, files: dict[str, bytes]) -> Iterator[Place]:
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(program).exists():
        sys.exit("nginx is missing: install your system's package `nginx-light`.")
    root = folder / "nginx"
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        (root / name).write_bytes(content)
    root.chmod(0o755)
    settings = root / "nginx.conf"
    settings.write_text(
        f"daemon off; worker_processes {PROCESSES}; pid {root}/pid; error_log /dev/null; user root;\n"
        "events { worker_connections 256; }\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:8932; root {root}; }} }}\n"
    )
    process = subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                requests.get(f"http://127.0.0.1:8932/{next(iter(files))}", timeout=1).raise_for_status()
                break
            except requests.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield Place("http://127.0.0.1:8932", [int(child) for child in children])
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def sites_of(folder: Path, sizes: Iterable[int]) -> Iterator[dict[int, Place]]:
    """The sites of these sizes, each under a server of its own."""
    with ExitStack() as stack:
        places = {}
        for number, size in enumerate(sizes):
            environment = {
                "BYLINE_INSTANCE": str(folder / str(size)),
                "PORT": str(8941 + number),
                "WEB_CONCURRENCY": str(PROCESSES),
            }
            places[size] = stack.enter_context(
                running([sys.executable, "app.py", "serve"], environment=environment, first_line="Byline is at")
            )
        yield places
