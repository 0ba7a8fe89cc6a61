"""One's own pictures: upload, describe, see where each stands, delete."""

from typing import Any

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage, MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.media import queries
from blog.media.forms import DescriptionForm, UploadForm
from blog.media.serving import current_files
from blog.media.storing import InUse, delete, describe, find, store
from blog.media.uses import where_they_stand
from storage.ids import parse_id
from web.cursors import Cursor, cursor_of_page
from web.database import current_database, reading, transaction
from web.errors import Forbidden, Invalid, NotFound, TooLarge
from web.negotiation import wants_json
from web.paging import cut
from web.render import render_page
from web.requests import MAX_UPLOAD_BYTES, takes_files

pages = Blueprint("media_library", __name__)

_PER_PAGE = 24
_NOTICES = {
    "uploaded": "Uploaded. Smaller copies of it are being made.",
    "described": "Saved.",
    "deleted": "Deleted.",
}
_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not saved yet."
_PICTURES_GONE = " Choose the pictures once more: a browser does not send them back."


@pages.get("/account/media")
@requires(Permission.UPLOAD_MEDIA, session_only=True)
def library() -> ResponseReturnValue:
    """One's own pictures, the newest first."""
    return _show(notice=next((text for name, text in _NOTICES.items() if name in request.args), None))


@pages.post("/account/media")
@takes_files(MAX_UPLOAD_BYTES)
@requires(Permission.UPLOAD_MEDIA, session_only=True)
def upload() -> ResponseReturnValue:
    """Take in what was chosen; what cannot be taken is named, and the rest is there."""
    form = UploadForm(request.form)
    if refused := form.token_error():
        return _show(status=403, notice=refused + _PICTURES_GONE, upload=form)
    sent = [each for each in request.files.getlist("file") if each.filename or each.stream.read(1)]
    faults = _store_all(sent, form) if sent else {"file": "Choose a picture."}
    if faults:
        form.show_faults(faults)
        return _show(status=422, upload=form)
    return redirect("/account/media?uploaded=1", code=303)


@pages.post("/account/media/<media_id>")
@requires(Permission.UPLOAD_MEDIA, session_only=True)
def save_description(media_id: str) -> ResponseReturnValue:
    """Store what a picture shows."""
    _find(media_id)
    form = DescriptionForm(request.form)
    if refused := form.token_error():
        return _show(status=403, notice=refused, sent=(media_id, form))
    try:
        with transaction() as db:
            describe(db, media_id, alt=form.alt.data or "", is_decorative=bool(form.decorative.data), by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show(status=422, sent=(media_id, form))
    return redirect("/account/media?described=1", code=303)


@pages.post("/account/media/<media_id>/delete")
@requires(Permission.UPLOAD_MEDIA, session_only=True)
def remove(media_id: str) -> ResponseReturnValue:
    """Delete a picture that nothing would lose."""
    _find(media_id)
    if refused := UploadForm(request.form).token_error():
        return _show(status=403, notice=refused)
    try:
        with transaction() as db:
            delete(db, media_id, by=principal())
    except InUse as conflict:
        if wants_json():
            raise
        return _show(status=409, error=conflict.detail)
    return redirect("/account/media?deleted=1", code=303)


def reopen_description(fields: MultiDict[str, str], *, media_id: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The page, with the description as it was sent when it could not be taken."""
    if not principal().may(Permission.UPLOAD_MEDIA):
        raise Forbidden
    _find(media_id)
    return _show(notice=notice, sent=(media_id, DescriptionForm(fields)))


def _store_all(sent: list[FileStorage], form: UploadForm) -> dict[str, str]:
    faults = []
    for each in sent:
        each.stream.seek(0)
        try:
            store(
                current_database(),
                current_files(),
                each.stream,
                name=each.filename,
                alt=(form.alt.data or "") if len(sent) == 1 else "",
                is_decorative=bool(form.decorative.data),
                by=principal(),
            )
        except Invalid as invalid:
            if len(sent) == 1:
                return invalid.fields
            faults += [f"{(each.filename or '')[:100]}: {fault}" for fault in invalid.fields.values()]
        except TooLarge as refusal:
            faults.append(f"{(each.filename or '')[:100]}: {refusal.detail}")
    return {"file": " ".join(faults)} if faults else {}


def _find(media_id: str) -> None:
    if parse_id(media_id) != media_id:
        raise NotFound
    with reading() as db:
        find(db, media_id, by=principal())


def _show(
    *,
    status: int = 200,
    upload: UploadForm | None = None,
    sent: tuple[str, DescriptionForm] | None = None,
    notice: str | None = None,
    error: str | None = None,
) -> ResponseReturnValue:
    before = cursor_of_page(request.args.get("before")) if request.method == "GET" else None
    with reading() as db:
        found = queries.list_own(db, by=principal(), limit=_PER_PAGE + 1, before=before)
        pictures, last = cut(found, _PER_PAGE)
        if sent is not None and sent[0] not in [media.id for media in pictures]:
            # What somebody typed is shown, however old the picture is.
            pictures = [find(db, sent[0], by=principal()), *pictures]
        variants = queries.list_variants(db, [media.digest for media in pictures])
        standing = where_they_stand(db, pictures, by=principal())
    items: list[dict[str, Any]] = []
    for media in pictures:
        form = sent[1] if sent is not None and sent[0] == media.id else _form_of(media.alt, media.is_decorative)
        thumbnail = next((v.path for v in variants.get(media.digest, [])), media.path)
        items.append({"media": media, "form": form, "thumbnail": thumbnail, "standing": standing[media.digest]})
    return render_page(
        "blog/media/library.html",
        status=status,
        items=items,
        upload=upload or UploadForm(),
        notice=notice,
        error=error,
        older_url=None if last is None else f"/account/media?before={Cursor(last.created_at, last.id)}",
        newer_url=None if before is None else "/account/media",
        canonical_url=None,
    )


def _form_of(alt: str, is_decorative: bool) -> DescriptionForm:
    return DescriptionForm(data={"alt": alt, "decorative": is_decorative})
