"""Programs of ours, started from a process in which everything is loaded already: loading is most of a start.

What runs is what `python app.py …` runs, in a process and a session of its own, with its own environment. Where that
names other places to load from, in PYTHONPATH, the program is started from the beginning.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import TemporaryFile
from typing import IO, Any

ROOT = Path(__file__).parent.parent

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["app"])


def start(
    *arguments: str, environment: Mapping[str, str], stdin: IO[Any], stdout: IO[Any], stderr: IO[Any]
) -> BaseProcess:
    """`byline` with these arguments, from now on."""
    streams = [Connection(os.dup(each.fileno())) for each in (stdin, stdout, stderr)]
    # Whatever still runs when the tests have ended is ended too.
    process = _context.Process(target=_run, args=(arguments, dict(environment), *streams), daemon=True)
    process.start()
    for stream in streams:
        stream.close()
    return process


def run(
    *arguments: str, environment: Mapping[str, str], text: str = "", seconds: float = 60
) -> "CompletedProcess[str]":
    """`byline` with these arguments, to its end. Raises TimeoutExpired."""
    with TemporaryFile("w+") as typed, TemporaryFile("w+") as said, TemporaryFile("w+") as errors:
        typed.write(text)
        typed.seek(0)
        process = start(*arguments, environment=environment, stdin=typed, stdout=said, stderr=errors)
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise TimeoutExpired(arguments, seconds)
        for each in (said, errors):
            each.seek(0)
        return CompletedProcess(arguments, process.exitcode, said.read(), errors.read())


def _run(arguments: tuple[str, ...], environment: dict[str, str], *streams: Connection) -> None:
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = [str(ROOT / "app.py"), *arguments]
    if environment.get("PYTHONPATH") != os.environ.get("PYTHONPATH"):
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    os.environ.clear()
    os.environ.update(environment)
    from app import main

    main()
