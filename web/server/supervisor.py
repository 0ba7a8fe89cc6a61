"""Several web processes behind one socket: bound here, answered on by workers, which are replaced when they die.

The parent opens nothing but the socket and pipes, so that every worker opens its own database after the fork.
"""

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import structlog

from web.server import worker
from web.server.memory import prepare_for_forks
from web.server.processors import processors_for
from web.server.serving import BACKLOG, DEFAULT_MAX_BODY_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = structlog.get_logger()

_SIGNALS = (*worker.STOP_SIGNALS, signal.SIGCHLD)

# A little more than a worker takes to drain, and less than what waits for us before it kills.
_STOP_SECONDS = 9.0

# What the process that answers no requests is called, where processes have names.
ASIDE = "byline-jobs"

# A worker that dies younger than this is likely to die again.
_YOUNG_SECONDS = 1.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 5.0


def supervise(
    make_app: "Callable[[], WSGIApplication]",
    *,
    host: str,
    port: int,
    processes: int,
    threads: int,
    announce: Callable[[str, int], object],
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    refusals: tuple[type[Exception], ...] = (),
    aside: Callable[[Callable[[float], bool]], object] | None = None,
) -> int:
    """Serve with that many processes until TERM or INT, and return the exit status of the program.

    `make_app` is called in each worker. When it raises before any worker was ready, the server ends with status 1 and
    the message on standard error; the log has a traceback too unless the error is one of `refusals`. `announce` gets
    the host and the port that was bound, once, when the first worker is ready. `aside` runs in one more process, which
    is replaced like the others: it gets a function that waits some seconds and says whether to stop. To be called from
    the main thread, and last: TERM and INT stay without effect afterwards, so that impatience does not change the exit
    status.
    """
    try:
        listener = _listen(host, port)
    except OSError as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        sys.stderr.write(f"Byline cannot listen on {host}, port {port}: {reason}. Choose another HOST or PORT.\n")
        return 1
    work = partial(worker.run, make_app, listener, threads=threads, max_body_bytes=max_body_bytes, refusals=refusals)
    works: list[Callable[..., int]] = [partial(work, processor=each) for each in processors_for(processes)]
    if aside is not None:
        works.append(partial(worker.run_aside, ASIDE, aside, listener))
    crew = _Crew(works, lambda: announce(host, listener.getsockname()[1]))
    try:
        crew.keep_up()
    finally:
        # From now on a connection is refused at once, where it would wait for nobody.
        listener.close()
        crew.end()
    if crew.failure:
        sys.stderr.write(f"{crew.failure}\n")
    return 1 if crew.failure else 0


