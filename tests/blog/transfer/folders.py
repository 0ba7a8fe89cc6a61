"""What the tests of export and import share."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blog.media.storing import store
from blog.transfer.exporting import Exported, export_posts
from blog.transfer.folder import Folder
from blog.transfer.importing import Imported, Wanted, import_posts
from eventlog.actors import command_line
from storage.files import Files
from tests.support import SECRET, Site, make_site
from web.settings import load_settings


class Template:
    """Sites with the whole cast and nothing else, as many as are needed."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0
        make_site(folder / "template").close()

    @contextmanager
    def site(self) -> Iterator[Site]:
        """One of them, gone when the block ends."""
        self._count += 1
        place = self._folder / f"site-{self._count}"
        shutil.copytree(self._folder / "template", place)
        site = Site(place, load_settings({"BYLINE_INSTANCE": str(place), "SECRET_KEY": SECRET}))
        try:
            yield site
        finally:
            site.close()
            shutil.rmtree(place)


def files_of(site: Site) -> Files:
    """Where its pictures are."""
    found = site.app.extensions["media_files"]
    assert isinstance(found, Files)
    return found


def add_picture(site: Site, file: bytes, by: str = "alan", alt: str = "") -> str:
    """A picture that is there; its digest."""
    media, _is_new = store(
        site.database, files_of(site), io.BytesIO(file), name="a b.jpg", alt=alt, by=site.principal(by)
    )
    return media.digest


def export(site: Site, target: Path) -> Exported:
    """Everything of a site into a folder."""
    return export_posts(site.database, files_of(site), target)


def take_in(site: Site, folder: Path, author: str | None = None) -> Imported:
    """A folder into a site."""
    return import_posts(site.database, files_of(site), Folder(folder), Wanted(command_line(), author))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write_file(folder: Path, name: str, content: str | bytes) -> None:
    """A file in a folder, with the folders above it."""
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content.encode() if isinstance(content, str) else content)
