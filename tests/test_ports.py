"""Ports that tests give to their servers."""

import os
import socket

from tests.ports import PORTS, free_port


def test_no_port_is_one_that_the_system_gives_to_connections() -> None:
    # Linux's own choice (ip-sysctl, ip_local_port_range); a machine may have another.
    assert max(PORTS) < 32_768


def test_none_is_given_twice_nor_while_somebody_listens() -> None:
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    port = free_port()
    if port + count >= PORTS.stop:
        port = free_port()
    following = port + count
    with socket.create_server(("127.0.0.1", following)):
        given = [free_port() for _ in range(200)]
    assert len({port, *given}) == 201
    assert following not in given
    assert set(given) < set(PORTS)
