"""The site without its short cut: the page cache as a WSGI layer alone, under the same server.

`python -m bench.site PROCESSES` prints its port; the environment says which data folder.
"""

import sys
from typing import TYPE_CHECKING

from app import begin, make_site
from web.server.supervisor import supervise
from web.settings import load_settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def main() -> int:
    """Answer until told to stop."""
    # Before the processes are forked, as `byline serve` does it.
    app = make_site(load_settings())

    def make_app() -> "WSGIApplication":
        # The layers have no `at_once`.
        return begin(app).wsgi_app

    return supervise(
        make_app, host="127.0.0.1", port=0, processes=int(sys.argv[1]), threads=16, announce=lambda _h, port: _say(port)
    )


def _say(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
