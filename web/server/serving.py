"""The server of one process: Waitress with limits set on purpose, streams that flow, and an end that loses nothing.

It answers on a listening socket that it is given; `web.server.supervisor` binds it and runs several of these.
"""

import copy
import resource
import socket
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, Task, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import queue_logger

from web.server.channel import AtOnce, Channel
from web.server.dispatcher import Dispatcher, KindOf, by_method
from web.server.memory import give_back
from web.server.processors import stay_on

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Pictures may have 25 MiB; the rest is their multipart form. The application refuses more than 2 MiB elsewhere.
DEFAULT_MAX_BODY_BYTES = 26 * 1024 * 1024

# Connections that wait for a worker's accept(); the supervisor listens with it before there is a worker.
BACKLOG = 1024

# A supervisor, a container and systemd wait ten seconds or so before they kill.
DRAIN_SECONDS = 8.0
# Time for threads to notice that their client was cut off.
_THREADS_END_SECONDS = 0.5

# What our classes replace or build on.
_RELIED_ON: dict[Any, tuple[str, ...]] = {
    Adjustments: (
        "send_bytes",
        "outbuf_high_watermark",
        "listen",
        "connection_limit",
        "channel_request_lookahead",
        "asyncore_use_poll",
    ),
    ChunkedReceiver: ("received", "control_line", "trailer"),
    ErrorTask: ("execute",),
    HTTPChannel: (
        *("task_class", "error_task_class", "parser_class", "readable", "writable", "handle_read", "handle_write"),
        *("handle_close", "will_close", "close_when_flushed", "total_outbufs_len", "last_activity", "request"),
        *("_flush_exception", "_flush_some", "_flush_some_if_lockable", "write_soon"),
    ),
    HTTPRequestParser: ("received", "parse_header", "expect_continue", "headers_finished", "body_rcv"),
    TcpWSGIServer: ("channel_class", "maintenance", "handle_accept", "add_task"),
    Task: (
        *("build_response_header", "write", "finish", "has_body", "content_length", "close_on_finish"),
        *("complete", "wrote_header"),
    ),
    ThreadedTaskDispatcher: ("set_thread_count", "add_task", "shutdown", "handler_thread"),
    WSGITask: ("execute", "get_environment"),
}


class Limits(Adjustments):
    """Every limit of one process, and why it is what it is."""

    # An idle connection costs a descriptor and 2 KiB; Waitress's 100 are used up by a few dozen browsers.
    connection_limit = 1000
    backlog = BACKLOG
    # 8 KiB cookies, of which there may be several, and long addresses; Waitress's 256 KiB are for nobody.
    max_request_header_size = 32 * 1024
    # Longer than the 60 to 75 s that proxies keep their idle connections, so that it is the proxy who closes.
    channel_timeout = 120
    cleanup_interval = 30
    # Above the largest page, so that header and body leave together: sent apart, a page costs twice the processor time.
    # Set here and not by its name, which Waitress warns about.
    send_bytes = 1024 * 1024
    # Above the largest picture: beyond it a thread waits for the client, and only what is made while it is sent has to.
    outbuf_high_watermark = 64 * 1024 * 1024
    # select() ends at descriptor 1024.
    asyncore_use_poll = True
    # Reading on while a request runs is the only way to see its client leave.
    channel_request_lookahead = 1
    # No Server header: what runs here, and how old it is, is nobody's business.
    ident = None
    # `web.proxies` looks at forwarding headers itself, and takes them away.
    clear_untrusted_proxy_headers = False
    expose_tracebacks = False
    # The socket is bound by somebody else.
    listen: ClassVar[list[str]] = []


