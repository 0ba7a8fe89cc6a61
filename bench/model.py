"""A model that says what it was told to, word by word: an OpenAI-compatible server for streams of a known length.

`python -m bench.model WORDS MILLISECONDS` prints its port; each answer has so many words, so far apart.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_WORDS, _PAUSE = int(sys.argv[1]) if len(sys.argv) > 2 else 1, int(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0


class _Handler(BaseHTTPRequestHandler):
    """One answer for every connection."""

    def do_POST(self) -> None:
        """Any question."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for number in range(_WORDS):
                time.sleep(_PAUSE)
                self._say(f"word {number} ", None)
            self._say("", "stop")
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            return  # the reader has gone

    def log_message(self, *_args: object) -> None:
        """Nothing is written down."""

    def _say(self, text: str, reason: str | None) -> None:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
        chunk = {"id": "a", "object": "chat.completion.chunk", "created": 0, "model": "bench", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main() -> None:
    """Answer until told to stop."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
