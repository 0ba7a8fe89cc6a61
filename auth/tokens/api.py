"""One's own tokens as JSON, for programs."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import ConfigDict, Field

from auth.guards import requires
from auth.permissions import Permission, Scope
from auth.principal import principal
from auth.tokens.issuing import LONGEST_LABEL
from auth.tokens.model import Token
from auth.tokens.own import find_own_token, list_own_tokens, make_own_token, revoke_own_token
from storage import clock
from web.csrf import check_header_token
from web.cursors import Cursor, cursor_before
from web.database import reading, transaction
from web.json_body import JsonBody, Moment, read_body
from web.paging import answer_page, asked_limit, cut

api = Blueprint("tokens_api", __name__)


class TokenBody(JsonBody):
    """What is said of a new token. The rules stand in `issuing` and `own`."""

    model_config = ConfigDict(json_schema_extra={"required": ["name", "scopes"]})

    name: str = Field("", json_schema_extra={"minLength": 1, "maxLength": LONGEST_LABEL})
    scopes: list[str] = Field([], json_schema_extra={"minItems": 1, "items": {"type": "string", "enum": list(Scope)}})
    expires_at: Moment | None = Field(None, description="Absent: good until it is revoked.")


@api.get("/v1/tokens")
@requires(Permission.USE_ACCOUNT)
def index() -> Response:
    """One's own, without their secrets, the newest first."""
    limit, before = asked_limit(), cursor_before(request.args.get("before"))
    with reading() as db:
        tokens = list_own_tokens(db, by=principal(), limit=limit + 1, before=before)
    shown, last = cut(tokens, limit)
    following = None if last is None else f"/v1/tokens?limit={limit}&before={Cursor(last.created_at, last.id)}"
    return answer_page([_as_json(token) for token in shown], following)


@api.post("/v1/tokens")
@requires(Permission.USE_ACCOUNT, fresh=True)
def create() -> Response:
    """Make one: 201, with its secret, this once."""
    check_header_token()
    asked, faults = read_body(TokenBody)
    expires_at = asked.get("expires_at")
    with transaction() as db:
        issued = make_own_token(
            db,
            name=asked.get("name", ""),
            scopes=asked.get("scopes", []),
            expires_at=None if expires_at is None else clock.from_datetime(expires_at),
            parse_faults=faults,
            by=principal(),
        )
    response = jsonify({**_as_json(issued.token), "token": issued.secret})
    response.status_code = 201
    return response


@api.delete("/v1/tokens/<token_id>")
@requires(Permission.USE_ACCOUNT)
def revoke(token_id: str) -> Response:
    """Revoke one: 204."""
    with reading() as db:
        find_own_token(db, token_id, by=principal())
    check_header_token()
    with transaction() as db:
        revoke_own_token(db, token_id, by=principal())
    return Response(status=204)


def _as_json(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.label,
        "scopes": sorted(token.scopes),
        "created_at": clock.to_rfc3339(token.created_at),
        "expires_at": None if token.expires_at is None else clock.to_rfc3339(token.expires_at),
        "last_used_on": token.last_used_on,
        "current": token.id == principal().token_id,
    }
