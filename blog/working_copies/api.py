"""Working copies for the editor's own script, and the preview that it shows beside the text.

They belong to a person in a browser: no Bearer token opens them. `app.py` hands in what knows posts.
"""

from collections.abc import Callable

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import Principal, principal
from blog.working_copies import keeping
from blog.working_copies.finding import FindSaved
from blog.working_copies.model import is_key, is_submission
from blog.working_copies.pages import add_pages
from storage import clock
from web.csrf import check_header_token
from web.database import reading, transaction
from web.errors import Invalid, NotFound
from web.json_body import JsonBody, read_body


class CopyBody(JsonBody):
    """What the form holds. `unsent`: it was not sent yet, as far as its page knows."""

    submission: str = ""
    unsent: bool = False
    title: str = ""
    slug: str = ""
    body: str = ""
    excerpt: str = ""
    tags: str = ""
    status: str = ""
    publish_at: str = ""
    publish_offset: str = ""
    time_zone: str = ""
    visibility: str = ""
    kind: str = ""
    lang: str = ""
    version: str = ""


class PreviewBody(JsonBody):
    """What to show, and in which language; empty: the site's."""

    body: str = ""
    lang: str = ""


def make_api(
    find_saved: FindSaved,
    prepare: Callable[[], object],
    is_saved: Callable[[sa.Connection, str, Principal], bool],
    render: Callable[[str, str], str],
) -> Blueprint:
    """The routes. `prepare` reads, before a transaction, what `find_saved` needs of the site; `render` makes pages."""
    api = Blueprint("working_copies", __name__)
    add_pages(api, find_saved, prepare)
    guard = requires(Permission.WRITE_POSTS, session_only=True)

    @api.put("/account/working-copies/<key>")
    @guard
    def keep(key: str) -> Response:
        """Keep what is typed: 204, committed and synced."""
        who = principal()
        prepare()
        with reading() as db:
            find_saved(db, _known(key), by=who)
        check_header_token()
        fields, faults = read_body(CopyBody)
        submission, is_unsent = fields.pop("submission", ""), fields.pop("unsent", False)
        if not is_submission(submission):
            faults.setdefault("submission", "Send the number that the form carries.")
        if faults:
            raise Invalid(faults)
        with transaction() as db:
            # Once more: a save may have come first, and the copy is then one of its post.
            saved = find_saved(db, key, by=who, typed=fields, submission=submission)
            keeping.keep(
                db,
                saved.key,
                fields,
                by=who,
                submission=submission,
                post_id=saved.post_id,
                saved=saved.fields,
                sent=saved.sent,
                is_unsent=is_unsent,
            )
        return Response(status=204)

    @api.get("/account/working-copies/<key>")
    @guard
    def show(key: str) -> Response:
        """What is kept under that key; `fields` is null when nothing is."""
        prepare()
        with reading() as db:
            find_saved(db, _known(key), by=principal())
            copy = keeping.find(db, key, by=principal())
        if copy is None:
            return jsonify({"key": key, "saved_at": None, "fields": None})
        return jsonify({"key": key, "saved_at": clock.to_rfc3339(copy.saved_at), "fields": copy.fields})

    @api.get("/account/submissions/<submission>")
    @guard
    def show_submission(submission: str) -> Response:
        """Whether that very form was saved: a browser that lost the answer forgets its own copy then."""
        with reading() as db:
            return jsonify({"is_saved": is_submission(submission) and is_saved(db, submission, principal())})

    @api.post("/account/preview")
    @guard
    def preview() -> Response:
        """The text as readers would see it: sanitised HTML, nothing around it."""
        check_header_token()
        given, faults = read_body(PreviewBody)
        body = given.get("body", "")
        if fault := keeping.check_text(body):
            faults["body"] = fault
        if faults:
            raise Invalid(faults)
        html = render(body.replace("\r\n", "\n").replace("\r", "\n"), given.get("lang", ""))
        return Response(html, mimetype="text/html")

    return api


def _known(key: str) -> str:
    if not is_key(key):
        raise NotFound
    return key
