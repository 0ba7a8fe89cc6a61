"""The life of one web process, from the fork that made it to its exit status."""

import contextlib
import os
import select
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from web.server.dispatcher import by_method
from web.server.serving import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import WSGIApplication

log = structlog.get_logger()

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# What a worker tells its parent, once: this byte, and after the second one the reason, in UTF-8.
READY, FAILED = b"+", b"-"
# A write of this size to a pipe is never split.
_MAX_REASON_BYTES = 2048


def run(
    make_app: "Callable[[], WSGIApplication]",
    listener: socket.socket,
    *,
    threads: int,
    max_body_bytes: int,
    refusals: tuple[type[Exception], ...],
    processor: int | None,
    parent_alive: int,
    report: int,
) -> int:
    """Make the application, answer until told to stop, and return the exit status.

    An application may have functions `at_once`, for what it knows already, and `kind_of`: see `serving.serve`.

    TERM, INT and the end of the parent, which closes `parent_alive`, are what tells. They may have come before: the
    caller has blocked the signals, and they are let in here.
    """
    stop = wake_on(STOP_SIGNALS)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOP_SIGNALS, signal.SIGCHLD))
    try:
        app = make_app()
        serve(
            app,
            listener,
            threads=threads,
            max_body_bytes=max_body_bytes,
            stop_descriptors=(stop, parent_alive),
            on_ready=lambda: _tell(report, READY),
            at_once=getattr(app, "at_once", None),
            kind_of=getattr(app, "kind_of", by_method),
            processor=processor,
        )
    except (Exception, SystemExit) as error:
        if not isinstance(error, (SystemExit, *refusals)):
            log.exception("worker failed")
        _tell(report, FAILED + (str(error) or type(error).__name__).encode()[:_MAX_REASON_BYTES])
        return 1
    return 0


def run_aside(
    name: str,
    task: "Callable[[Callable[[float], bool]], object]",
    listener: socket.socket,
    *,
    parent_alive: int,
    report: int,
) -> int:
    """Run what answers no requests until told to stop, and return the exit status.

    The task gets a function that waits that many seconds at most, and says whether to stop. Nobody waits for it to be
    ready: nothing is told to the parent.
    """
    stop = wake_on(STOP_SIGNALS)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*STOP_SIGNALS, signal.SIGCHLD))
    os.close(report)
    # It is not to keep the port when the others are gone, and whoever looks at the processes should know it.
    listener.close()
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)
    task(lambda seconds: bool(select.select([stop, parent_alive], [], [], seconds)[0]))
    return 0


def wake_on(signals: "Iterable[signal.Signals]") -> int:
    """Return a descriptor that can be read when one of them has come; a byte is the number of one.

    A handler in Python would not do: a signal that comes just before the process goes to sleep in poll() does not
    wake it, and the handler waits until something else does.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for number in signals:
        # Python writes the number for signals that have a handler.
        signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _tell(report: int, message: bytes) -> None:
    # The parent listens until it has heard one thing; when it is gone, serve() notices that itself.
    with contextlib.suppress(BrokenPipeError):
        os.write(report, message)
