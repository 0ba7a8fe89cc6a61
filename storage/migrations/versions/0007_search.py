"""The search index, with what is published."""

import re
import unicodedata
from hashlib import sha256
from html import unescape

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_CREATE = (
    "CREATE VIRTUAL TABLE post_words USING fts5(title, tags, body, keys, name,"
    " tokenize = 'unicode61 remove_diacritics 2', prefix = '3')"
)
_ERASE = "INSERT INTO post_words(post_words, rank) VALUES ('secure-delete', 1)"
_YEAR_ONE = -62_135_510_400

# As the index held words when this was written; whoever changes that writes another migration, or says to rebuild it.
_TAG = r"""(?:[^<>"']|"[^"]*"|'[^']*')*>"""
_INLINE = "a|abbr|b|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|time|u|var|wbr"
_INLINE_TAGS = re.compile(rf"</?(?:{_INLINE})(?=[\s/>]){_TAG}")
_TAGS = re.compile(rf"<{_TAG}")
_BLANK = re.compile(r"[\x00-\x20\x7f-\x9f]+")
_ALONE = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3105-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff])"
)


def upgrade() -> None:
    """Make the index, and fill it; Alembic's batch mode never touches it."""
    op.create_table(
        "indexed_posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("published_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indexed_posts")),
        sa.UniqueConstraint("post_id", name=op.f("uq_indexed_posts_post_id")),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_indexed_posts_post_id_posts"), ondelete="CASCADE"
        ),
    )
    op.execute(_CREATE)
    db = op.get_bind()
    version = tuple(int(part) for part in db.exec_driver_sql("SELECT sqlite_version()").scalar_one().split("."))
    if version >= (3, 42):
        op.execute(_ERASE)
    # Which ones first: what is read and written at once would be read twice.
    found = db.exec_driver_sql(
        "SELECT id, published_at FROM posts WHERE status = 'published' AND deleted_at IS NULL ORDER BY published_at, id"
    ).fetchall()
    last = -1
    for post_id, published_at in found:
        last = max((published_at // 1_000_000) - _YEAR_ONE, last + 1)
        title, tags, html, username = db.exec_driver_sql(
            "SELECT title, tags, html, username FROM posts JOIN users ON users.id = author_id WHERE posts.id = ?",
            (post_id,),
        ).one()
        db.exec_driver_sql(
            "INSERT INTO indexed_posts (id, post_id, published_at) VALUES (?, ?, ?)", (last, post_id, published_at)
        )
        words = (_separate(title), _separate(tags.replace(",", ", ")), _separate(_plain_text(html)))
        keys = " ".join(
            [*("t" + (_bare(tag) or tag).encode().hex() for tag in tags.split(",") if tag), _author(username)]
        )
        db.exec_driver_sql(
            "INSERT INTO post_words (rowid, title, tags, body, keys, name) VALUES (?, ?, ?, ?, ?, ?)",
            (last, *words, keys, _name(title)),
        )


def _plain_text(html: str) -> str:
    return _BLANK.sub(" ", unescape(_TAGS.sub(" ", _INLINE_TAGS.sub("", html)))).strip()


def _separate(text: str) -> str:
    return _ALONE.sub("\x1f\\1\x1f", unicodedata.normalize("NFC", text))


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def _name(title: str) -> str:
    return "n" + sha256("".join(re.findall(r"[^\W_]+", _bare(title))).encode()).hexdigest()[:16]


def _author(username: str) -> str:
    return "a" + username.lower().encode().hex()