class Server(TcpWSGIServer):
    """Waitress on one socket that is already bound."""

    channel_class = Channel
    is_draining = False

    def __init__(
        self,
        app: "WSGIApplication",
        listener: socket.socket,
        limits: Limits,
        at_once: AtOnce | None = None,
        kind_of: KindOf = by_method,
        processor: int | None = None,
    ) -> None:
        self._at_once = at_once
        dispatcher = Dispatcher(threads=limits.threads, kind_of=kind_of, processor=processor)
        self.stream_limits = copy.copy(limits)
        self.stream_limits.send_bytes = 1
        where = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(
            app, map={}, _sock=listener, dispatcher=dispatcher, adj=limits, sockinfo=where, bind_socket=False
        )

    def add_task(self, task: Channel) -> None:
        """Have the request that waits on a connection answered: here and now where that is possible, else by a thread.

        What is known already costs a tenth of handing it over. To be called with the lock of its requests held.
        """
        if task.total_outbufs_len and task.waits_for_room():
            return
        if self._at_once is None or not task.answer_at_once(self._at_once):
            super().add_task(task)

    def watch(self, descriptor: int, watcher: "StopWatcher") -> None:
        """Let the loop wake when the descriptor is readable or hung up."""
        self._map[descriptor] = watcher

    def turn(self, seconds: float) -> None:
        """Wait that long at most for something to happen on a socket, and handle it."""
        seconds = self.task_dispatcher.tend(seconds)
        wasyncore.loop(timeout=seconds, use_poll=self.adj.asyncore_use_poll, map=self._map, count=1)

    def maintenance(self, now: float) -> None:
        """Close connections that have been idle too long, and those whose client stopped taking its answer; and give
        back memory that is free.

        Waitress spares the latter, and closes the former when they take bytes, which with a full buffer they never do.
        So a few clients who read nothing could hold every thread.
        """
        super().maintenance(now)
        for connection in list(self.active_channels.values()):
            if connection.will_close or connection.is_stalled(now - self.adj.channel_timeout):
                connection.handle_close()
        give_back()

    def drain(self, seconds: float) -> None:
        """Answer what has been asked, take nothing new, and cut off what is not done after that many seconds."""
        deadline = time.monotonic() + seconds
        self.is_draining = True
        self._accept_waiting()
        # The listening socket alone; Server.close() would also take away what wakes the loop.
        wasyncore.dispatcher.close(self)
        while self.active_channels and time.monotonic() < deadline:
            self._close_idle()
            self.turn(min(0.25, max(0.0, deadline - time.monotonic())))
        for connection in list(self.active_channels.values()):
            connection.handle_close()
        # A client may be gone while its request is still being carried out.
        self.task_dispatcher.shutdown(timeout=max(deadline - time.monotonic(), _THREADS_END_SECONDS))

    def _accept_waiting(self) -> None:
        known = -1
        while known < len(self.active_channels):
            known = len(self.active_channels)
            self.handle_accept()

    def _close_idle(self) -> None:
        idle = [each for each in self.active_channels.values() if each.is_idle(time.time())]
        # Bytes that arrived meanwhile are a request, and it is answered.
        self.turn(0)
        for connection in idle:
            if connection.is_idle(time.time()):
                connection.handle_close()


class StopWatcher:
    """Stands in the loop's map beside the sockets, and remembers that it is time to stop."""

    accepting = False
    is_stopping = False

    def readable(self) -> bool:
        """Once is enough: watched further, the descriptor would wake the loop for ever."""
        return not self.is_stopping

    def writable(self) -> bool:
        """Nothing is ever written."""
        return False

    def handle_read_event(self) -> None:
        """Somebody wrote."""
        self.is_stopping = True

    # Nobody is left who could write.
    handle_close = handle_read_event


def serve(
    app: "WSGIApplication",
    listener: socket.socket,
    *,
    threads: int,
    stop_descriptors: Sequence[int],
    on_ready: Callable[[], object] = lambda: None,
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    at_once: AtOnce | None = None,
    kind_of: KindOf = by_method,
    processor: int | None = None,
) -> None:
    """Answer requests on a bound socket until a stop descriptor is readable or hung up; then drain, and return.

    `on_ready` is called once, when requests are about to be answered. `at_once` answers what is known already on the
    thread that reads all connections: it may never wait. `kind_of` says what answering a request is. Where `processor`
    names one, that thread and the one that makes pages stay on it. A process calls this last: a thread that will not
    end is left behind. Raises RuntimeError when the installed Waitress is not the one this is built on.
    """
    check_waitress()
    _allow_descriptors()
    # One line for every request that waits for a thread costs more than the wait.
    queue_logger.disabled = True
    limits = Limits(threads=threads, max_request_body_size=max_body_bytes)
    server = Server(app, listener, limits, at_once, kind_of, processor)
    # After all other threads were started, which would stay there too.
    stay_on(processor)
    watcher = StopWatcher()
    for descriptor in stop_descriptors:
        server.watch(descriptor, watcher)
    on_ready()
    while not watcher.is_stopping:
        server.turn(server.adj.asyncore_loop_timeout)
    server.drain(DRAIN_SECONDS)


def check_waitress() -> None:
    """Raise RuntimeError when Waitress lacks something that our classes replace or build on."""
    missing = [
        f"{owner.__name__}.{name}" for owner, names in _RELIED_ON.items() for name in names if not hasattr(owner, name)
    ]
    if missing:
        raise RuntimeError(f"Byline is built on Waitress 3.0.2; {version('waitress')} has no {', '.join(missing)}.")


def _allow_descriptors() -> None:
    # A connection may hold three: itself, and a file for a long request and for a long answer.
    wanted = 3 * Limits.connection_limit
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
