"""A site with as many posts and sessions as wanted: real posts, written through the house, then copied row by row."""

from pathlib import Path
from random import Random

import sqlalchemy as sa

from auth.permissions import Role
from auth.principal import Principal
from auth.sessions.model import sessions_table
from auth.users.passwords import hash_password
from auth.users.queries import find_user
from auth.users.registering import register
from blog.posts.content import prepare
from blog.posts.model import posts_table, revisions_table
from blog.posts.writing import write
from blog.search.examining import rebuild_index
from blog.tags.model import post_tags_table
from eventlog.actors import command_line
from storage import clock
from storage.engine import Database
from storage.folder import prepare_folder
from storage.upgrading import upgrade

USERNAME, PASSWORD = "bench", "a password of the bench"
# Posts written through the house; the others are copies of them.
WRITTEN = 10
_WORDS = (
    *("morning", "river", "paper", "garden", "winter", "letter", "engine"),
    *("harbour", "simple", "question", "answer", "window", "market", "silver"),
)
# Another UUID for each copy.
_COPIED_ID = "substr({}, 1, 24) || printf('%012x', n)"
# In under one of a hundred posts.
RARE = "chrysanthemum"


def fill(folder: Path, *, posts: int, sessions: int = 0) -> None:
    """Make a data folder with one author, so many posts, all published, and so many sessions that nobody uses."""
    prepare_folder(folder)
    path = folder / "byline.db"
    upgrade(path)
    database = Database(path, readers=1)
    try:
        with database.transaction() as db:
            register(db, USERNAME, role=Role.OWNER, password_hash=hash_password(PASSWORD), by=command_line())
        author = _author(database)
        for number in range(WRITTEN):
            with database.transaction() as db:
                write(db, prepare(_content(number)), by=author)
        _multiply(database, posts)
        _add_sessions(database, sessions, user_id=author.user_id or 0)
        rebuild_index(database, lambda _done, _count: None)
    finally:
        database.close()


def _author(database: Database) -> Principal:
    with database.reading() as db:
        user = find_user(db, USERNAME)
    assert user is not None
    return Principal(user_id=user.id, username=USERNAME, role=Role.OWNER, session_id="0.0")


def _content(number: int) -> dict[str, object]:
    dice = Random(number)
    paragraphs = [" ".join(dice.choices(_WORDS, k=80)).capitalize() + "." for _ in range(6)]
    body = "\n\n".join(["## Beginning", *paragraphs[:3], "## End", *paragraphs[3:], RARE if number == 0 else ""])
    tags = [_WORDS[number], _WORDS[number + 1]]
    return {
        "title": f"What post {number} says",
        "slug": f"post-{number}",
        "body": body,
        "tags": tags,
        "status": "published",
    }


def _multiply(database: Database, posts: int) -> None:
    """Copies of everything but the rare word: other ids, slugs and headings, and each a minute older than the one
    before.
    """
    with database.transaction() as db:
        db.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        numbers = f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {posts // WRITTEN - 1}) "
        minute = clock.MINUTE
        for table, changed in (
            (posts_table, {
                "id": _COPIED_ID.format("id"), "slug": "slug || '-' || n", "title": "title || ' (' || n || ')'",
                **{name: f"replace(replace({name}, '{RARE}', CASE WHEN n % 20 = 0 THEN '{RARE}' ELSE '' END), "
                         "'Beginning', 'Beginning ' || n)" for name in ("body", "html")},
                "published_at": f"published_at - n * {minute}", "created_at": f"created_at - n * {minute}",
                "updated_at": f"updated_at - n * {minute}",
            }),
            (revisions_table, {"post_id": _COPIED_ID.format("post_id"), "submission": "NULL"}),
            (post_tags_table, {"post_id": _COPIED_ID.format("post_id")}),
        ):  # fmt: skip
            names = [column.name for column in table.c]
            values = ", ".join(changed.get(name, name) for name in names)
            statement = f"INSERT INTO {table.name} ({', '.join(names)}) {numbers} SELECT {values} FROM {table.name}, n"
            if posts > WRITTEN:
                db.exec_driver_sql(statement)


def _add_sessions(database: Database, count: int, *, user_id: int) -> None:
    at, rows = clock.now(), 10_000
    for start in range(0, count, rows):
        same = {"user_id": user_id, "is_remembered": True, "created_at": at, "last_seen_at": at}
        values = [{"id": f"1.{n}", "digest": f"{n:064x}", **same} for n in range(start, min(count, start + rows))]
        with database.transaction() as db:
            db.execute(sa.insert(sessions_table), values)
