"""Taking pictures in: a file and its row appear together, or not at all."""

import tempfile
from contextlib import suppress
from typing import IO

import sqlalchemy as sa

from auth.principal import Principal
from blog.media import queries
from blog.media.decoding import Decoded, clean
from blog.media.events import MEDIA_DELETED, MEDIA_DESCRIBED, MEDIA_UPLOADED, STORE, about
from blog.media.model import Media, Standing
from blog.media.uses import where_they_stand
from blog.media.variants import MAKE_VARIANTS, SWEEP
from blog.media.words import check_alt, label_from
from eventlog.ledger.announcing import Outcome, record_intent, record_outcome
from eventlog.log.appending import append_event
from storage import clock
from storage.engine import Database
from storage.errors import Busy as StorageBusy
from storage.errors import Full
from storage.files import Files, Unfinished
from storage.ids import new_id
from storage.jobs import enqueue
from web.errors import Busy, Conflict, Invalid, NotFound, TooLarge

MOST_FILE_BYTES = 25 * 1024 * 1024
MOST_BYTES_OF_A_PERSON = 2 * 1024**3
_AT_ONCE = 256 * 1024


class InUse(Conflict):
    """Posts, or texts that are not saved, would lose the picture."""


def store(
    database: Database,
    files: Files,
    sent: IO[bytes],
    *,
    name: str | None,
    alt: str = "",
    is_decorative: bool = False,
    by: Principal,
) -> tuple[Media, bool]:
    """Take a picture in; returns it, and whether it is new: the same file again is the one that is there.

    Raises Invalid for what is no picture or is over a person's bound, TooLarge, Busy, and Full.
    """
    alt = check_alt(alt)
    with files.writing() as cleaned:
        with tempfile.TemporaryFile() as source:
            _receive(sent, source)
            decoded = clean(source, cleaned.write)
        with database.reading() as db:
            known = queries.find_own(db, by=by, digest=cleaned.digest)
            used_bytes = queries.sum_sizes(db, user_id=_id_of(by))
        if known is not None:
            return _described_again(database, known, alt=alt, by=by), False
        _check_room(used_bytes, cleaned.size_bytes)
        media = _describe(decoded, cleaned, label=label_from(name), alt=alt, is_decorative=is_decorative, by=by)
        return _keep(database, files, cleaned, media, by=by)


def _described_again(database: Database, known: Media, *, alt: str, by: Principal) -> Media:
    """What is there, with the words that came with the same file again, unless it has some."""
    if not alt or known.alt:
        return known
    with database.transaction() as db:
        return describe(db, known.id, alt=alt, is_decorative=False, by=by)


def describe(db: sa.Connection, media_id: str, *, alt: str, is_decorative: bool, by: Principal) -> Media:
    """Say what a picture of one's own shows, or that it is decorative. Raises NotFound and Invalid."""
    media, alt = find(db, media_id, by=by), check_alt(alt)
    if is_decorative and alt:
        raise Invalid({"alt": "What is decorative has no description: empty it, or take the mark away."})
    if (alt, is_decorative) != (media.alt, media.is_decorative):
        queries.update_description(db, media.id, alt=alt, is_decorative=is_decorative)
        payload = {"digest": media.digest, "alt": alt, "is_decorative": is_decorative}
        append_event(db, MEDIA_DESCRIBED, by=by, subject=about(media.id), payload=payload)
        # Its copies are there; the announcement that ends the job is for the pages that show the words.
        enqueue(db, MAKE_VARIANTS, {"digest": media.digest}, run_at=clock.now())
    return find(db, media_id, by=by)


def delete(db: sa.Connection, media_id: str, *, by: Principal) -> None:
    """Take a picture away; its file follows when nobody else has it. Raises NotFound; InUse, which says where."""
    media = find(db, media_id, by=by)
    standing = where_they_stand(db, [media], by=by)[media.digest]
    if standing.is_needed:
        raise InUse(f"It stands in {', '.join(_places(standing))}. Take it out there first.")
    queries.delete_media(db, media.id)
    append_event(db, MEDIA_DELETED, by=by, subject=about(media.id), payload={"digest": media.digest})
    if queries.find_any(db, media.digest) is None:
        digests = [media.digest, *queries.delete_variants(db, media.digest)]
        enqueue(db, SWEEP, {"digests": digests}, run_at=clock.now())


