# The environment in .venv: made when it is missing, brought up to date when the lock has changed. Sourced by
# serve.sh and test.sh.

say() { printf '%s\n' "$*" >&2; }

# A Python that is new enough, by any of its names.
find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$name"
            return
        fi
    done
}

# set_up LOCK: let .venv hold what the lock names, and our own `byline` command.
set_up() {
    lock=$1
    stamp=.venv/installed-$lock
    current=$(cat "$lock" pyproject.toml | cksum)
    if [ -x .venv/bin/byline ] && [ "$(cat "$stamp" 2>/dev/null)" = "$current" ]; then
        return
    fi
    python=$(find_python)
    if command -v uv >/dev/null 2>&1; then
        say "Setting up the environment in .venv with uv …"
        [ -x .venv/bin/python ] || uv venv --quiet --python '>=3.11' .venv
        uv pip install --python .venv/bin/python --require-hashes -r "$lock" >&2
        uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e . >&2
    elif [ -n "$python" ]; then
        say "Setting up the environment in .venv; the first time takes a minute …"
        [ -x .venv/bin/python ] || "$python" -m venv .venv
        .venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r "$lock" >&2
        .venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e . >&2
    else
        say "Byline needs Python 3.11 or newer with the venv module (on Debian: apt install python3-venv), or uv."
        exit 1
    fi
    printf '%s' "$current" >"$stamp"
}
