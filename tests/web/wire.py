"""Starting the tiny site, and talking to it byte by byte."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Nothing in these tests takes as long, on the slowest machine.
PATIENCE_SECONDS = 30


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    version: str


class Wire:
    """One connection."""

    def __init__(self, port, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE_SECONDS)
        self._file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()
        self.socket.close()

    def send(self, text, body=b""):
        """Send a message whose lines are given with line feeds alone."""
        self.socket.sendall(text.replace("\n", "\r\n").encode("latin-1") + body)

    def ask(self, path, method="GET", headers=""):
        self.send(f"{method} {path} HTTP/1.1\nHost: localhost\n{headers}\n")
        return self.read_reply(method)

    def read_headers(self):
        version, status, _reason = self._file.readline().decode("latin-1").split(" ", 2)
        headers = {}
        while line := self._file.readline().decode("latin-1").strip():
            name, _colon, value = line.partition(": ")
            headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        return Reply(int(status), headers, b"", version)

    def read_reply(self, method="GET"):
        reply = self.read_headers()
        if method == "HEAD" or reply.status in (204, 304):
            return reply
        if "content-length" in reply.headers:
            reply.body = self._file.read(int(reply.headers["content-length"]))
        elif reply.headers.get("transfer-encoding") == "chunked":
            reply.body = b"".join(self.read_chunks())
        else:
            reply.body = self._file.read()
        return reply

    def read_chunks(self):
        while size := int(self._file.readline(), 16):
            yield self._file.read(size)
            self._file.readline()
        self._file.readline()

    def read_to_end(self):
        """All that is left until the server closes the connection."""
        return self._file.read()

    def is_closed(self):
        """Wait for the server to close the connection; false when it sends something."""
        return self.read_to_end() == b""

    def data_segments_received(self):
        # tcpi_data_segs_in of the kernel's struct tcp_info.
        return int.from_bytes(self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 156)[152:156], sys.byteorder)


class TinySite:
    """The tiny site, running; ended, and its end checked, at the end of the `with`."""

    def __init__(self, *, own_group=False, **options):
        command = [sys.executable, "-m", "tests.web.tiny_site", json.dumps(options)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0 if own_group else None,
        )
        self.pid = self._process.pid
        self._unread = b""

    def __enter__(self):
        line = self.read_line()
        assert line.isdigit(), (line, self.wait())
        self.port = int(line)
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        # What a worker that outlives its parent holds open would be waited for.
        workers = self.workers()
        self._process.kill()
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.communicate()

    def connect(self):
        return Wire(self.port)

    def ask(self, path, method="GET", headers=""):
        with self.connect() as wire:
            return wire.ask(path, method, headers)

    def read_line(self):
        """The next line that the site prints."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self._unread and time.monotonic() < deadline:
            output = self._process.stdout.fileno()
            if select.select([output], [], [], 0.5)[0]:
                more = os.read(output, 4096)
                if not more:
                    break
                self._unread += more
        line, _feed, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def prints(self, line):
        """Wait for that line, whatever comes before it; false when the site ends without it."""
        while found := self.read_line():
            if found == line:
                return True
        return False

    def signal(self, number=signal.SIGTERM):
        self._process.send_signal(number)

    def wait(self):
        """Wait for the end of the parent, and return exit status and standard error."""
        _output, errors = self._process.communicate(timeout=PATIENCE_SECONDS)
        return self._process.returncode, errors.decode()

    def workers(self):
        return children_of(self.pid)


def children_of(pid):
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(path.parent.name))
    return found


def name_of(pid):
    """What the process is called; nothing when it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_running(pid):
    """Whether the process exists and is not a zombie."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(condition, seconds=PATIENCE_SECONDS):
    """Wait for something that sends no event, and return whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
