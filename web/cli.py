"""The commands of whoever looks after the place: settings, doctor."""

import time

import click

from storage import clock, sqlite
from storage.errors import Busy, Damaged, FolderUnusable, Full, SchemaNewer
from storage.folder import prepare_folder
from storage.upgrading import head, revision_of
from web.command import sentences
from web.settings import Settings, load_settings
from web.signing import SECRET_FILE


@click.command("settings")
@sentences
def show_settings() -> None:
    """Every setting, what it is now, and what it means. Secrets are not shown."""
    settings = load_settings()
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        shown = "(not set)" if value in (None, ()) else _shown(value)
        click.echo(f"{name.upper()} = {shown}\n    {field.description}")


@click.command()
@sentences
def doctor() -> None:
    """Look at what often goes wrong. Exit status 1 when something needs attention."""
    settings = load_settings()
    findings = [_check_sqlite(), _check_folder(settings), _check_schema(settings), _check_clock()]
    findings += [_say_secret(settings), _say_proxies(settings), _say_address(settings)]
    for is_good, text in findings:
        click.echo(f"{'ok  ' if is_good else 'BAD '} {text}")
    if not all(is_good for is_good, _text in findings):
        raise click.exceptions.Exit(1)


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
