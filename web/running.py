"""One start of the site: folder, database, secret, owner, then the processes that answer."""

import fcntl
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import structlog
from flask import Flask

from storage import sqlite
from storage.engine import Database
from storage.errors import Busy, Damaged, Full, SchemaNewer
from storage.folder import hold_folder, prepare_folder
from storage.jobs import Handler, Wait, work_off
from storage.upgrading import fold_log, upgrade
from web.logs import configure_logs
from web.metrics import FOLDER_VARIABLE
from web.server.supervisor import supervise
from web.settings import Settings, SettingsError
from web.signing import load_keys

log = structlog.get_logger()

_METRICS_PREFIX = "byline-metrics-"
# Counters are files that processes map; on a disk that is full, counting would kill them.
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder in it gets a name that nobody can know
# Of one web process. Most threads are for those who wait: for their turn to write, for events, or for an answer's next
# word. What waits costs nothing; streams leave some to others: `Places` bounds them. See `web.server.dispatcher`.
THREADS = 64
# Connections that read: for the thread that makes pages, for what takes long, and for three of the others.
READERS = 6
# What says by itself what is wrong, and needs no traceback.
_REFUSALS = (Busy, Damaged, Full, SchemaNewer, SettingsError)
# A container that is being replaced may still be finishing its answers.
_WAIT_FOR_FOLDER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found before the processes start."""

    setup_token: str | None  # of the link that makes the first owner; None: there is one
    unfinished_count: int  # operations that were announced and never concluded
    has_useless_token: bool = False  # the environment's: whoever is to have it is not here


def run_site(
    settings: Settings,
    *,
    prepare: Callable[[], Prepared],
    make_app: Callable[[Settings], Flask],
    begin: Callable[[Flask], Flask],
    jobs: Mapping[str, Handler],
    clean_line: Callable[[dict[str, Any]], dict[str, Any]],
) -> int:
    """Run until TERM or INT; returns the exit status.

    `prepare` makes the first owner, or the link that does; `make_app` makes what all processes share, once, before they
    are forked, and `begin` gives each of them what it has for itself; `jobs` are done in a process of their own;
    `clean_line` takes secrets out of a line of the log. Raises the storage floor's errors when the folder or the
    database cannot be used.
    """
    prepare_folder(settings.byline_instance)
    hold_folder(settings.byline_instance, wait_seconds=_WAIT_FOR_FOLDER_SECONDS)
    kept = upgrade(settings.database_path)
    if kept is not None:
        _say(f"The database was upgraded; {kept} is a copy of what it was before.")
    load_keys(settings)
    prepared = prepare()
    metrics_folder = _make_metrics_folder()
    os.environ[FOLDER_VARIABLE] = metrics_folder
    configure_logs(clean_line)
    has_jobs_aside = sqlite.allows_many_writers()
    try:
        app = _make(make_app, settings)
        if app is None:
            return 1
        return supervise(
            lambda: begin(app) if has_jobs_aside else _with_jobs(begin(app), jobs),
            host=settings.host,
            port=settings.port,
            processes=_process_count(settings),
            threads=THREADS,
            announce=lambda _host, port: _announce(settings, port, prepared),
            refusals=_REFUSALS,
            aside=partial(_do_jobs, settings, jobs) if has_jobs_aside else None,
        )
    finally:
        fold_log(settings.database_path)
        shutil.rmtree(metrics_folder, ignore_errors=True)


def _make(make_app: Callable[[Settings], Flask], settings: Settings) -> Flask | None:
    """The application; None when it could not be made, which is said then."""
    try:
        return make_app(settings)
    except _REFUSALS:
        raise
    except Exception as error:
        log.exception("application could not be made")
        sys.stderr.write(f"{str(error) or type(error).__name__}\n")
        return None


def _do_jobs(settings: Settings, jobs: Mapping[str, Handler], wait: Wait) -> None:
    database = Database(settings.database_path, readers=1)
    try:
        work_off(database, jobs, wait)
    finally:
        database.close()


def _with_jobs(app: Flask, jobs: Mapping[str, Handler]) -> Flask:
    """Where one process alone may write, the jobs are done in it, through its writing connection."""
    work = partial(work_off, app.extensions["database"], jobs, threading.Event().wait)
    threading.Thread(target=work, name="jobs", daemon=True).start()
    return app


def _make_metrics_folder() -> str:
    """A folder for this run's counters, held as long as one of its processes lives.

    Those that nobody holds were left behind by servers that were killed, and are removed.
    """
    parent = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for left in parent.glob(f"{_METRICS_PREFIX}*"):
        descriptor = _hold(left)
        if descriptor is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(descriptor)
    # Under another name until it is held, or a server that starts at the same time would take it for a leftover.
    unheld = Path(tempfile.mkdtemp(prefix="byline-starting-", dir=parent))
    _hold(unheld)
    return str(unheld.rename(unheld.with_name(unheld.name.replace("byline-starting-", _METRICS_PREFIX))))


def _hold(folder: Path) -> int | None:
    """The descriptor that holds a folder for this process and its children; None when it is somebody else's."""
    descriptor = None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor


def _process_count(settings: Settings) -> int:
    wanted = settings.web_concurrency or os.cpu_count() or 1
    if wanted > 1 and not sqlite.allows_many_writers():
        _say(
            f"One web process is used: SQLite {sqlite.version()} can damage a database that several processes write "
            f"to (fixed in {'.'.join(map(str, sqlite.SAFE_FOR_MANY_WRITERS))})."
        )
        return 1
    return wanted


def _announce(settings: Settings, port: int, prepared: Prepared) -> None:
    address = settings.byline_url or f"http://localhost:{port}"
    _say(f"Byline is at {address}")
    if settings.byline_url is None:
        _say("BYLINE_URL is not set: any host name is served, and links begin with the address above.")
    if prepared.setup_token is not None:
        _say(f"Nobody runs this site yet. Make its owner, once, at {address}/setup/{prepared.setup_token}")
    if prepared.has_useless_token:
        _say("BYLINE_API_TOKEN opens nothing: BYLINE_ADMIN_USERNAME names nobody who is here.")
    if prepared.unfinished_count:
        _say(
            f"Announced and never concluded: {prepared.unfinished_count}. Nothing is run again by itself; see "
            f"{address}/admin/unfinished, or `byline log orphans`."
        )


def _say(sentence: str) -> None:
    click.echo(sentence, file=sys.stdout)
    sys.stdout.flush()
