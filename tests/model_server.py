"""A model behind an OpenAI-compatible address that does what a test says, however wrong that is."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Call:
    """One request to the model, to be answered by a script."""

    def __init__(self, handler: "BaseHTTPRequestHandler", body: dict[str, Any]) -> None:
        self.handler, self.body = handler, body
        self.messages: list[dict[str, str]] = body["messages"]
        self._has_begun = False

    @property
    def question(self) -> str:
        """What was asked last."""
        return self.messages[-1]["content"]

    def begin(self, content_type: str = "text/event-stream", status: int = 200, **headers: str) -> None:
        """Send the head. Without a length: the end of the answer is the end of the connection."""
        self._has_begun = True
        self.handler.send_response(status)
        for name, value in {"Content-Type": content_type, "Connection": "close", **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        if not self._has_begun:
            self.begin()
        self.handler.wfile.write(data)
        self.handler.wfile.flush()

    def say(self, text: str, *, finish_reason: str | None = None) -> None:
        """Send some words."""
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
        self.raw(
            b"data: "
            + json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [choice]}).encode()
            + b"\n\n"
        )

    def finish(self) -> None:
        """Say that this was all."""
        self.say("", finish_reason="stop")
        self.raw(b"data: [DONE]\n\n")


def speak(call: Call) -> None:
    """A model in good health."""
    call.say("A fine ")
    call.say("answer [1].")
    call.finish()


class ModelServer:
    """It runs while the block does."""

    def __init__(self, script: Callable[[Call], None] = speak) -> None:
        self.script = script
        self.calls: list[Call] = []
        self.in_flight, self.most_in_flight = 0, 0
        self.has_been_asked = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.close_connection = True
                outer.answer(Call(self, body))

            def log_message(self, *_args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 100

            def handle_error(self, *_args: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> "ModelServer":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def settings(self) -> dict[str, str]:
        """What a site needs to be answered by it."""
        return {
            "BYLINE_LLM_URL": self.url,
            "BYLINE_LLM_MODEL": "scripted",
            "BYLINE_LLM_API_KEY": "sk-a-key-of-the-owners-own",
        }

    def answer(self, call: Call) -> None:
        with self.has_been_asked:
            self.calls.append(call)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self.has_been_asked.notify_all()
        try:
            self.script(call)
        finally:
            with self.has_been_asked:
                self.in_flight -= 1
                self.has_been_asked.notify_all()

    def wait_for_calls(self, count: int) -> None:
        """Until so many were made."""
        with self.has_been_asked:
            assert self.has_been_asked.wait_for(lambda: len(self.calls) >= count, timeout=30)

    def wait_until_nobody_listens(self) -> None:
        """Until every call is over."""
        with self.has_been_asked:
            assert self.has_been_asked.wait_for(lambda: self.in_flight == 0, timeout=30)
