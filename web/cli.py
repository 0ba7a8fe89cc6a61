"""The commands of whoever looks after the place: settings, doctor."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from storage import clock, sqlite
from storage.engine import Database
from storage.errors import Busy, Damaged, FolderUnusable, Full, SchemaNewer
from storage.folder import prepare_folder
from storage.upgrading import head, is_current, revision_of
from web.command import sentences
from web.settings import Settings, SettingsError, load_settings
from web.signing import SECRET_FILE

# What it finds, each good or bad, with its sentence.
Look = Callable[[Database, Settings], list[tuple[bool, str]]]
# Told how much is done, of how much.
Progress = Callable[[int, int], object]


class Part(NamedTuple):
    """A part of the database that can be checked, and made anew from the rest."""

    name: str
    check: Callable[[Database, Progress], tuple[bool, str]]
    rebuild: Callable[[Database, Progress], None]


@click.command("settings")
@sentences
def show_settings() -> None:
    """Every setting, what it is now, and what it means. Secrets are not shown."""
    settings = load_settings()
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        shown = "(not set)" if value in (None, ()) else _shown(value)
        click.echo(f"{name.upper()} = {shown}\n    {field.description}")


def make_doctor(*parts: Part, looks: Sequence[Look] = ()) -> click.Command:
    """The command that looks at the place, and at those parts of the database; `--rebuild-NAME` makes one anew.

    `looks`: what else of the database there is to say something about.
    """

    @click.command()
    @sentences
    def doctor(**rebuild: bool) -> None:
        """Look at what often goes wrong. Exit status 1 when something needs attention."""
        settings = load_settings()
        schema = _check_schema(settings)
        findings = [_check_sqlite(), _check_folder(settings), schema, _check_clock()]
        findings += [_say_secret(settings), _say_proxies(settings), _say_address(settings)]
        for finding in findings:
            _say(finding)
        if schema[0] and settings.database_path.exists() and is_current(settings.database_path):
            for look in looks:
                for finding in _look(look, settings):
                    findings.append(finding)
                    _say(finding)
            for part in parts:
                findings.append(_look_at(part, settings, is_rebuilt=rebuild[f"rebuild_{part.name}"]))
                _say(findings[-1])
        elif any(rebuild.values()):
            raise click.ClickException("There is no database of this version to rebuild it in.")
        if not all(is_good for is_good, _text in findings):
            raise click.exceptions.Exit(1)

    for part in parts:
        doctor = click.option(f"--rebuild-{part.name}", is_flag=True, help=f"Make the {part.name} index anew.")(doctor)
    return doctor


def _say(finding: tuple[bool, str]) -> None:
    click.echo(f"{'ok  ' if finding[0] else 'BAD '} {finding[1]}")


def _look(look: Look, settings: Settings) -> list[tuple[bool, str]]:
    database = Database(settings.database_path, readers=1)
    try:
        return look(database, settings)
    except (Busy, Damaged, Full, SettingsError) as error:
        return [(False, str(error))]
    finally:
        database.close()


def _look_at(part: Part, settings: Settings, *, is_rebuilt: bool) -> tuple[bool, str]:
    database = Database(settings.database_path, readers=1)
    try:
        if is_rebuilt:
            with _bar(f"Rebuilding: {part.name}") as progress:
                part.rebuild(database, progress)
        with _bar(f"Checking: {part.name}") as progress:
            return part.check(database, progress)
    except (Busy, Damaged, Full) as error:
        return False, str(error)
    finally:
        database.close()


@contextmanager
def _bar(label: str) -> Iterator[Progress]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, count: bar.update(task, completed=done, total=count)


def _shown(value: object) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def _check_sqlite() -> tuple[bool, str]:
    if sqlite.allows_many_writers():
        return True, f"SQLite {sqlite.version()}"
    return True, f"SQLite {sqlite.version()} is too old for several processes: one web process is used"


def _check_folder(settings: Settings) -> tuple[bool, str]:
    try:
        prepare_folder(settings.byline_instance)
    except FolderUnusable as error:
        return False, str(error)
    return True, f"The data folder {settings.byline_instance.absolute()} can be written"


def _check_schema(settings: Settings) -> tuple[bool, str]:
    if not settings.database_path.exists():
        return True, "There is no database yet: the first start makes it"
    try:
        revision = revision_of(settings.database_path)
    except (Busy, Damaged, Full, SchemaNewer) as error:
        return False, str(error)
    waiting = "" if revision == head() else f"; the next start upgrades it to {head()}"
    return True, f"The database is whole, schema {revision}{waiting}"


def _check_clock() -> tuple[bool, str]:
    year = time.gmtime().tm_year
    return year >= 2026, f"The clock says {clock.to_rfc3339(clock.now())}"


def _say_secret(settings: Settings) -> tuple[bool, str]:
    if settings.secret_key is not None:
        return True, f"The signing secret comes from SECRET_KEY, with {len(settings.secret_key_fallbacks)} older ones"
    path = settings.byline_instance / SECRET_FILE
    if not path.exists():
        return True, "The first start generates the signing secret"
    is_private = path.stat().st_mode & 0o077 == 0
    return is_private, f"The signing secret is {path}" + ("" if is_private else ", which others can read: chmod 600")


def _say_proxies(settings: Settings) -> tuple[bool, str]:
    if not settings.byline_trusted_proxies:
        return True, "No proxy is trusted: forwarding headers are ignored (BYLINE_TRUSTED_PROXIES)"
    return True, f"Forwarding headers count from {_shown(settings.byline_trusted_proxies)}"


def _say_address(settings: Settings) -> tuple[bool, str]:
    if settings.byline_url is None:
        return True, f"BYLINE_URL is not set: any host is served, and links say {settings.base_url}"
    return True, f"The public address is {settings.byline_url}"