def find(db: sa.Connection, media_id: str, *, by: Principal) -> Media:
    """A picture of one's own. Raises NotFound."""
    media = queries.find_own(db, by=by, media_id=media_id)
    if media is None:
        raise NotFound("No picture of yours is here.")
    return media


def _places(standing: Standing) -> list[str]:
    own = [f"“{use.title}” (/posts/{use.slug})" for use in standing.uses if use.is_own]
    unsaved = ["an unsaved text of yours (/account/working-copies)"] if standing.is_unsaved else []
    return [*own, *unsaved, *(["a post of somebody else's"] if standing.is_needed_by_others else [])]


def _receive(sent: IO[bytes], source: IO[bytes]) -> None:
    size = 0
    while part := sent.read(_AT_ONCE):
        size += len(part)
        if size > MOST_FILE_BYTES:
            raise TooLarge(f"A picture may have up to {MOST_FILE_BYTES // 1024**2} MiB. Nothing was stored.")
        source.write(part)
    source.flush()
    if not size:
        raise Invalid({"file": "Choose a picture: this file is empty, or none was sent."})


def _keep(database: Database, files: Files, cleaned: Unfinished, media: Media, *, by: Principal) -> tuple[Media, bool]:
    """Announced; then the file gets its name; then, in one transaction, its row and the end of what was announced."""
    call_id = new_id()
    payload = {"digest": media.digest, "size_bytes": media.size_bytes}
    record_intent(database, STORE, by=by, call_id=call_id, payload=payload)
    try:
        files.keep(cleaned)
        with database.transaction() as db:
            known = queries.find_own(db, by=by, digest=media.digest)
            if known is None:
                _insert(db, files, media, by=by)
            record_outcome(db, call_id, Outcome.DONE)
            return known or media, known is None
    except BaseException as error:
        # What has no row is served to nobody, and is swept.
        with suppress(StorageBusy, Full), database.transaction(is_checked=False) as db:
            record_outcome(db, call_id, Outcome.FAILED, note=type(error).__name__)
        raise


def _insert(db: sa.Connection, files: Files, media: Media, *, by: Principal) -> None:
    _check_room(queries.sum_sizes(db, user_id=media.user_id), media.size_bytes)
    if not files.holds(media.digest):
        raise Busy("The file was being taken away at this moment. Send it once more.", retry_after_seconds=1)
    queries.insert_media(db, media)
    payload = {"digest": media.digest, "type": media.type, "width": media.width, "height": media.height}
    append_event(db, MEDIA_UPLOADED, by=by, subject=about(media.id), payload=payload)
    enqueue(db, MAKE_VARIANTS, {"digest": media.digest}, run_at=clock.now())


def _check_room(used_bytes: int, more_bytes: int) -> None:
    if used_bytes + more_bytes > MOST_BYTES_OF_A_PERSON:
        left = max(0, MOST_BYTES_OF_A_PERSON - used_bytes) / 1024**2
        raise Invalid({"file": f"Your pictures are at their bound; {left:,.1f} MiB are left. Delete some first."})


def _describe(
    decoded: Decoded, cleaned: Unfinished, *, label: str, alt: str, is_decorative: bool, by: Principal
) -> Media:
    return Media(
        id=new_id(),
        user_id=_id_of(by),
        digest=cleaned.digest,
        type=decoded.type,
        width=decoded.width,
        height=decoded.height,
        size_bytes=cleaned.size_bytes,
        is_animated=decoded.is_animated,
        label=label,
        alt=alt,
        is_decorative=is_decorative and not alt,
        created_at=clock.now(),
    )


def _id_of(by: Principal) -> int:
    assert by.user_id is not None
    return by.user_id
