"""The pictures travel with the database: into the archive, and back."""

import shutil
from pathlib import Path

from tests.blog.media.pictures import picture
from tests.blog.media.test_storing import kept, take_in
from tests.folders import run_byline
from tests.support import Site


def test_a_backup_holds_the_pictures_and_a_restore_brings_them_back(site: Site, tmp_path: Path) -> None:
    take_in(site, picture())
    (digest,) = kept(site)
    archive = tmp_path / "copy.tar.gz"
    assert run_byline(site.folder, "backup", str(archive)).returncode == 0
    site.close()
    shutil.rmtree(site.folder)
    done = run_byline(site.folder, "restore", str(archive))
    assert done.returncode == 0, done.stderr
    site.restart()
    answer = site.client().get(f"/media/{digest}")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert kept(site) == [digest]
