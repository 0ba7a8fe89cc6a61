"""The pictures of a folder, taken in for those who had them, or for whoever's text shows them."""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import IO

from auth.principal import Principal
from blog.media.queries import find_any, find_own
from blog.media.storing import MOST_FILE_BYTES, store
from blog.transfer import descriptions
from blog.transfer.descriptions import Description
from blog.transfer.folder import Folder, Missing, Unreadable
from blog.transfer.links import MEDIA, OUTSIDE, digests_in, incoming, resolve
from storage.engine import Database
from storage.files import Files
from web.errors import Invalid, Refusal


class Pictures:
    """Those of one folder. What cannot be taken in stays a link, with a note of why."""

    def __init__(
        self,
        database: Database,
        files: Files,
        folder: Folder,
        notes: list[tuple[str, str]],
        find_person: Callable[[str], Principal | None],
    ) -> None:
        self.new_count = 0
        self._database, self._files, self._folder, self._notes = database, files, folder, notes
        self._find_person = cache(find_person)  # asked for every link
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
            found = self._try(place, self._people_of(place) or [by])
            # What begins with a slash and is not there may be an address.
            if not isinstance(found, str) and not (isinstance(found, Missing) and target.startswith("/")):
                note(target, _sentence(found))
            return f"/media/{found}" if isinstance(found, str) else target

        text = incoming(body, path.rpartition("/")[0], find)
        for digest in self._missing(text):
            note(f"/media/{digest}", "There is no such picture here.")
        return text

    def take_rest(self, *, fallback: Principal | None) -> None:
        """Those that are described and that no text has shown, for whoever had them."""
        shown = {place for _person, place in self._taken}
        for name in sorted(self._said):
            place = f"{MEDIA}/{name}"
            if place in shown:
                continue
            people = self._people_of(place) or ([] if fallback is None else [fallback])
            if resolve(place, "") != place:
                self._notes.append((place[:200], "This is no name of a picture in this folder. It was not read."))
            elif not people:
                self._notes.append((place, "Nobody who had it is here. Say whose it is to be: --author NAME."))
            elif not isinstance(found := self._try(place, people), str):
                self._notes.append((place, _sentence(found)))

    def _try(self, place: str, people: list[Principal]) -> str | Unreadable | Refusal:
        """The digest of the picture at that path, once everybody has it; or why somebody cannot."""
        try:
            digests = [self._take(place, by=person) for person in people]
        except (Unreadable, Refusal) as fault:
            return fault
        return digests[0]

    def _people_of(self, place: str) -> list[Principal]:
        """Those who had the picture, as far as they are here."""
        said = self._said_of(place)
        return [person for name in said.owners if (person := self._find_person(name)) is not None]

    def _said_of(self, place: str) -> Description:
        folder, _, name = place.rpartition("/")
        return self._said.get(name, Description()) if folder == MEDIA else Description()

    def _take(self, place: str, *, by: Principal) -> str:
        """The digest of the picture at that path. Raises Unreadable, and what `store` does."""
        if known := self._taken.get((by.user_id, place)):
            return known
        with self._folder.open(place) as stream:
            digest = self._known_digest(stream, by=by)
            if digest is None:
                stream.seek(0)
                said = self._said_of(place)
                media, is_new = store(
                    self._database,
                    self._files,
                    stream,
                    name=said.label or place.rpartition("/")[2],
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


def _sentence(fault: Unreadable | Refusal) -> str:
    if isinstance(fault, Invalid):
        return " ".join(fault.fields.values())
    return (fault.detail or fault.title) if isinstance(fault, Refusal) else str(fault)
