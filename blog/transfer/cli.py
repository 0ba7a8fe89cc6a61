"""The commands that take posts out and in."""

import os
import sys
from pathlib import Path

import click
from flask import current_app
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from blog.posts.surroundings import own_host_of
from blog.transfer.exporting import check_target, export_posts
from blog.transfer.folder import Folder, shown
from blog.transfer.importing import Wanted, import_posts
from blog.transfer.queries import count_posts
from eventlog.actors import command_line
from eventlog.ledger.announcing import operation
from web.command import open_site, sentences
from web.database import current_database, reading

_PATH = click.Path(path_type=Path)
_EXPORT, _IMPORT = "posts.export", "posts.import"


@click.group()
@click.pass_context
def posts(context: click.Context) -> None:
    """Posts and their pictures: export, import."""
    open_site(context)


@posts.command("export")
@click.argument("path", type=_PATH)
@sentences
def export(path: Path) -> None:
    """Write every post, drafts too, every picture and series into a new folder of Markdown files."""
    database, files = current_database(), current_app.extensions["media_files"]
    about = {"path": shown(str(check_target(path)))}
    with reading() as db:
        count = count_posts(db)
    with operation(database, _EXPORT, by=command_line(), payload=about, is_mutating=False), _progress() as bar:
        task = bar.add_task("Exporting", total=count)
        exported = export_posts(database, files, path, progress=lambda step: bar.advance(task, step))
    _tell("Missing", exported.notes)
    click.echo(f"Wrote {exported.post_count} posts and {len(exported.pictures)} pictures. Drafts are among them.")


@posts.command("import")
@click.argument("path", type=_PATH)
@click.option("--author", metavar="NAME", help="Whose the posts are that name nobody, or nobody who is here.")
@sentences
def import_folder(path: Path, author: str | None) -> None:
    """Take in every Markdown file below a folder, and the pictures, series and former tags that come with them."""
    database, files = current_database(), current_app.extensions["media_files"]
    place = Path(os.path.realpath(path))
    folder, by = Folder(place), command_line()
    wanted = Wanted(by, author, own_host_of(current_app.extensions["settings"].base_url))
    about = {"path": shown(str(place))}
    with operation(database, _IMPORT, by=by, payload=about), _progress() as bar:
        task = bar.add_task("Importing", total=None)
        imported = import_posts(
            database,
            files,
            folder,
            wanted,
            begin=lambda count: bar.update(task, total=count),
            progress=lambda step: bar.advance(task, step),
        )
    _tell("Missing", imported.notes)
    _tell("Not imported", imported.faults)
    click.echo(
        f"{imported.made_count} posts are new, {imported.changed_count} have a new revision, "
        f"{imported.same_count} were the same; {imported.picture_count} pictures are new."
    )
    if imported.faults:
        click.echo(f"Error: {len(imported.faults)} were not imported; they are named above.", err=True)
        sys.exit(1)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


def _tell(heading: str, found: list[tuple[str, str]]) -> None:
    for name, sentence in found:
        click.echo(f"{heading}: {shown(name)}: {shown(sentence)}", err=True)
