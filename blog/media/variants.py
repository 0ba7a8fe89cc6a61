"""Smaller WebP pictures made of those that were uploaded, and files that nobody needs taken away: jobs."""

import io
from collections.abc import Callable, Mapping
from typing import Any

from blog.media import queries
from blog.media.decoding import decoding_turn, opened, orientation_of
from blog.media.model import Media, Variant
from blog.media.turning import shrunk, turned
from storage import clock
from storage.engine import Database
from storage.files import Files

MAKE_VARIANTS = "media.make_variants"
SWEEP = "media.sweep"

WIDTHS = (640, 1280)
_QUALITY = 80
# The encoder takes many bytes for each.
_MOST_PIXELS = 3_000_000
# Longer than it takes from a file's name to its row.
_STRAY_AFTER_SECONDS = 3600


# Tells whoever shows pictures that more is known now of the one at that address.
Announce = Callable[[Database, str], None]


def make_variants(
    database: Database, payload: Mapping[str, Any], *, files: Files, announce: Announce | None = None
) -> None:
    """Make what a picture still lacks, and announce it. Nothing is made larger than it is, nor of what moves."""
    with database.reading() as db:
        media = queries.find_any(db, payload["digest"])
        made = {variant.width for variant in queries.list_variants(db, [payload["digest"]]).get(payload["digest"], [])}
    if media is None:
        return
    for width in WIDTHS:
        height = max(1, round(media.height * width / media.width))
        is_wanted = width < media.width and not media.is_animated
        if is_wanted and width not in made and width * height <= _MOST_PIXELS:
            _make_variant(database, files, media, Variant(media.digest, width, height))
    # Also when all was there: whoever did it before may have been killed before the announcement.
    if announce is not None:
        announce(database, media.path)


def sweep(database: Database, payload: Mapping[str, Any], *, files: Files) -> int | None:
    """Take away files that no row needs: the named ones, or all that have been lying there for a while, every day."""
    if "digests" in payload:
        for digest in payload["digests"]:
            _sweep_one(database, files, digest, older_than_seconds=0)
        return None
    files.remove_unfinished(older_than_seconds=_STRAY_AFTER_SECONDS)
    for digest in files.digests(older_than_seconds=_STRAY_AFTER_SECONDS):
        with database.reading() as db:
            is_used = queries.is_file_used(db, digest)
        if not is_used:
            _sweep_one(database, files, digest, older_than_seconds=_STRAY_AFTER_SECONDS)
    return clock.now() + clock.DAY


def _make_variant(database: Database, files: Files, media: Media, variant: Variant) -> None:
    with decoding_turn():
        encoded = _encode(files, media, variant)
    with files.writing() as unfinished:
        unfinished.write(encoded)
        files.keep(unfinished)
        with database.transaction() as db:
            # Deleted meanwhile, or swept: the job is done again, or never.
            if queries.find_any(db, media.digest) is not None and files.holds(unfinished.digest):
                queries.insert_variant(db, variant, file_digest=unfinished.digest)


def _encode(files: Files, media: Media, variant: Variant) -> bytes:
    with files.path_of(media.digest).open("rb") as source, opened(source, least_width=variant.width) as image:
        image.load()
        profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None
        orientation = orientation_of(image)  # only an AVIF still has one
        upright = image if orientation == 1 else turned(image, orientation)
        small = shrunk(upright, variant.width, variant.height)
    del image, upright
    encoded = io.BytesIO()
    small.save(encoded, "WEBP", quality=_QUALITY, method=4, icc_profile=profile)
    return encoded.getvalue()


def _sweep_one(database: Database, files: Files, digest: str, *, older_than_seconds: float) -> None:
    # Inside the transaction, so that nobody makes a row for it meanwhile; whoever comes after finds it gone.
    with database.transaction() as db:
        if not queries.is_file_used(db, digest) and files.is_older(digest, older_than_seconds):
            files.remove(digest)
