"""The API keeps to its own description: schemathesis asks it everything that the description allows, and more."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from auth.permissions import Scope
from blog.conversations.owning import open_conversation
from storage.ids import new_id
from tests.support import Site, make_site


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = make_site(tmp_path_factory.mktemp("described"))
    site.app.testing = False  # an error that nobody foresaw shall be a 500 here, which is what is looked for
    yield site
    site.close()


OPERATIONS = [
    ("/v1/posts", "get"),
    ("/v1/posts", "post"),
    ("/v1/posts/{post_id}", "get"),
    ("/v1/posts/{post_id}", "patch"),
    ("/v1/posts/{post_id}", "delete"),
    ("/v1/posts/{post_id}/revisions", "get"),
    ("/v1/posts/{post_id}/revisions/{number}", "get"),
    ("/v1/posts/{post_id}/revisions/{old}..{new}", "get"),
    ("/v1/posts/{post_id}/revisions/{number}/restore", "post"),
    ("/v1/media", "get"),
    ("/v1/media", "post"),
    ("/v1/sessions", "get"),
    ("/v1/sessions/{session_id}", "delete"),
    ("/v1/tokens", "get"),
    ("/v1/tokens", "post"),
    ("/v1/tokens/{token_id}", "delete"),
    ("/v1/events", "get"),
    ("/v1/library", "get"),
    ("/v1/library", "post"),
    ("/v1/library/{post_id}", "delete"),
    ("/v1/conversations", "get"),
    ("/v1/conversations/{conversation_id}", "get"),
    ("/v1/conversations/{conversation_id}", "put"),
    ("/v1/conversations/{conversation_id}", "patch"),
    ("/v1/conversations/{conversation_id}/messages", "get"),
    ("/v1/conversations/{conversation_id}/messages", "post"),
]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/library", "before"),
        ("/v1/conversations", "before"),
        ("/v1/conversations/{conversation_id}/messages", "after"),
    ],
)
def test_what_leads_to_the_next_page_is_described(running: Site, path: str, name: str) -> None:
    described = (running.client().get("/v1/openapi.json").json or {})["paths"][path]["get"]["parameters"]
    assert name in [parameter["name"] for parameter in described]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_answers_as_described(
    running: Site, path: str, method: str, mode: GenerationMode, soak: bool
) -> None:
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", running.app)
    token = running.token("olive", *(scope for scope in Scope if scope not in (Scope.POSTS_PROPOSE, Scope.ADMIN)))
    post = running.post("olive")
    conversation = new_id()
    with running.database.transaction() as db:
        open_conversation(db, conversation, post=post.id, guide=None, title=None, by=running.principal("olive"))

    takes_any_text = method == "get" or (path, method) == ("/v1/media", "post")

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=200 if soak else 12, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        if "post_id" in case.path_parameters and mode is GenerationMode.POSITIVE:
            case.path_parameters["post_id"] = post.id
        if "conversation_id" in case.path_parameters and mode is GenerationMode.POSITIVE:
            case.path_parameters["conversation_id"] = conversation
        # A slug may be taken, which no description can tell beforehand; and names in a query that nobody knows are
        # ignored, which schemathesis takes for data that should be refused. Neither has a field of a form a type: what
        # schemathesis sends as null arrives as a text of four letters.
        case.call_and_validate(
            headers={"Authorization": f"Bearer {token}"},
            excluded_checks=[positive_data_acceptance, *([negative_data_rejection] if takes_any_text else [])],
        )

    ask()


def test_the_description_itself_is_public_and_names_every_route_of_the_api(site: Site) -> None:
    document = site.client().get("/v1/openapi.json").json
    assert document is not None
    described = {
        (path, method)
        for path, methods in document["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    }
    served = {
        (rule.rule.replace("<int:", "<").replace("<", "{").replace(">", "}"), method.lower())
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith("/v1/") and rule.rule != "/v1/openapi.json"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == served == set(OPERATIONS)
