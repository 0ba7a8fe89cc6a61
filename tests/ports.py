"""Ports for servers that a test starts."""

import os
import random
import socket
from collections.abc import Iterator
from contextlib import suppress

# Below what Linux gives to connections (ip_local_port_range), and above what well-known services have.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on, and that this run of the tests gives to nobody else for a long while.

    Never one of those that the system gives to connections: before the server listens, one of them might have it.
    """
    while True:
        port = next(_ports)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _ports_of_this_process() -> Iterator[int]:
    # Processes that test side by side have numbers. Each begins anywhere, for there may be several runs.
    count, name = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    ports = PORTS[int(name.removeprefix("gw")) :: count]
    begin = random.randrange(len(ports))
    while True:
        yield from (*ports[begin:], *ports[:begin])


_ports = _ports_of_this_process()
