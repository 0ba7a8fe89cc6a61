"""The pages of the desk: the list, the one question before many posts are changed, and what could not be."""

from typing import Any

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.desk import queries
from blog.desk.forms import Asked, ChoiceForm, FilterForm, choice_from
from blog.desk.many import Chosen, What, do_to_many
from blog.working_copies import keeping
from storage import clock
from web.database import reading, transaction
from web.errors import Forbidden, Invalid, NotFound
from web.paging import cut
from web.render import render_page

pages = Blueprint("desk", __name__)

_PER_PAGE = 50
_REOPENED = "You are signed in again. This is what you had chosen; nothing was done yet."
_DONE = {
    What.PUBLISH: "published",
    What.UNPUBLISH: "made drafts",
    What.DELETE: "deleted; they are in the bin for 30 days",
    What.ADD_TAG: "tagged",
    What.REMOVE_TAG: "changed",
}


@pages.get("/account")
@requires(Permission.USE_ACCOUNT, session_only=True)
def show() -> ResponseReturnValue:
    """One's own posts, drafts first; or those that were asked for."""
    return _list(ChoiceForm(), notice=_notice())


@pages.post("/account/posts")
@requires(Permission.WRITE_POSTS, session_only=True)
def change_many() -> ResponseReturnValue:
    """Ask once, with the list of what was chosen; then do it."""
    form = ChoiceForm(request.form)
    refused = form.token_error()
    try:
        chosen, asked = form.chosen(), form.asked()
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _list(form, status=422)
    if refused or form.confirm.data != "1":
        return _ask(form, chosen, asked, status=403 if refused else 200, notice=refused)
    with transaction() as db:
        outcome = do_to_many(db, asked.what, chosen, by=principal(), tag=asked.tag)
    filters = FilterForm(request.args)
    if outcome.left:
        return render_page(
            "blog/desk/left.html",
            status=409,
            outcome=outcome,
            sentence=_sentence(asked.what, outcome.done, outcome.unchanged),
            back_url=_desk_url(filters),
        )
    counts = {"did": asked.what.value, "count": str(outcome.done), "same": str(outcome.unchanged)}
    return redirect(_desk_url(filters, **counts), code=303)


def reopen_choice(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The question again, when the choice could not be taken."""
    if not principal().may(Permission.WRITE_POSTS):
        raise Forbidden
    form = choice_from(fields)
    try:
        return _ask(form, form.chosen(), form.asked(), notice=notice)
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _list(form, notice=notice)


def _list(choice: ChoiceForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    form, who = FilterForm(request.args), principal()
    filters = form.filters(by=who)
    posts, more_url = [], None
    with reading() as db:
        kept_count = keeping.count(db, by=who)
        if form.errors:
            status = 422
        else:
            try:
                posts = queries.list_posts(
                    db, filters, by=who, at=clock.now(), limit=_PER_PAGE + 1, after=form.position()
                )
            except ValueError:
                raise NotFound("This is not a page of this list.") from None
    shown, last = cut(posts, _PER_PAGE)
    if last is not None:
        place = queries.position_of(last, filters.sort)
        more_url = _desk_url(form, after=f"{place.key}~{place.id}")
    return render_page(
        "blog/desk/desk.html",
        status=status,
        posts=shown,
        form=form,
        choice=choice,
        checked=set(choice.post.data or []),
        sort=filters.sort,
        is_everybodys=filters.is_everybodys,
        may_change_any=who.may(Permission.EDIT_ANY_POST),
        action=_desk_url(form, base="/account/posts"),
        more_url=more_url,
        first_url=_desk_url(form) if form.after.data else None,
        kept_count=kept_count,
        kept_most=keeping.MOST_COPIES,
        notice=notice,
    )


def _ask(form: ChoiceForm, chosen: list[Chosen], asked: Asked, **more: Any) -> ResponseReturnValue:
    with reading() as db:
        posts = queries.list_chosen(db, [each.id for each in chosen], by=principal(), at=clock.now())
    versions = {each.id: each.version for each in chosen}
    filters = FilterForm(request.args)
    return render_page(
        "blog/desk/ask.html",
        **{"status": 200, "notice": None, **more},
        form=form,
        posts=posts,
        versions=versions,
        unknown_count=len(chosen) - len(posts),
        what=asked.what,
        tag=asked.tag,
        action=_desk_url(filters, base="/account/posts"),
        back_url=_desk_url(filters),
    )


def _desk_url(form: FilterForm, *, base: str = "/account", **more: str) -> str:
    query = form.query(**more)
    return f"{base}?{query}" if query else base


def _notice() -> str | None:
    """What was done, as the address says after a redirect; nothing else in it is believed."""
    did, done, same = (request.args.get(name, "") for name in ("did", "count", "same"))
    counts = [int(text) for text in (done, same) if text.isascii() and text.isdecimal() and len(text) < 4]
    return _sentence(What(did), *counts) if did in set(What) and len(counts) == 2 else None


def _sentence(what: What, done: int, same: int) -> str:
    def posts(count: int) -> str:
        return "One post" if count == 1 else f"{count} posts"

    words = [f"{posts(done)} {_DONE[what]}."] if done else []
    if same:
        words.append(f"{posts(same)} {'was' if same == 1 else 'were'} so already.")
    return " ".join(words) or "Nothing was changed."
