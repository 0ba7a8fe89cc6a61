"""The pages of working copies: all of one's unsaved texts, and each of them to read.

A text stays its writer's, also where they may not write any more or the post is not theirs to change: what they typed
can be read, copied and discarded as long as it is kept.
"""

from collections.abc import Callable

import sqlalchemy as sa
from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import Principal, principal
from blog.working_copies import keeping
from blog.working_copies.finding import FindSaved
from blog.working_copies.model import WorkingCopy, is_key
from storage import clock
from web.database import reading, transaction
from web.errors import Forbidden, Gone, NotFound
from web.forms import Form
from web.redirects import safe_next
from web.render import render_page

_LIST = "/account/working-copies"
_DAYS = keeping.LONGEST_KEPT // clock.DAY


def add_pages(blueprint: Blueprint, find_saved: FindSaved, prepare: Callable[[], object]) -> None:
    """The routes; what is handed in is as `make_api` takes it."""
    guard = requires(Permission.USE_ACCOUNT, session_only=True)

    @blueprint.get(_LIST)
    @guard
    def list_all() -> ResponseReturnValue:
        """All of one's unsaved texts, and how many fit."""
        with reading() as db:
            copies = keeping.list_all(db, by=principal())
        return render_page(
            "blog/working_copies/list.html",
            copies=[(copy, keeping.title_of(copy), len(copy.fields["body"])) for copy in copies],
            most=keeping.MOST_COPIES,
            days=_DAYS,
        )

    @blueprint.get(f"{_LIST}/<key>/text")
    @guard
    def read(key: str) -> ResponseReturnValue:
        """One text, to read and to copy; and the way to its editor for who may go there."""
        if not is_key(key):
            raise NotFound
        who = principal()
        prepare()
        with reading() as db:
            copy = keeping.find(db, key, by=who)
            if copy is None:
                raise NotFound("It was saved or discarded meanwhile, or it is too old.")
            editor_path, reason = _way_on(db, copy, find_saved, by=who)
        return render_page(
            "blog/working_copies/text.html",
            copy=copy,
            title=keeping.title_of(copy),
            settings=keeping.in_words(copy),
            editor_path=editor_path,
            reason=reason,
            days=_DAYS,
        )

    @blueprint.post(f"{_LIST}/<key>/discard")
    @guard
    def discard(key: str) -> ResponseReturnValue:
        """Drop it, and show the editor as it is without it. Also what one may not edit any more can be dropped."""
        form = Form(request.form)
        if refused := form.token_error():
            raise Forbidden(refused)
        if not is_key(key):
            raise NotFound
        with transaction() as db:
            keeping.discard(db, key, by=principal())
        return redirect(_safe_back(request.form.get("back", "")), code=303)


def _way_on(
    db: sa.Connection, copy: WorkingCopy, find_saved: FindSaved, *, by: Principal
) -> tuple[str | None, str | None]:
    """The address of its editor, or why there is none."""
    if not by.may(Permission.WRITE_POSTS):
        return None, "You may not write here any more, so that it cannot be saved."
    try:
        saved = find_saved(db, copy.key, by=by)
    except Gone:
        return None, "The post was deleted, so that this cannot be saved to it."
    except (NotFound, Forbidden):
        return None, "The post is not yours to change any more, so that this cannot be saved to it."
    return (saved.editor_path, None) if saved.key == copy.key else (None, "The form that it was typed into was saved.")


def _safe_back(back: str) -> str:
    """Only to an editor of this site, or to the list."""
    back = safe_next(back, default="/account")
    is_editor = back == "/new" or (back.startswith("/posts/") and back.endswith("/edit"))
    return back if is_editor or back == _LIST else "/account"
