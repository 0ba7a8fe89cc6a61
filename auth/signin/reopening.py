"""A form that was sent when nobody was signed in any more: signing in opens it again, with everything in it.

The packages above say how their forms are opened; nothing is stored meanwhile, the sign-in page carries the fields.
"""

from collections.abc import Callable

from flask import Flask, current_app, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from auth.principal import principal
from web.error_pages import answer_refusal, kept_fields
from web.errors import Refusal
from web.negotiation import wants_json
from web.requests import ForeignOrigin

# Which address the fields were sent to. The prefix keeps the two from meeting fields of the carried form.
ADDRESS_FIELD = "kept_for"
PREFIX = "kept."

Reopen = Callable[..., ResponseReturnValue]


def init_reopening(app: Flask, reopeners: dict[str, Reopen]) -> None:
    """`reopeners`: endpoint → a function of (fields, notice, **view arguments) that answers with the form, filled."""
    app.extensions["reopeners"] = reopeners
    app.register_error_handler(ForeignOrigin, answer_foreign_origin)


def fields_to_carry() -> list[tuple[str, str]]:
    """The hidden fields with which the sign-in page carries the form that this request sent; empty if there is none."""
    carried = [(name, value) for name, value in request.form.items(multi=True) if name.startswith(PREFIX)]
    if ADDRESS_FIELD in request.form:
        return [(ADDRESS_FIELD, request.form[ADDRESS_FIELD]), *carried]
    if (request.endpoint or "").startswith("signin."):
        return []
    sent = [(PREFIX + name, value) for name, value in kept_fields()]
    if request.endpoint not in current_app.extensions["reopeners"]:
        return sent
    names = [name for name in ("version", "seen", "submission") if name in request.form]
    return [(ADDRESS_FIELD, request.path), *sent, *((PREFIX + name, request.form[name]) for name in names)]


def page_behind() -> str:
    """The page that this request came from, or was for: its own address, or the nearest one above that is a page.

    A button at `/posts/words/revisions/3/restore` stands on the page of the revision. Empty where there is none.
    """
    urls, path = current_app.create_url_adapter(request), request.path
    while urls is not None and path.strip("/"):
        if urls.test(path, method="GET"):
            return path
        path = path.rstrip("/").rpartition("/")[0]
    return ""


def answer_foreign_origin(refusal: ForeignOrigin) -> ResponseReturnValue:
    """The 403 of a form that can be opened is the form, filled, with a fresh token; otherwise the usual page."""
    reopen: Reopen | None = current_app.extensions["reopeners"].get(request.endpoint)
    if reopen is None or wants_json() or not principal().is_authenticated:
        return answer_refusal(refusal)
    try:
        response = make_response(reopen(request.form, notice=refusal.detail, **(request.view_args or {})))
    except (Refusal, HTTPException, ValueError):
        # Not theirs to open, or not whole: what was refused first is what is answered.
        return answer_refusal(refusal)
    response.status_code = 403
    return response


def reopen_carried_form() -> ResponseReturnValue | None:
    """The answer to a sign-in that carried a form; None when it carried none that can be opened."""
    address = request.form.get(ADDRESS_FIELD)
    if not address:
        return None
    try:
        adapter = current_app.create_url_adapter(request)
        assert adapter is not None  # of a request there is one
        endpoint, arguments = adapter.match(address, method="POST")
    except HTTPException:
        return None
    reopen: Reopen | None = current_app.extensions["reopeners"].get(endpoint)
    if reopen is None:
        return None
    fields = [(name.removeprefix(PREFIX), v) for name, v in request.form.items(multi=True) if name.startswith(PREFIX)]
    return reopen(MultiDict(fields), **arguments)
