"""A model that speaks when it is prompted: an OpenAI-compatible server whose every piece a test lets out."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_END = None


class PromptedModel:
    """Serves `/chat/completions`; each answer is made of the pieces that are said, and over when it is ended."""

    def __init__(self) -> None:
        self.pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """What BYLINE_LLM_URL is set to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def say(self, *pieces: str) -> None:
        """Let these out, to whoever asks or will ask next."""
        for piece in pieces:
            self.pieces.put(piece)

    def end(self) -> None:
        """The answer is whole."""
        self.pieces.put(_END)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pieces = self.pieces

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                if asked["messages"][0]["content"].startswith("Rewrite"):
                    self._send(asked["messages"][-1]["content"])
                else:
                    while (piece := pieces.get()) is not _END:
                        self._send(piece)
                self._send("", finish_reason="stop")
                self.wfile.write(b"data: [DONE]\n\n")

            def _send(self, piece: str, *, finish_reason: str | None = None) -> None:
                choice = {"index": 0, "delta": {"content": piece}, "finish_reason": finish_reason}
                chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.flush()

            def log_message(self, *_arguments: Any) -> None:
                pass

        return Handler
