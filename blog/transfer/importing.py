"""A folder of Markdown files into posts: each one whole or not at all, and the others whatever is wrong with one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from auth.permissions import Role
from auth.principal import Principal
from auth.users.queries import find_user
from blog.posts.content import prepare
from blog.posts.model import Post
from blog.posts.queries import finding
from blog.posts.surroundings import surroundings_of
from blog.transfer import former_tags, series
from blog.transfer.fields import Incoming, read_fields
from blog.transfer.folder import Folder, Missing, Unreadable
from blog.transfer.front_matter import LONGEST_BODY, LONGEST_FIELDS, FrontMatterFault, parse
from blog.transfer.pictures import Pictures
from blog.transfer.placing import check_slug, keep_former_slugs, place
from blog.transfer.queries import SeriesLine
from eventlog.actors import Actor
from storage import clock
from storage.engine import Database
from storage.files import Files
from web.errors import Conflict, Gone, Invalid, NotFound, Refusal
from web.site.queries import read_site

_Found = TypeVar("_Found")
_MOST_BYTES = LONGEST_FIELDS + LONGEST_BODY * 4


@dataclass
class Imported:
    """What became of the files."""

    made_count: int = 0
    changed_count: int = 0
    same_count: int = 0
    picture_count: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)  # file, and why it was not imported
    notes: list[tuple[str, str]] = field(default_factory=list)  # file, and what is missing in the post

    def count(self, before: Post | None, post: Post) -> None:
        """One file more that was taken in."""
        self.made_count += before is None
        self.changed_count += before is not None and before.version != post.version
        self.same_count += before is not None and before.version == post.version


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an import is told beside the folder."""

    by: Actor
    fallback_author: str | None = None  # of files that name nobody, or nobody who is here
    own_host: str | None = None


def import_posts(
    database: Database,
    files: Files,
    folder: Folder,
    wanted: Wanted,
    *,
    begin: Callable[[int], object] = lambda _count: None,
    progress: Callable[[int], object] = lambda _step: None,
) -> Imported:
    """Take every Markdown file of the folder in. `begin` is told how many there are, `progress` each that is done.

    Raises NotFound when the fallback author is nobody here, Conflict for too many files.
    """
    importer = _Importer(database, files, folder, wanted)
    paths, faults = folder.list_files()
    importer.imported.faults += faults
    begin(len(paths))
    for path in paths:
        with importer.named(path):
            importer.take(path)
        progress(1)
    importer.take_rest()
    importer.imported.picture_count = importer.pictures.new_count
    return importer.imported


