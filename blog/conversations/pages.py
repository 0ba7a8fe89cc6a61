"""The pages of one's own conversations: the list, one of them, its name and its place in the archive."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.conversations import queries
from blog.conversations.asking import LONGEST_QUESTION
from blog.conversations.chain import find_own
from blog.conversations.forms import AskForm, TitleForm
from blog.conversations.model import Conversation
from blog.conversations.owning import LONGEST_TITLE, change
from blog.conversations.readable_queries import find_titles
from blog.conversations.transcript import read_transcript
from storage import clock
from web.cursors import Cursor, cursor_of_page
from web.database import reading, transaction
from web.errors import Forbidden, Invalid, NotFound
from web.forms import Form
from web.headers import allow_own_scripts
from web.paging import cut
from web.render import render_page

pages = Blueprint("conversation_pages", __name__)

_PER_PAGE, _BESIDE = 30, 12
_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not stored yet."


@pages.get("/conversations")
@requires(Permission.CONVERSE, session_only=True)
def index() -> ResponseReturnValue:
    """One's own, the last used first; archived ones apart."""
    is_archived, before = "archived" in request.args, request.args.get("before")
    cursor = cursor_of_page(before)
    with reading() as db:
        found = queries.list_conversations(
            db, by=principal(), at=clock.now(), is_archived=is_archived, limit=_PER_PAGE + 1, before=cursor
        )
        shown, last = cut(found, _PER_PAGE)
        titles = _titles(db, shown)
    return render_page(
        "blog/conversations/list.html",
        conversations=shown,
        titles=titles,
        is_archived=is_archived,
        more_before=None if last is None else Cursor(last.updated_at, last.id),
        is_first_page=before is None,
        canonical_url=None,
    )


@pages.get("/conversations/<conversation_id>")
@requires(Permission.CONVERSE, session_only=True)
def show(conversation_id: str) -> ResponseReturnValue:
    """What was said, and a form to ask."""
    return show_conversation(conversation_id, AskForm(), before=_number(request.args.get("before")))


@pages.post("/conversations/<conversation_id>/title")
@requires(Permission.CONVERSE, session_only=True)
def rename(conversation_id: str) -> ResponseReturnValue:
    """Give it another name."""
    conversation, form = _find(conversation_id), TitleForm(request.form)
    if refused := form.token_error():
        return show_conversation(conversation.id, AskForm(), title=form, status=403, notice=refused)
    try:
        with transaction() as db:
            change(db, conversation.id, title=form.title.data or "", by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return show_conversation(conversation.id, AskForm(), title=form, status=422)
    return redirect(f"/conversations/{conversation.id}", code=303)


@pages.post("/conversations/<conversation_id>/archive")
@requires(Permission.CONVERSE, session_only=True)
def archive(conversation_id: str) -> ResponseReturnValue:
    """Put it into the archive, or take it out: `archived` says which."""
    conversation = _find(conversation_id)
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    asked = request.form.get("archived", "")
    if asked not in ("yes", "no"):
        raise Invalid({"archived": "Use yes or no."})
    with transaction() as db:
        change(db, conversation.id, is_archived=asked == "yes", by=principal())
    return redirect("/conversations" if asked == "yes" else f"/conversations/{conversation.id}", code=303)


def reopen_rename(fields: MultiDict[str, str], *, conversation_id: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form with another name, as it was sent when it could not be taken."""
    return show_conversation(conversation_id, AskForm(), title=TitleForm(fields), notice=notice)


def show_conversation(
    name: str,
    form: AskForm,
    *,
    title: TitleForm | None = None,
    before: int | None = None,
    status: int = 200,
    notice: str | None = None,
) -> Response:
    """The page of one's own conversation. Raises NotFound."""
    with reading() as db:
        transcript = read_transcript(db, name, by=principal(), before=before)
        others = queries.list_conversations(
            db, by=principal(), at=clock.now(), is_archived=False, limit=_BESIDE, before=None
        )
        titles = _titles(db, others)
    conversation = transcript.conversation
    form.seen.data = str(conversation.message_count)
    return render_conversation(
        status=status,
        notice=notice,
        form=form,
        conversation=conversation,
        conversation_id=conversation.id,
        title_form=TitleForm(data={"title": conversation.title}) if title is None else title,
        transcript=transcript,
        post=transcript.post,
        guide=transcript.guide,
        guides=[],
        is_last_page=before is None,
        others=[each for each in others if each.id != conversation.id],
        titles=titles,
        is_held=True,
    )


def render_conversation(**arguments: Any) -> Response:
    """The page of a conversation that is there, or of one that is not yet."""
    allow_own_scripts()
    return render_page(
        "blog/conversations/conversation.html",
        longest_question=LONGEST_QUESTION,
        longest_title=LONGEST_TITLE,
        canonical_url=None,
        **arguments,
    )


def _titles(db: sa.Connection, conversations: Sequence[Conversation]) -> dict[str, str]:
    """What the posts are called that these are about, as far as they may be known."""
    return find_titles(db, {each.post_id for each in conversations}, by=principal(), at=clock.now())


def _find(conversation_id: str) -> Conversation:
    with reading() as db:
        return find_own(db, conversation_id, by=principal()).conversation


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound("This is not a page of this conversation.")
    return int(text)
