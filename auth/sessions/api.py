"""One's own sign-in sessions as JSON, for programs."""

import re
from typing import Any

from flask import Blueprint, Response, request

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from auth.sessions.cookies import forget_session
from auth.sessions.own import OwnSession, end_own_session, find_own_session, list_own_sessions
from auth.sessions.queries import Place
from storage import clock
from web.csrf import check_header_token
from web.database import reading, transaction
from web.errors import Invalid
from web.paging import answer_page, asked_flag, asked_limit, cut

api = Blueprint("sessions_api", __name__)

_PLACE = re.compile(r"([0-9]{1,18})~([0-9]{1,18}\.[0-9]{1,18})", re.ASCII)


@api.get("/v1/sessions")
@requires(Permission.USE_ACCOUNT)
def index() -> Response:
    """The live ones, with `past=true` also the ended ones, the last seen first."""
    limit, with_past, before = asked_limit(), asked_flag("past"), _place()
    with reading() as db:
        sessions = list_own_sessions(db, by=principal(), limit=limit + 1, before=before, with_past=with_past)
    shown, last = cut(sessions, limit)
    past = "&past=true" if with_past else ""
    following = None if last is None else f"/v1/sessions?limit={limit}{past}&before={last.last_seen_at}~{last.id}"
    return answer_page([_as_json(session) for session in shown], following)


@api.delete("/v1/sessions/<session_id>")
@requires(Permission.USE_ACCOUNT)
def end(session_id: str) -> Response:
    """End one: 204."""
    with reading() as db:
        find_own_session(db, session_id, by=principal())
    check_header_token()
    with transaction() as db:
        end_own_session(db, session_id, by=principal())
    if session_id == principal().session_id:
        forget_session()
    return Response(status=204)


def _as_json(session: OwnSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "kind": "sign_in",
        "created_at": clock.to_rfc3339(session.created_at),
        "last_seen_at": clock.to_rfc3339(session.last_seen_at),
        "event_count": session.event_count,
        "first_message": session.first_message,
        "user_agent": session.device,
        "address": session.network,
        "current": session.is_current,
    }


def _place() -> Place | None:
    text = request.args.get("before")
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        raise Invalid({"before": "This is not a place in this list; follow `next`."})
    return Place(int(found[1]), found[2])