class _Importer:
    def __init__(self, database: Database, files: Files, folder: Folder, wanted: Wanted) -> None:
        self.imported = Imported()
        self._database, self._folder, self._wanted = database, folder, wanted
        self._seen: dict[str, str] = {}
        with database.reading() as db:
            self._zone = ZoneInfo(read_site(db).time_zone)
            if wanted.fallback_author is not None and self._find_author(db, wanted.fallback_author) is None:
                raise NotFound(f"There is nobody named {wanted.fallback_author}.")
        self.pictures = Pictures(database, files, folder, self.imported.notes, self._find_person)

    def take(self, path: str) -> None:
        """One file."""
        text = self._folder.read(path, most_bytes=_MOST_BYTES).decode("utf-8-sig")
        fields, body = parse(text)
        incoming = read_fields(fields, path, zone=self._zone, now=clock.now())
        if (other := self._seen.setdefault(incoming.post_id, path)) != path:
            raise Conflict(f"This is the same post as {other}, by its id.")
        with self._database.reading() as db:
            current = finding.find_post(db, post_id=incoming.post_id)
            author = self._author_of(db, incoming, current)
            check_slug(db, incoming)
        if current is not None and current.deleted_at is not None:
            raise Gone("This post was deleted here. Take it out of the bin first, or take the id out of the file.")
        # Before anything is stored for it, and with the links as they are.
        prepare(incoming.changes | {"body": ""}, current=current)
        body = self.pictures.take_in(body, path, by=author)
        changes = incoming.changes | {"body": body}
        with self._database.reading() as db:
            around = surroundings_of(db, body, author_id=author.user_id, own_host=self._wanted.own_host)
        content = prepare(changes, current=current, surroundings=around)
        with self._database.transaction() as db:
            post = place(db, incoming, content, current, author=author)
            lost = keep_former_slugs(db, incoming, post)
        self.imported.count(current, post)
        self.imported.notes += [(path, f"Its former address {slug} is another post's.") for slug in lost]

    def take_rest(self) -> None:
        """What is beside the posts: pictures that none of them shows, series, what tags were called."""
        self.pictures.take_rest(fallback=self._find_person(self._wanted.fallback_author or ""))
        with self.named(series.PATH):
            for line in self._read_beside(series.PATH, series.read, series.MOST_BYTES) or []:
                with self.named(series.PATH):
                    self._take_series(line)
        with self.named(former_tags.PATH):
            found = self._read_beside(former_tags.PATH, former_tags.read, former_tags.MOST_BYTES) or {}
            for former, present in found.items():
                with self._database.transaction() as db:
                    is_kept = former_tags.take_in(db, former, present, by=self._wanted.by)
                if not is_kept:
                    self.imported.notes.append((former_tags.PATH, f"“{former}” is a tag of its own here."))

    @contextmanager
    def named(self, path: str) -> Iterator[None]:
        """What cannot be taken in is named with its fault, and the others go on."""
        faults = self.imported.faults
        try:
            yield
        except UnicodeDecodeError as error:
            faults.append((path, f"This is not UTF-8 (byte {error.start + 1:,}). Convert it first."))
        except (Unreadable, FrontMatterFault) as fault:
            faults.append((path, str(fault)))
        except Invalid as refusal:
            faults.append((path, " ".join(f"{name}: {sentence}" for name, sentence in refusal.fields.items())))
        except Refusal as refusal:
            faults.append((path, refusal.detail or refusal.title))

    def _take_series(self, line: SeriesLine) -> None:
        by = self._find_person(line.author) or self._find_person(self._wanted.fallback_author or "")
        if by is None:
            raise Conflict(f"The author of {line.slug} is nobody here. Say whose it is to be: --author NAME.")
        with self._database.transaction() as db:
            lost = series.take_in(db, line, by=by)
        self.imported.notes += [(series.PATH, sentence) for sentence in lost]

    def _read_beside(self, path: str, read: Callable[[bytes], _Found], most_bytes: int) -> _Found | None:
        try:
            return read(self._folder.read(path, most_bytes=most_bytes))
        except Missing:
            return None
        except ValueError as error:
            raise Unreadable(f"This cannot be read: {error}.") from error

    def _find_person(self, name: str) -> Principal | None:
        with self._database.reading() as db:
            return self._find_author(db, name)

    def _author_of(self, db: sa.Connection, incoming: Incoming, current: Post | None) -> Principal:
        """Whose post it is; one that is there stays with whom it belongs to."""
        names = [current.author_username] if current is not None else [incoming.author, self._wanted.fallback_author]
        for name in names:
            if name is not None and (found := self._find_author(db, name)) is not None:
                return found
        named = f"Its author {incoming.author!r} is nobody here" if incoming.author else "It names no author"
        raise Conflict(f"{named}. Say whose it is to be: --author NAME.")

    def _find_author(self, db: sa.Connection, name: str) -> Principal | None:
        """Somebody as the command line acts for them: it may do everything, and the log says that it did it."""
        user = find_user(db, name.strip().lower())
        if user is None or user.deleted_at is not None:
            return None
        by = self._wanted.by
        return Principal(user.id, by.log_name, user.display_name, Role.OWNER, session_id=by.log_session)
