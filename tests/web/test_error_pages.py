"""A refusal says what happened, keeps what was typed, and says what to do next; a failure shows its number alone."""

import json
from collections.abc import Callable

import pytest
import structlog
from structlog.testing import capture_logs

from auth.guards import public
from storage.errors import Busy as StorageBusy
from storage.errors import Damaged, Full
from tests.support import Site
from web.errors import (
    Busy,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Refusal,
    Stale,
    TooLarge,
    TooMany,
    Unauthenticated,
)

HTML, JSON = {"Accept": "text/html"}, {"Accept": "application/json"}


def raising(site: Site, error: Exception) -> None:
    """`/raising` raises it."""

    def view() -> str:
        raise error

    site.app.add_url_rule("/raising", "raising", public(view), methods=["GET", "POST"])


CLOSED_LIST: list[tuple[Refusal, int, int]] = [
    (NotFound("Not here."), 404, 404),
    (Gone("Not any more."), 410, 410),
    (Invalid({"title": "Give it one."}), 422, 422),
    (Conflict("Not now."), 409, 409),
    (Stale(3), 409, 412),
    (Busy("Not at the moment.", retry_after_seconds=7), 503, 503),
    (Unauthenticated("Who are you?"), 401, 401),
    (Forbidden("Not you."), 403, 403),
    (TooMany("Not so often.", retry_after_seconds=60), 429, 429),
    (TooLarge("Not so much."), 413, 413),
]


@pytest.mark.parametrize(("refusal", "status", "status_in_json"), CLOSED_LIST, ids=lambda each: type(each).__name__)
def test_each_refusal_of_the_closed_list_has_one_answer(
    site: Site, refusal: Refusal, status: int, status_in_json: int
) -> None:
    raising(site, refusal)
    page = site.client().get("/raising", headers=HTML)
    problem = site.client().get("/raising", headers=JSON)
    assert (page.status_code, problem.status_code) == (status, status_in_json)
    assert page.mimetype == "text/html"
    assert problem.mimetype == "application/problem+json"
    body = json.loads(problem.text)
    assert body["type"] == "about:blank"
    assert body["status"] == status_in_json
    assert body["title"]
    assert refusal.detail in body["detail"]
    if refusal.retry_after_seconds is not None:
        assert page.headers["Retry-After"] == problem.headers["Retry-After"] == str(refusal.retry_after_seconds)
    if isinstance(refusal, Invalid):
        assert body["errors"] == [{"field": "title", "detail": "Give it one."}]


