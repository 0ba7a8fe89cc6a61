#!/bin/sh
# Set up what tests need, Chromium included, and run everything that is checked. `--soak` adds the long kills; other
# arguments go to pytest.
set -eu
cd "$(dirname "$0")"
. ./setup.sh
set_up requirements-test.txt

if ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1; then
    say "Installing Chromium for the browser tests …"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null
    elif ! .venv/bin/playwright install chromium >&2; then
        say "Chromium could not be installed: install the package \`chromium\` of your system, and run this again."
        exit 1
    fi
fi

say "Style, floors, types …"
.venv/bin/ruff check --quiet .
.venv/bin/ruff format --quiet --check .
.venv/bin/lint-imports >/dev/null || { .venv/bin/lint-imports; exit 1; }
.venv/bin/mypy --no-error-summary
exec .venv/bin/pytest -q -n 2 --dist worksteal "$@"
