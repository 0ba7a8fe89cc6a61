"""The commands about the log."""

import json
import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from eventlog.actors import command_line
from eventlog.events import LOG_EXPORTED
from eventlog.ledger.announcing import operation, orphan_intents
from eventlog.log.appending import append_event
from eventlog.log.encoding import encode_event
from eventlog.log.exporting import Level, Wanted, export_log
from eventlog.log.following import events_since
from eventlog.log.queries import last_link
from eventlog.log.verifying import verify
from eventlog.retention.applying import apply_retention, retain
from storage import clock
from web.command import open_site, sentences
from web.database import current_database, reading, transaction
from web.site.queries import read_site

_TAIL = 20
_FOLLOW_SECONDS = 0.5


@click.group()
@click.pass_context
def log(context: click.Context) -> None:
    """The event log: tail, verify, export, retain, orphans."""
    open_site(context)


@log.command("tail")
@click.option("--follow", is_flag=True, help="Go on with what is recorded from now on.")
@sentences
def tail(follow: bool) -> None:
    """The newest events, one escaped line each."""
    with reading() as db:
        newest = last_link(db)
    seen = max(0, (newest[0] if newest else 0) - _TAIL)
    while True:
        with reading() as db:
            events = events_since(db, None, seen, 0)
        for event in events:
            click.echo(_escaped(encode_event(event)))
            seen = event.id
        if not follow:
            return
        time.sleep(_FOLLOW_SECONDS)


@log.command("verify")
@click.option("--head", metavar="DIGEST", help="A head that you kept elsewhere: it must stand in the chain.")
@sentences
def verify_chain(head: str | None) -> None:
    """Walk the chain of digests and print its head. It shows edits to whoever kept a head elsewhere, and no more."""
    with reading() as db:
        newest = last_link(db)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Verifying", total=newest[0] if newest else 0)
        known_head = head.lower() if head else None
        verdict = verify(current_database(), known_head=known_head, progress=lambda step: bar.advance(task, step))
    if verdict.fault is not None:
        raise click.ClickException(f"The chain is broken: {verdict.fault}")
    if not verdict.has_known_head:
        raise click.ClickException("The chain holds by itself, but the head that you kept does not stand in it.")
    emptied = f", {verdict.emptied_count} of them emptied by retention" if verdict.emptied_count else ""
    click.echo(f"{verdict.head}\t{verdict.event_count} events{emptied}")


@log.command("export")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--level", type=click.Choice([level.value for level in Level]), required=True, help="How much it tells.")
@click.option("--session", "session_id", metavar="ID", help="One session only.")
@sentences
def export(path: Path, level: str, session_id: str | None) -> None:
    """Write the log into a zip."""
    by, database = command_line(), current_database()
    with reading() as db:
        profile = read_site(db).name
        newest = last_link(db)
    about = {"level": level, "session": session_id}
    wanted = Wanted(Level(level), profile, session_id)
    announced = operation(database, "log.export", by=by, payload=about, is_mutating=False)
    with announced, Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Exporting", total=newest[0] if newest and session_id is None else None)
        count = export_log(database, path, wanted, progress=lambda step: bar.advance(task, step))
        # Before it is concluded: who is stopped in between leaves a question.
        with transaction() as db:
            append_event(db, LOG_EXPORTED, by=by, payload={**about, "count": count})
    click.echo(f"Wrote {count} events.")


@log.command("retain")
@click.option("--ttl", "days", type=click.IntRange(1, 36_500), required=True, help="Days that payloads are kept.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@sentences
def retain_log(days: int, dry_run: bool) -> None:
    """Empty the payloads of older events; their envelopes stay."""
    database = current_database()
    waiting = apply_retention(database, days, is_dry_run=True)
    if dry_run:
        click.echo(f"{waiting} payloads are older than {days} days and would be emptied.")
        return
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Emptying", total=waiting)
        count, is_gone = retain(database, days, by=command_line(), progress=lambda step: bar.advance(task, step))
    click.echo(f"Emptied {count} payloads.")
    if not is_gone:
        click.echo("Somebody reads an older state: the write-ahead log still holds them. Run this again later.")
    copies = sorted(path.name for path in database.path.parent.glob(f"{database.path.name}*before-*"))
    listed = f" and these copies in the data folder: {', '.join(copies)}" if copies else ""
    click.echo(f"Backups made before {clock.to_rfc3339(clock.now())} still hold them{listed}.")


@log.command("orphans")
@sentences
def list_orphans() -> None:
    """Operations that were announced and never concluded, one a line."""
    with reading() as db:
        intents = orphan_intents(db)
    for intent in intents:
        fields = (intent.call_id, intent.operation, intent.session_id, clock.to_rfc3339(intent.recorded_at))
        click.echo("\t".join(fields))


def _escaped(line: str) -> str:
    """What a terminal could take for a command is written out."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
