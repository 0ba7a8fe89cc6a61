"""What the others are measured against: the same answers from a bare function, under the same server.

`python -m bench.hello PROCESSES URL…` asks for each address once, prints its port, and gives those answers, header by
header and byte by byte, at the same paths.
"""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from web.server.supervisor import supervise

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def main() -> int:
    """Answer with the same bytes until told to stop."""
    processes, urls = int(sys.argv[1]), sys.argv[2:]
    answers = {}
    for url in urls:
        asked = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=10)
        headers = [field for field in asked.headers.items() if field[0].lower() not in ("date", "connection")]
        answers[urlsplit(url).path] = (headers, asked.content)

    def hello(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        headers, body = answers[environ["PATH_INFO"]]
        start_response("200 OK", list(headers))
        return [body]

    def make_app() -> "WSGIApplication":
        return hello

    return supervise(
        make_app, host="127.0.0.1", port=0, processes=processes, threads=16, announce=lambda _h, port: _say(port)
    )


def _say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