def _listen(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # Of the two addresses of a name such as localhost, IPv4 is the one that everything on the machine tries.
    family, *_kind, address = min(found, key=lambda each: each[0])
    return socket.create_server(address[:2], family=family, backlog=BACKLOG)


@dataclass
class _Worker:
    pid: int
    # Its place in the crew, which says what it does.
    place: int
    started_at: float
    # Where it says that it is ready, or why not; None once it has.
    report: int | None


class _Crew:
    """The workers, as seen from their parent."""

    failure: str | None = None

    def __init__(self, works: Sequence[Callable[..., int]], on_ready: Callable[[], object]) -> None:
        self._works = works
        self._on_ready: Callable[[], object] | None = on_ready
        self._workers: list[_Worker] = []
        self._is_stopping = False
        self._early_deaths = 0
        self._next_start_at = 0.0
        # Workers hold the reading end alone: it hangs up when this process is gone, however it went.
        self._parent_alive, self._own_life = os.pipe()
        prepare_for_forks()
        self._wakeup = worker.wake_on(_SIGNALS)

    def keep_up(self) -> None:
        """Keep the crew complete until a signal says stop, or a worker cannot start."""
        while not self._is_stopping and self.failure is None:
            pause = self._next_start_at - time.monotonic()
            if len(self._workers) < len(self._works) and pause <= 0:
                self._start_worker()
            else:
                self._wait(pause if len(self._workers) < len(self._works) else None)

    def end(self) -> None:
        """Let the workers finish what they have begun, and kill those who do not."""
        self._signal_all(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while self._workers and (left := deadline - time.monotonic()) > 0:
            self._wait(left)
        self._signal_all(signal.SIGKILL)
        for each in self._workers:
            log.warning("worker did not end in time and was killed", pid=each.pid)
            os.waitpid(each.pid, 0)
        signal.set_wakeup_fd(-1)
        for number in worker.STOP_SIGNALS:
            # Python takes its own handlers away before it ends, and one signal too many would decide the exit status.
            signal.signal(number, signal.SIG_IGN)

    def _start_worker(self) -> None:
        place = min(set(range(len(self._works))) - {each.place for each in self._workers})
        reader, writer = os.pipe()
        # What stands in their buffers would be written twice.
        sys.stdout.flush()
        sys.stderr.flush()
        # A signal that comes before the worker has its own handlers waits for them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                os.close(reader)
                self._become_worker(self._works[place], writer)
            self._workers.append(_Worker(pid, place, time.monotonic(), reader))
        except OSError as error:
            # Memory is short: the workers that are there go on.
            log.warning("worker could not be started", reason=str(error))
            os.close(reader)
            self._plan_start(is_early_death=True)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(writer)

    def _become_worker(self, work: Callable[..., int], report: int) -> NoReturn:
        status = 1
        try:
            wakeup_writer = signal.set_wakeup_fd(-1)
            others = [each.report for each in self._workers if each.report is not None]
            for descriptor in (wakeup_writer, self._wakeup, self._own_life, *others):
                os.close(descriptor)
            status = work(parent_alive=self._parent_alive, report=report)
        except BaseException:
            log.exception("worker failed")
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            # Past everything that the parent has left on the stack.
            os._exit(status)

    def _wait(self, seconds: float | None) -> None:
        poll = select.poll()
        reports = {each.report: each for each in self._workers if each.report is not None}
        for descriptor in (self._wakeup, *reports):
            poll.register(descriptor, select.POLLIN)
        for descriptor, _events in poll.poll(None if seconds is None else seconds * 1000):
            if descriptor == self._wakeup:
                self._heed(os.read(self._wakeup, 4096))
            else:
                self._hear(reports[descriptor])

    def _heed(self, numbers: bytes) -> None:
        # Ctrl-C reaches everybody at once: a worker may end by it, and that is no reason to start another.
        self._is_stopping |= not set(worker.STOP_SIGNALS).isdisjoint(numbers)
        if signal.SIGCHLD in numbers:
            self._bury_dead()

    def _hear(self, each: _Worker) -> None:
        if each.report is None:
            return
        message = os.read(each.report, 4096)
        os.close(each.report)
        each.report = None
        if message.startswith(worker.FAILED):
            reason = message[1:].decode(errors="replace")
            if self._on_ready is not None:
                self.failure = self.failure or reason
            else:
                # Since the site could run once, what is in the way may pass, such as a full disk: it is tried again.
                log.warning("worker could not be started", reason=reason)
        elif message.startswith(worker.READY) and self._on_ready is not None and not self._is_stopping:
            self._on_ready()
            self._on_ready = None

    def _bury_dead(self) -> None:
        for each in list(self._workers):
            pid, status = os.waitpid(each.pid, os.WNOHANG)
            if not pid:
                continue
            self._hear(each)
            self._workers.remove(each)
            if not self._is_stopping and self.failure is None:
                log.warning("worker ended", pid=pid, status=os.waitstatus_to_exitcode(status))
                self._plan_start(is_early_death=time.monotonic() - each.started_at < _YOUNG_SECONDS)

    def _plan_start(self, *, is_early_death: bool) -> None:
        self._early_deaths = self._early_deaths + 1 if is_early_death else 0
        # The first one may have been an accident.
        pause = _FIRST_PAUSE_SECONDS * 2 ** (self._early_deaths - 2) if self._early_deaths > 1 else 0.0
        self._next_start_at = time.monotonic() + min(pause, _LONGEST_PAUSE_SECONDS)

    def _signal_all(self, number: signal.Signals) -> None:
        for each in self._workers:
            # Not reaped yet, so the number is still this worker's, dead or alive.
            os.kill(each.pid, number)
