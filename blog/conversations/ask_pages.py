"""Asking from a page: a conversation that is not there yet, and the form that needs no script."""

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.conversations import guide_queries, queries
from blog.conversations.ask_api import WatchRight, exchange
from blog.conversations.asking import check_day, check_question
from blog.conversations.exchanging import Said
from blog.conversations.forms import AskForm
from blog.conversations.model import Role
from blog.conversations.owning import NOT_SAVED, open_conversation
from blog.conversations.pages import render_conversation, show_conversation
from blog.library.holding import find_post
from blog.library.queries import find_source
from storage import clock
from storage.ids import new_id, parse_id
from web.database import reading, transaction
from web.errors import Busy, Forbidden, Invalid, NotFound, TooMany

_BESIDE = 12
# Of what was said since a form was shown, so much is looked through for what it asks.
_MOST_SINCE = 20
_UNKNOWN = "You have no conversation of that id."
_REOPENED = "You are signed in again. Your question is here as you sent it; it was not asked yet."


def make_pages(watch_right: WatchRight) -> Blueprint:
    """The routes."""
    pages = Blueprint("ask_pages", __name__)

    @pages.get("/conversations/new")
    @requires(Permission.CONVERSE, session_only=True)
    def new() -> ResponseReturnValue:
        """A form that begins a conversation with a post; nothing is stored until it is sent."""
        name = request.args.get("post", "").strip()
        return _show_new(new_id(), name, AskForm()) if name else redirect("/library", code=303)

    @pages.post("/conversations/<conversation_id>/ask")
    @requires(Permission.CONVERSE, session_only=True)
    def ask(conversation_id: str) -> ResponseReturnValue:
        """Ask, and show the whole answer; a conversation that is not there yet begins with it."""
        form, known = AskForm(request.form), _known(conversation_id)
        is_new = _is_new(known, form)
        if refused := form.token_error():
            return _show(known, form, status=403, notice=refused)
        content = form.content.data or ""
        if (place := _asked_already(known, form)) is not None:
            return place
        try:
            if is_new:
                check_question(content)
                with transaction() as db:
                    # Nothing begins that could not go on.
                    check_day(db, by=principal())
                    post, guide = _asked_post(form), form.guide.data or None
                    open_conversation(db, known, post=post, guide=guide, title=None, by=principal())
            with closing(exchange(known, content, watch_right)) as said:
                last = _answer(said)
        except Invalid as invalid:
            rest = form.show_faults(invalid.fields)
            return _show(known, form, status=422, notice=" ".join(rest) or None)
        except (TooMany, Busy) as refusal:
            if (place := _asked_already(known, form)) is not None:
                return place
            notice = f"{refusal.detail} Your question is kept below."
            response = _show(known, form, status=refusal.status, notice=notice)
            response.headers["Retry-After"] = str(refusal.retry_after_seconds)
            return response
        return _place_of(known, last)

    return pages


def reopen_ask(fields: MultiDict[str, str], *, conversation_id: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The question, as it was sent when it could not be taken."""
    return _show(_known(conversation_id), AskForm(fields), notice=notice)


def _asked_already(known: str, form: AskForm) -> ResponseReturnValue | None:
    """The way to what came of this very form, if it was sent before; it asks once, however often it is sent."""
    seen = form.seen_number()
    try:
        content = check_question(form.content.data or "")
    except Invalid:
        return None
    if seen is None:
        return None
    with reading() as db:
        if queries.find_owned(db, known, user_id=principal().user_id) is None:
            return None
        since = queries.list_messages(db, known, limit=_MOST_SINCE, after=seen)
    for message, following in pairwise([*since, None]):
        if message is not None and message.role == Role.READER and message.content == content:
            answer = following if following is not None and following.role == Role.GUIDE else message
            return _place_of(known, answer.id)
    return None


def _place_of(known: str, message_id: str) -> ResponseReturnValue:
    return redirect(f"/conversations/{known}#m-{message_id}", code=303)


def _answer(exchange: Iterator[Said]) -> str:
    """Take in all of it: the id of the answer that was stored, or of the question where none was."""
    message_id = ""
    for said in exchange:
        if said.event == "accepted":
            message_id = said.data["message_id"]
        elif said.event == "done":
            message_id = said.data["message"]["id"]
    return message_id


def _show(known: str, form: AskForm, *, status: int = 200, notice: str | None = None) -> Response:
    if _is_new(known, form):
        return _show_new(known, _asked_post(form), form, status=status, notice=notice)
    return show_conversation(known, form, status=status, notice=notice)


def _show_new(
    conversation_id: str, name: str, form: AskForm, *, status: int = 200, notice: str | None = None
) -> Response:
    who = principal()
    with reading() as db:
        post = find_post(db, name, by=who)
        is_held = find_source(db, post.id, user_id=who.user_id) is not None
        guides = guide_queries.list_guides(db)
        others = queries.list_conversations(
            db, by=who, at=clock.now(), is_archived=False, limit=_BESIDE, post_id=post.id
        )
    form.offer(guides)
    form.post.data, form.seen.data = post.id, "0"
    guide = next((each for each in guides if each.id == form.guide.data), guides[0])
    return render_conversation(
        status=status,
        notice=notice,
        form=form,
        conversation=None,
        conversation_id=conversation_id,
        title_form=None,
        transcript=None,
        post=post,
        guide=guide,
        guides=guides,
        is_last_page=True,
        others=others,
        titles={},
        is_held=is_held,
    )


def _is_new(known: str, form: AskForm) -> bool:
    """Whether this would be the first question. Raises NotFound for somebody else's, and for an unknown post."""
    who = principal()
    with reading() as db:
        if queries.find_owned(db, known, user_id=who.user_id) is not None:
            return False
        if queries.is_taken(db, known) or not _asked_post(form):
            raise NotFound(_UNKNOWN)
        post = find_post(db, _asked_post(form), by=who)
        if find_source(db, post.id, user_id=who.user_id) is None:
            raise Forbidden(NOT_SAVED)
    return True


def _asked_post(form: AskForm) -> str:
    return (form.post.data or "").strip()


def _known(conversation_id: str) -> str:
    known = parse_id(conversation_id)
    if known is None:
        raise NotFound(_UNKNOWN)
    return known