def test_no_refusal_is_left_out() -> None:
    def below(kind: type[Refusal]) -> set[type[Refusal]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    of_the_list = {kind for kind in below(Refusal) if kind.__module__ == Refusal.__module__}
    assert of_the_list - {Refusal} == {type(refusal) for refusal, _status, _json in CLOSED_LIST}


@pytest.mark.parametrize(
    ("headers", "path", "is_json"),
    [
        ({}, "/nowhere", False),
        ({"Accept": "*/*"}, "/nowhere", False),
        (HTML, "/nowhere", False),
        ({"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "/nowhere", False),
        (JSON, "/nowhere", True),
        ({"Accept": "application/problem+json"}, "/nowhere", True),
        ({"Accept": "application/json, text/html;q=0.5"}, "/nowhere", True),
        ({"Content-Type": "application/json"}, "/nowhere", True),
        ({"Accept": "image/png"}, "/nowhere", False),
        (HTML, "/v1/nowhere", True),
    ],
)
def test_programs_get_a_problem_and_people_a_page(
    site: Site, headers: dict[str, str], path: str, is_json: bool
) -> None:
    answer = site.client().get(path, headers=headers)
    assert answer.status_code == 404
    assert answer.mimetype == ("application/problem+json" if is_json else "text/html")


def test_a_page_that_is_not_there_says_what_to_do_next(site: Site) -> None:
    page = site.client().get("/nowhere", headers=HTML).text
    assert "There is no page at this address" in page
    assert 'href="/"' in page


def test_what_was_typed_is_on_the_page_of_a_refusal_but_no_secret(site: Site) -> None:
    raising(site, Conflict("Not now."))
    fields = {
        "title": "What I typed <b>", "body": "all of it", "csrf_token": "a-token", "password": "hunter22",
        "current_password": "hunter33", "new_password": "hunter44",
    }  # fmt: skip
    for content_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
        page = site.client().post("/raising", data=fields, content_type=content_type, headers=HTML).text
        assert "What I typed &lt;b&gt;" in page
        assert "all of it" in page
        assert "hunter" not in page
        assert "a-token" not in page


# When the database cannot be used


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (StorageBusy("held"), "busy writing something else"),
        (Full("no room"), "disk of this site is full"),
        (Damaged("page 3"), "database of this site is damaged"),
    ],
    ids=["busy", "full", "damaged"],
)
def test_a_database_that_cannot_be_used_is_503_in_words_and_nothing_typed_is_lost(
    site: Site, error: Exception, sentence: str
) -> None:
    raising(site, error)
    with capture_logs() as lines:
        page = site.client().post("/raising", data={"body": "all of it"}, headers=HTML)
        problem = site.client().post("/raising", json={}, headers=JSON)
    for answer in (page, problem):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert sentence in answer.text
        assert str(error) not in answer.text
    assert "all of it" in page.text
    assert [line["reason"] for line in lines if line["event"] == "storage_unavailable"] == [str(error)] * 2


def test_a_form_that_meets_a_full_disk_comes_back_with_its_text_and_can_be_sent_again(site: Site) -> None:
    alan = site.client("alan")
    kept = site.post(title="Kept")
    text = "Words that must not be lost. " * 2000
    fields = {"title": "A long one", "body": text, "status": "published", "tags": "one"}
    token, program = alan.form_token(), site.client(token=site.token("alan"))
    _limit_pages(site, 1)
    with capture_logs():
        refused = alan.post("/new", data={"csrf_token": token, **fields}, headers=HTML)
        by_program = program.post("/v1/posts", json={"title": "a", "body": text})
    assert refused.status_code == by_program.status_code == 503
    assert text.strip() in refused.text
    assert "A long one" in refused.text
    assert int(refused.headers["Retry-After"]) > 0
    assert int(by_program.headers["Retry-After"]) > 0
    assert site.rows("posts") == 1
    assert site.client().get(f"/posts/{kept.slug}").status_code == 200
    assert alan.get("/account").status_code == 200
    _limit_pages(site, 1_000_000)
    again = alan.post("/new", data={"csrf_token": token, **fields})
    assert again.status_code == 303
    assert text.strip() in alan.get(f"{again.headers['Location']}/edit").text
    assert site.rows("revisions") == 2


def _limit_pages(site: Site, count: int) -> None:
    """Let the database have that many pages at most, or as many as it has."""
    with site.database.write_engine.connect() as connection:
        driver_connection = connection.connection.dbapi_connection
        assert driver_connection is not None
        driver_connection.cursor().execute(f"PRAGMA max_page_count = {count}")


# Failures


@pytest.mark.parametrize("headers", [HTML, JSON], ids=["page", "problem"])
def test_a_failure_shows_its_number_alone_and_the_log_knows_the_rest(site: Site, headers: dict[str, str]) -> None:
    raising(site, RuntimeError("a secret of the house"))
    site.app.testing = False
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answer = site.client("olive").get("/raising?token=abc", headers=headers)
    assert answer.status_code == 500
    number = answer.headers["X-Request-Id"]
    assert number in answer.text
    for unsaid in ("secret of the house", "RuntimeError", "Traceback", "raising.py", "token=abc", str(site.folder)):
        assert unsaid not in answer.text
    [line] = [line for line in lines if line["event"] == "unforeseen_error"]
    assert line["request_id"] == number
    assert isinstance(line["exc_info"], RuntimeError)
    if headers == JSON:
        assert set(json.loads(answer.text)) <= {"type", "title", "status", "detail", "request_id"}


def test_a_failure_while_the_database_is_gone_is_still_answered(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(site, RuntimeError("one thing"))
    site.app.testing = False
    monkeypatch.setattr("web.render.read_site", _raise(Damaged("another thing")))
    with capture_logs():
        answer = site.client().get("/raising", headers=HTML)
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text


def _raise(error: Exception) -> Callable[..., object]:
    def raise_it(*_arguments: object) -> object:
        raise error

    return raise_it


def test_every_request_has_a_number_of_its_own(site: Site) -> None:
    numbers = {
        site.client().get(path).headers["X-Request-Id"] for path in ("/nowhere", "/healthz", "/nowhere", "/login")
    }
    assert len(numbers) == 4


def test_an_address_that_no_route_knows_is_told_like_one_that_nothing_is_at(site: Site) -> None:
    for path in ("/no/such", "/nosuch"):
        assert "<h1>Nothing is here</h1>" in site.client().get(path).text
