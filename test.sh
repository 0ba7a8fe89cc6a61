#!/bin/sh
# Set up what tests need, Chromium included, and run everything that is checked. `--soak` adds the long kills; other
# arguments go to pytest.
set -eu
cd "$(dirname "$0")"
. ./setup.sh
set_up requirements-test.txt

# Real peers: a browser, a proxy, a reader of feeds. Without the last two, the tests that need them are skipped; since
# nginx would begin to run, they are installed on machines of CI alone.
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
has_browser() { has chromium-headless-shell || has chromium || has chromium-browser; }
missing=""
has_browser || missing="browser"
if [ -n "${CI:-}" ]; then
    has nginx || missing="$missing nginx-light"
    has newsboat || missing="$missing newsboat"
fi
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq
        # Without windows of its own it is lighter; not every system has it.
        browser=chromium-headless-shell
        apt-cache show "$browser" >/dev/null 2>&1 || browser=chromium
        missing=$(echo "$missing" | sed "s/browser/$browser/")
        say "Installing for the tests: $missing …"
        # shellcheck disable=SC2086 # several names
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
    elif ! has_browser && ! .venv/bin/playwright install chromium >&2; then
        say "Chromium could not be installed: install the package \`chromium\` of your system, and run this again."
        exit 1
    fi
fi

say "Style, floors, types …"
.venv/bin/ruff check --quiet .
.venv/bin/ruff format --quiet --check .
.venv/bin/lint-imports >/dev/null || { .venv/bin/lint-imports; exit 1; }
.venv/bin/mypy --no-error-summary
exec .venv/bin/pytest -q -n 3 --dist worksteal "$@"
