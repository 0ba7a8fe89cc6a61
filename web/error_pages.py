"""How a refusal is answered: a page that says what happened, what was kept and what to do next, or a problem+json."""

from http import HTTPStatus

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from storage.errors import Busy as StorageBusy
from storage.errors import Damaged, Full
from web.errors import Busy, Forbidden, Gone, NotFound, Refusal, Stale, TooLarge, Unauthenticated
from web.negotiation import wants_json
from web.render import current_site, render_page
from web.site.model import Site

log = structlog.get_logger()

_HOME = ("Go to the home page", "/")
_SIGN_IN = ("Sign in", "/login")
_NEXT_STEPS = {
    401: [_SIGN_IN, _HOME],
    404: [_HOME],
    410: [_HOME],
}
_EXPLANATIONS = {
    400: "The request was not understood. Nothing was changed.",
    403: "You are signed in, but this is not yours to change. Nothing was changed.",
    404: "There is no page at this address. It may never have been here, or it is not public.",
    405: "This address does not take requests of that kind. Nothing was changed.",
    410: "What stood here was deleted.",
    413: "What was sent is over the limit of 2 MiB and was not read. Nothing was changed.",
    500: "Something went wrong on our side. Please tell the owner of the site this number.",
}
_STORAGE_SENTENCES = {
    StorageBusy: "The site is busy writing something else. Nothing was stored. Try again in a few seconds.",
    Full: "The disk of this site is full, so nothing could be stored. Please tell its owner, and try again later.",
    Damaged: "The database of this site is damaged, so nothing could be read or stored. Please tell its owner.",
}
# Fields that are the form's own machinery, or secret: never shown again.
_NOT_KEPT = {
    "csrf_token",
    "submission",
    "version",
    "seen",
    "next",
    "action",
    "password",
    "current_password",
    "new_password",
    "code",
    "recovery_code",
    "app_code",
    "pending",
    "proof",
    "credential",
    "challenge",
}


def init_error_pages(app: Flask) -> None:
    """Every error leaves through here, also those that nobody foresaw."""
    app.register_error_handler(Refusal, answer_refusal)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(StorageBusy, _answer_storage)
    app.register_error_handler(Full, _answer_storage)
    app.register_error_handler(Damaged, _answer_storage)
    app.register_error_handler(Exception, _answer_unforeseen)


def answer_refusal(refusal: Refusal) -> Response:
    """The answer to a refusal, in the form that the asker reads."""
    status = 412 if isinstance(refusal, Stale) and wants_json() else refusal.status
    next_steps = [_SIGN_IN, _HOME] if isinstance(refusal, Gone) and refusal.offers_sign_in else None
    faults = getattr(refusal, "fields", None)
    response = _answer(status, refusal.title, refusal.detail, faults=faults, next_steps=next_steps)
    if refusal.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    if isinstance(refusal, Unauthenticated):
        response.headers["WWW-Authenticate"] = challenge(refusal.error_code)
    if isinstance(refusal, Forbidden) and refusal.error_code:
        response.headers["WWW-Authenticate"] = challenge(refusal.error_code)
    return response


def challenge(error_code: str | None = None) -> str:
    """The value of WWW-Authenticate (RFC 6750, section 3)."""
    return 'Bearer realm="Byline"' + (f', error="{error_code}"' if error_code else "")


def kept_fields() -> list[tuple[str, str]]:
    """What a person typed into the form that this request sent, so that no answer loses it."""
    if request.mimetype not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return []
    try:
        fields = request.form
    except (HTTPException, ValueError):
        return []
    return [(name, value) for name, value in fields.items(multi=True) if name not in _NOT_KEPT and value]


def _answer_http(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        return answer_refusal(TooLarge())
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    # Werkzeug's own sentences are for programmers; ours stand in the table, unless a handler gave one.
    given = error.description if error.description != type(error).description else ""
    title = NotFound.title if error.code == NotFound.status else HTTPStatus(error.code).phrase
    response = _answer(error.code, title, given or "")
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def _answer_storage(error: Exception) -> Response:
    log.warning("storage_unavailable", reason=str(error))
    sentence = next(sentence for kind, sentence in _STORAGE_SENTENCES.items() if isinstance(error, kind))
    return answer_refusal(Busy(sentence, retry_after_seconds=5))


def _answer_unforeseen(error: Exception) -> Response:
    log.exception("unforeseen_error", exc_info=error)
    if current_app.testing:
        raise error
    return _answer(500, HTTPStatus(500).phrase, "")


def _answer(
    status: int,
    title: str,
    detail: str,
    *,
    faults: dict[str, str] | None = None,
    next_steps: list[tuple[str, str]] | None = None,
) -> Response:
    detail = detail or _EXPLANATIONS.get(status, "")
    if wants_json():
        return _problem(status, title, detail, faults)
    return render_page(
        "web/error.html",
        status=status,
        title=title,
        explanation=detail,
        next_steps=next_steps or _NEXT_STEPS.get(status, [_HOME]),
        offers_search=status in (404, 410),
        kept=kept_fields() if status != 413 else [],
        request_id=g.get("request_id") if status >= 500 else None,
        site=_site_if_possible(),
        canonical_url=None,
    )


def _problem(status: int, title: str, detail: str, faults: dict[str, str] | None) -> Response:
    problem: dict[str, object] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        problem["detail"] = detail
    if faults:
        problem["errors"] = [{"field": name, "detail": fault} for name, fault in faults.items()]
    if status >= 500:
        problem["request_id"] = g.get("request_id")
    response = jsonify(problem)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def _site_if_possible() -> Site:
    try:
        return current_site()
    except (StorageBusy, Full, Damaged):
        # Not asked a second time for this page: it may have taken its time to fail.
        site = g.site = Site()
        return site
