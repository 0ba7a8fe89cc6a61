"""The commands: what they say, how they end, what the ledger keeps, and what a kill in the middle leaves."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.blog.media.pictures import picture
from tests.blog.transfer.folders import Template, add_picture, contents, write_file
from tests.folders import clean_environment, run_byline
from tests.support import ROOT, SECRET, Site

KEY = {"SECRET_KEY": SECRET}


def byline(site: Site, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_byline(site.folder, *arguments, environment=KEY)


def rows(site: Site, query: str) -> list[tuple[Any, ...]]:
    with site.database.reading() as db:
        return [tuple(row) for row in db.exec_driver_sql(query)]


def test_out_and_in_by_the_command_line(site: Site, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    digest = add_picture(site, picture(), alt="Four corners")
    site.post(title="One", body=f"![](/media/{digest})")
    site.post(by="ada", title="Two", status="draft")
    done = byline(site, "posts", "export", str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (0, "Wrote 2 posts and 1 pictures. Drafts are among them.\n")
    assert "Exporting" in done.stderr
    out = contents(tmp_path / "out")
    assert set(out) == {"one.md", "two.md", f"media/{digest}.jpg", "media/descriptions.json"}
    assert f"![](media/{digest}.jpg)" in out["one.md"].decode()
    assert json.loads(out["media/descriptions.json"])[f"{digest}.jpg"]["alt"] == "Four corners"
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0
    again = byline(site, "posts", "export", str(tmp_path / "out"))
    assert (again.returncode, again.stdout) == (1, "")
    assert "not empty" in again.stderr
    with Template(tmp_path_factory.mktemp("other")).site() as empty:
        taken = byline(empty, "posts", "import", str(tmp_path / "out"))
        assert taken.returncode == 0, taken.stderr
        assert taken.stdout.startswith("2 posts are new, 0 have a new revision, 0 were the same; 1 pictures are new.")
        assert "Importing" in taken.stderr
        assert byline(empty, "posts", "export", str(tmp_path / "out2")).returncode == 0
        assert contents(tmp_path / "out2") == out
        outcomes = rows(empty, "SELECT operation, outcome FROM intents WHERE operation LIKE 'posts.%'")
        assert sorted(outcomes) == [("posts.export", "done"), ("posts.import", "done")]


def test_faults_are_listed_and_end_in_one(site: Site, tmp_path: Path) -> None:
    write_file(tmp_path / "in", "good.md", "---\ntitle: Good\nauthor: ada\n---\n![](gone.png)")
    write_file(tmp_path / "in", "bad\x1b[2J\n.md", "---\ntitle: [\n---\n")
    (tmp_path / "in" / "x\udc80.md").write_text("---\ntitle: Odd\nauthor: ada\nslug: odd\n---\n")
    done = byline(site, "posts", "import", str(tmp_path / "in"))
    assert done.returncode == 1
    assert done.stdout.startswith("2 posts are new")
    assert "Missing: good.md: gone.png: There is no such file." in done.stderr
    assert "Not imported: bad\\x1b[2J\\n.md: " in done.stderr
    assert "Error: 1 were not imported" in done.stderr
    for arguments in (("import", str(tmp_path / "none")), ("import", str(tmp_path / "in"), "--author", "zoe")):
        refused = byline(site, "posts", *arguments)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Error: There is n" in refused.stderr
    for command in ("import", "export"):
        refused = byline(site, "posts", command, "x" * 5000)
        assert (refused.returncode, refused.stderr.count("Error: "), "Traceback" in refused.stderr) == (1, 1, False)
    assert byline(site, "posts", "import").returncode == 2


KILLED = """
import os, signal, sys
import app, {module} as module
original, left = module.{name}, [int(sys.argv.pop(1))]
def deadly(*arguments, **options):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)
module.{name} = deadly
app.main(sys.argv[1:])
"""


def killed(site: Site, module: str, name: str, at: int, *arguments: str) -> None:
    """A command that is killed at that call of a function of ours."""
    program = KILLED.format(module=module, name=name)
    done = subprocess.run(
        [sys.executable, "-c", program, str(at), *arguments],
        cwd=ROOT,
        env=clean_environment(BYLINE_INSTANCE=str(site.folder), **KEY),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("module", "name", "at", "whole"),
    [
        ("blog.posts.writing", "append_event", 5, 2),
        ("blog.posts.writing", "replace_tags", 1, 0),
        ("blog.transfer.pictures", "store", 2, 1),
    ],
)
def test_an_import_that_was_killed_leaves_whole_posts_and_is_completed_by_another(
    site: Site, tmp_path: Path, module: str, name: str, at: int, whole: int
) -> None:
    for n in range(4):
        write_file(tmp_path / "in", f"{n}.md", f"---\ntitle: Number {n}\nauthor: ada\ntags: [a]\n---\n![](p{n}.png)")
        write_file(tmp_path / "in", f"p{n}.png", picture("PNG", size=(20 + n, 20)))
    killed(site, module, name, at, "posts", "import", str(tmp_path / "in"))
    for table in ("posts", "revisions", "post_tags", "events WHERE kind = 'post.created'"):
        assert site.rows(table) == whole
    assert rows(site, "SELECT outcome FROM intents WHERE operation = 'posts.import'") == [(None,)]
    done = byline(site, "posts", "import", str(tmp_path / "in"))
    assert (done.returncode, done.stdout[: len("0 posts are new")]) == (0, f"{4 - whole} posts are new")
    assert f"{whole} were the same" in done.stdout
    assert site.rows("posts") == site.rows("revisions") == site.rows("media") == 4
    assert all("](/media/" in body for (body,) in rows(site, "SELECT body FROM posts"))


def test_an_export_that_was_killed_says_so_by_its_name(site: Site, tmp_path: Path) -> None:
    site.post(title="One")
    site.post(title="Two")
    killed(site, "blog.transfer.exporting", "write", 2, "posts", "export", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    (left,) = (path for path in tmp_path.iterdir() if path != site.folder)
    assert left.name.startswith(".out.unfinished-")
    refused = byline(site, "posts", "import", str(left))
    assert refused.returncode == 1
    assert "never finished" in refused.stderr
    assert byline(site, "posts", "export", str(tmp_path / "out")).returncode == 0
    assert set(contents(tmp_path / "out")) == {"one.md", "two.md"}
