"""The pictures of a folder, taken in where a text shows them."""

import hashlib
from typing import IO

from auth.principal import Principal
from blog.media.queries import find_any, find_own
from blog.media.storing import MOST_FILE_BYTES, store
from blog.transfer import descriptions
from blog.transfer.descriptions import Description
from blog.transfer.folder import Folder, Missing, Unreadable
from blog.transfer.links import MEDIA, OUTSIDE, digests_in, incoming
from storage.engine import Database
from storage.files import Files
from web.errors import Invalid, Refusal


class Pictures:
    """Those of one folder. What cannot be taken in stays a link, with a note of why."""

    def __init__(self, database: Database, files: Files, folder: Folder, notes: list[tuple[str, str]]) -> None:
        self.new_count = 0
        self._database, self._files, self._folder, self._notes = database, files, folder, notes
        self._taken: dict[tuple[int | None, str], str] = {}  # by person and path
        self._said = self._read_descriptions()

    def take_in(self, body: str, path: str, *, by: Principal) -> str:
        """The text of the file at `path`, with the links to pictures as they are on the site."""
        told: set[str] = set()

        def note(target: str, sentence: str) -> None:
            if target not in told:
                told.add(target)
                self._notes.append((path, f"{target[:200]}: {sentence}"))

        def find(target: str, place: str) -> str:
            if place == OUTSIDE:
                note(target, "This leads out of the folder. It was not read.")
                return target
            try:
                return f"/media/{self._take(place, by=by)}"
            except Missing as fault:
                if not target.startswith("/"):  # such a one may be an address
                    note(target, str(fault))
            except Unreadable as fault:
                note(target, str(fault))
            except Invalid as refusal:
                note(target, " ".join(refusal.fields.values()))
            except Refusal as refusal:
                note(target, refusal.detail or refusal.title)
            return target

        text = incoming(body, path.rpartition("/")[0], find)
        for digest in self._missing(text):
            note(f"/media/{digest}", "There is no such picture here.")
        return text

    def _take(self, place: str, *, by: Principal) -> str:
        """The digest of the picture at that path. Raises Unreadable, and what `store` does."""
        if known := self._taken.get((by.user_id, place)):
            return known
        with self._folder.open(place) as stream:
            digest = self._known_digest(stream, by=by)
            if digest is None:
                stream.seek(0)
                folder, _, name = place.rpartition("/")
                said = self._said.get(name, Description()) if folder == MEDIA else Description()
                media, is_new = store(
                    self._database,
                    self._files,
                    stream,
                    name=said.label or name,
                    alt=said.alt,
                    is_decorative=said.is_decorative,
                    by=by,
                )
                digest = media.digest
                self.new_count += is_new
        self._taken[by.user_id, place] = digest
        return digest

    def _known_digest(self, stream: IO[bytes], *, by: Principal) -> str | None:
        """What was taken in before need not be decoded once more."""
        hashed, size = hashlib.sha256(), 0
        while part := stream.read(1024 * 1024):
            size += len(part)
            if size > MOST_FILE_BYTES:
                return None
            hashed.update(part)
        digest = hashed.hexdigest()
        with self._database.reading() as db:
            return digest if find_own(db, by=by, digest=digest) else None

    def _missing(self, text: str) -> list[str]:
        digests = digests_in(text)
        if not digests:
            return []
        with self._database.reading() as db:
            return [digest for digest in digests if find_any(db, digest) is None]

    def _read_descriptions(self) -> dict[str, Description]:
        try:
            return descriptions.read(self._folder.read(descriptions.PATH, most_bytes=descriptions.MOST_BYTES))
        except Missing:
            return {}
        except Unreadable as fault:
            self._notes.append((descriptions.PATH, str(fault)))
        except ValueError as error:
            self._notes.append((descriptions.PATH, f"This cannot be read: {error}."))
        return {}
