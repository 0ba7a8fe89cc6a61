"""A file and its row appear together, or not at all: two at once, failures and kills in between."""

import io
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from blog.media.storing import store
from blog.media.variants import sweep
from eventlog.ledger.announcing import orphan_intents
from storage.errors import Full
from storage.files import Files, Unfinished
from tests.blog.media.pictures import picture
from tests.folders import clean_environment
from tests.support import ROOT, Site
from web.errors import Busy, Refusal


def files_of(site: Site) -> Files:
    found = site.app.extensions["media_files"]
    assert isinstance(found, Files)
    return found


def take_in(site: Site, file: bytes, name: str = "alan") -> bool:
    by = site.principal(name)
    _media, is_new = store(site.database, files_of(site), io.BytesIO(file), name="a.jpg", by=by)
    return is_new


def kept(site: Site) -> list[str]:
    return sorted(path.name for path in files_of(site).folder.rglob("*") if path.is_file())


def orphans(site: Site) -> list[str]:
    with site.database.reading() as db:
        return [intent.operation for intent in orphan_intents(db)]


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each gives, or the error that it raises, all begun together."""
    together, results = threading.Barrier(len(works)), [object()] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        together.wait()
        try:
            results[place] = work()
        except (Refusal, OSError) as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def test_the_same_file_twice_at_once_is_one_row(site: Site) -> None:
    file = picture("PNG", (300, 200))
    results = at_once(*[lambda: take_in(site, file)] * 5)
    assert sorted(map(str, results)) == ["False"] * 4 + ["True"]
    assert len(kept(site)) == site.rows("media") == 1
    assert orphans(site) == []


def test_different_files_at_once_are_all_there(site: Site) -> None:
    files = [picture("PNG", (30 + n, 20)) for n in range(5)]
    assert at_once(*[lambda file=file: take_in(site, file) for file in files]) == [True] * 5
    assert len(kept(site)) == site.rows("media") == 5
    assert orphans(site) == []


def test_a_disk_that_is_full_leaves_neither(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Files, _unfinished: object) -> None:
        raise Full("no room")

    monkeypatch.setattr(Files, "keep", fail)
    with pytest.raises(Full):
        take_in(site, picture())
    assert kept(site) == []
    assert site.rows("media") == 0
    assert orphans(site) == []
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT outcome, note FROM intents").all() == [("failed", "Full")]


def test_a_file_that_is_swept_before_its_row_is_sent_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = Files.keep

    def keep_and_lose(self: Files, unfinished: Unfinished) -> None:
        keep(self, unfinished)
        sweep(site.database, {"digests": [unfinished.digest]}, files=self)

    monkeypatch.setattr(Files, "keep", keep_and_lose)
    with pytest.raises(Busy, match="once more"):
        take_in(site, picture())
    assert (kept(site), site.rows("media"), orphans(site)) == ([], 0, [])
    monkeypatch.undo()
    assert take_in(site, picture())


KILLED = """
import io, os, sys
from pathlib import Path
from blog.media import queries, storing
from storage.engine import Database
from storage.files import Files
from tests.support import TESTER, Principal, Role
step, folder, picture = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
def die(*_arguments, **_named):
    os.kill(os.getpid(), 9)
if step == "before the file":
    Files.keep = die
elif step == "before the row":
    storing.queries.insert_media = die
elif step == "in the transaction":
    storing.record_outcome = die
elif step == "before it is cleaned":
    storing.clean = die
database = Database(folder / "byline.db", readers=1)
alan = Principal(int(sys.argv[4]), "alan", "Alan", Role.AUTHOR, session_id="1.1")
storing.store(database, Files(folder / "media"), io.BytesIO(picture.read_bytes()), name="a.jpg", by=alan)
die()
"""


@pytest.mark.parametrize(
    ("step", "file_count", "row_count", "orphan_count"),
    [
        ("before it is cleaned", 0, 0, 0),
        ("before the file", 0, 0, 1),
        ("before the row", 1, 0, 1),
        ("in the transaction", 1, 0, 1),
        ("after it", 1, 1, 0),
    ],
)
def test_kill_9_leaves_no_half_and_a_question_where_there_is_one(
    site: Site, tmp_path: Path, step: str, file_count: int, row_count: int, orphan_count: int
) -> None:
    (tmp_path / "sent").write_bytes(picture())
    arguments = [step, str(site.folder), str(tmp_path / "sent"), str(site.principal("alan").user_id)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        cwd=ROOT,
        env=clean_environment(PYTHONPATH=str(ROOT)),
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -9, done.stderr
    whole = list(files_of(site).members())
    assert len(whole) == file_count
    assert site.rows("media") == row_count
    assert orphans(site) == ["media.store"] * orphan_count
    for name in whole:
        assert site.client().get(f"/media/{name[3:]}").status_code == (200 if row_count else 404)
    # It can be sent again, and then all is there, with no second file.
    assert take_in(site, picture()) == (row_count == 0)
    assert site.rows("media") == len(list(files_of(site).members())) == 1
