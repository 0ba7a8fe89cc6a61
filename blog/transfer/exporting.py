"""Posts into a folder: a Markdown file for each, and beside them all pictures, the series, and former tags."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from auth.permissions import Role
from auth.principal import Principal
from blog.posts.model import Post
from blog.posts.queries.lists import list_known
from blog.transfer import descriptions, former_tags, queries, series
from blog.transfer.descriptions import Description
from blog.transfer.fields import fields_of
from blog.transfer.folder import UNFINISHED, shown
from blog.transfer.front_matter import FrontMatterFault, write
from blog.transfer.links import ENDINGS, MEDIA, digests_in, outgoing
from storage import clock
from storage.engine import Database
from storage.errors import Full
from storage.files import Files
from web.cursors import Cursor
from web.errors import Conflict, NotFound

_AT_ONCE, _PICTURES_AT_ONCE = 50, 500
_EVERYTHING = Principal(role=Role.OWNER)  # the command line is the owner's


@dataclass
class Exported:
    """What was written."""

    post_count: int = 0
    pictures: dict[str, Description] = field(default_factory=dict)  # by name of the file
    notes: list[tuple[str, str]] = field(default_factory=list)  # file, and what is missing in it


def export_posts(
    database: Database, files: Files, target: Path, *, progress: Callable[[int], object] = lambda _step: None
) -> Exported:
    """Write every post that is not deleted, drafts too, every picture and series into `target`; or nothing of it.

    The same posts give the same bytes. Raises Conflict when something is there already, NotFound when the folder above
    is not, and Full.
    """
    exported = Exported()
    with _all_or_nothing(target) as folder:
        for posts, former in _pages(database):
            for post in posts:
                _export(database, files, folder, post, former.get(post.id, []), exported)
                progress(1)
        _export_rest(database, files, folder, exported)
        if exported.pictures:
            (folder / descriptions.PATH).write_bytes(descriptions.write(exported.pictures).encode())
    return exported


def check_target(target: Path) -> Path:
    """Where the folder is to be, without links on the way. Raises Conflict and NotFound."""
    place = Path(os.path.realpath(target))
    try:
        place.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Conflict(f"{shown(str(target))} cannot be made: {error.strerror}.") from error
    if not place.parent.is_dir():
        raise NotFound(f"There is no folder {shown(str(place.parent))} to make it in.")
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise Conflict(f"{shown(str(target))} is there already, and not empty. Name a folder that is not there yet.")
    return place


@contextmanager
def _all_or_nothing(target: Path) -> Iterator[Path]:
    """A folder beside `target` whose name says that it is unfinished, until the block has ended well."""
    place, begun = check_target(target), None
    try:
        begun = Path(tempfile.mkdtemp(prefix=f".{place.name[:50]}{UNFINISHED}", dir=place.parent))
        yield begun
        os.sync()
        try:
            begun.rename(place)
        except OSError:
            check_target(target)  # somebody was faster
            raise
        os.sync()
    except OSError as error:
        raise Full(f"{shown(str(target))} could not be written: {error.strerror}. Look for room and rights.") from error
    finally:
        if begun is not None:
            shutil.rmtree(begun, ignore_errors=True)


def _pages(database: Database) -> Iterator[tuple[list[Post], dict[str, list[str]]]]:
    """All posts with their former addresses, some at a time, so that no long reading holds the log back."""
    before = None
    while True:
        with database.reading() as db:
            posts = list_known(db, by=_EVERYTHING, at=clock.now(), limit=_AT_ONCE, before=before)
            former = queries.list_former_slugs(db, [post.id for post in posts])
        if not posts:
            return
        yield posts, former
        before = Cursor(posts[-1].created_at, posts[-1].id)


def _export(
    database: Database, files: Files, folder: Path, post: Post, former_slugs: list[str], exported: Exported
) -> None:
    name = f"{post.slug}.md"
    names = {}
    for digest, picture in _pictures_of(database, post).items():
        if not files.holds(digest):
            exported.notes.append((name, f"The file of /media/{digest} is gone."))
        else:
            names[digest] = _copy(files, folder, digest, picture, exported)
    try:
        text = write(fields_of(post, former_slugs), outgoing(post.body, names))
    except FrontMatterFault as fault:
        raise Conflict(f"“{post.title}” ({post.path}) cannot be written: {fault}") from fault
    with (folder / name).open("xb") as stream:
        stream.write(text.encode())
    exported.post_count += 1


def _export_rest(database: Database, files: Files, folder: Path, exported: Exported) -> None:
    """What belongs to no post, or to several: pictures that stand nowhere, series, what tags were called."""
    after = ""
    while True:
        with database.reading() as db:
            digests = queries.list_digests(db, limit=_PICTURES_AT_ONCE, after=after)
            pictures = queries.list_pictures(db, digests)
        if not digests:
            break
        after = digests[-1]
        for digest, picture in sorted(pictures.items()):
            if files.holds(digest):
                _copy(files, folder, digest, picture, exported)
            else:
                exported.notes.append((f"/media/{digest}", "The file of this picture is gone."))
    with database.reading() as db:
        found, former = queries.list_series(db), queries.list_former_tags(db)
    for path, text in ((series.PATH, series.write(found)), (former_tags.PATH, former_tags.write(former))):
        if text:
            (folder / path).write_bytes(text.encode())


def _copy(files: Files, folder: Path, digest: str, picture: queries.Picture, exported: Exported) -> str:
    """Put a picture into the folder, once; returns what its file is called there."""
    name = f"{digest}.{ENDINGS[picture.type]}"
    if name not in exported.pictures:
        (folder / MEDIA).mkdir(exist_ok=True)
        shutil.copyfile(files.path_of(digest), folder / MEDIA / name)
        words = picture.alt, picture.is_decorative, picture.label
        exported.pictures[name] = Description(*words, picture.owners)
    return name


def _pictures_of(database: Database, post: Post) -> dict[str, queries.Picture]:
    digests = digests_in(post.body)
    if not digests:
        return {}
    with database.reading() as db:
        return {
            digest: picture
            for begin in range(0, len(digests), _PICTURES_AT_ONCE)
            for digest, picture in queries.list_pictures(db, digests[begin : begin + _PICTURES_AT_ONCE]).items()
        }
