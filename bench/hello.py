"""What the others are measured against: the bytes of a file from a bare function, under the same server.

`python -m bench.hello FILE PROCESSES` prints its port.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from web.server.supervisor import supervise

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def main() -> int:
    """Answer everything with the same bytes until told to stop."""
    body, processes = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]

    def hello(_environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response("200 OK", headers)
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
