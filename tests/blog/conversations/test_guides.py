"""Who answers: the owner adds, changes and retires guides, and what that means for those who ask."""

import html
import re
from collections.abc import Iterator

import pytest
import time_machine

from auth.principal import FRESH_FOR
from blog.conversations import guide_pages
from blog.conversations.guiding import (
    LONGEST_GREETING,
    LONGEST_NAME,
    LONGEST_PROMPT,
    MOST_GUIDES,
    add_guide,
    retire_guide,
)
from storage import clock
from storage.ids import new_id
from tests.blog.conversations.talking import answers_with, ask, harbour, program
from tests.support import PASSWORD, Client, Site

GOOD = {"name": "Harbour master", "system_prompt": "Answer in one sentence.", "greeting": "Ahoy.", "scope": "post"}


@pytest.fixture
def olive(site: Site) -> Client:
    return site.client("olive")


def rows(site: Site) -> list[tuple[str, str, str, str, int, bool]]:
    """What is stored of each, the eldest first."""
    statement = "SELECT name, system_prompt, greeting, scope, version, retired_at IS NOT NULL FROM guides"
    with site.database.reading() as db:
        found = db.exec_driver_sql(f"{statement} ORDER BY created_at, id")
        return [(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in found]


def path_of(client: Client, name: str) -> str:
    found = re.search(rf'class="what" href="([^"]+)"><bdi>{re.escape(name)}<', client.get("/admin/guides").text)
    assert found is not None
    return found[1]


def changes(site: Site) -> list[str]:
    with site.database.reading() as db:
        found = db.exec_driver_sql("SELECT payload FROM events WHERE kind = 'guide.changed' ORDER BY id")
        return [str(row[0]) for row in found]


def test_one_is_there_from_the_start_and_stays(site: Site, olive: Client) -> None:
    page = olive.get("/admin/guides").text
    assert page.count('class="what"') == 1
    assert "/retire" not in page
    path = path_of(olive, "Guide")
    answer = olive.submit(f"{path}/retire", page="/admin/guides")
    assert (answer.status_code, "the last guide" in answer.text) == (409, True)
    assert [row[-1] for row in rows(site)] == [False]
    assert changes(site) == []


def test_the_owner_adds_changes_and_retires_one(site: Site, olive: Client) -> None:
    assert olive.submit("/admin/guides", **GOOD).headers["Location"] == "/admin/guides"
    path = path_of(olive, "Harbour master")
    page = olive.get(path).text
    assert "Answer in one sentence." in page
    changed = GOOD | {"name": "  Pilot  of the port ", "scope": "blog", "greeting": "", "version": "1"}
    assert olive.submit(path, **changed).status_code == 303
    assert rows(site)[-1] == ("Pilot of the port", "Answer in one sentence.", "", "blog", 2, False)
    assert olive.submit(path, **changed | {"version": "2"}).status_code == 303
    assert rows(site)[-1][4] == 2, "with nothing changed there is no version"
    assert olive.submit(f"{path}/retire", page="/admin/guides").status_code == 303
    assert rows(site)[-1][-1] is True
    assert olive.submit(f"{path}/retire", page="/admin/guides").status_code == 303, "again changes nothing"
    assert [re.findall(r"added|changed|retired", each) for each in changes(site)] == [
        ["added"],
        ["changed"],
        ["retired"],
    ]
    assert "one sentence" not in "".join(changes(site))
    log = html.unescape(olive.get("/admin/log").text)
    for sentence in ("added the guide “<bdi>Harbour master", "changed the guide “<bdi>Pilot", "retired the guide"):
        assert sentence in log


def test_a_retired_one_is_listed_apart_mended_and_brought_back(site: Site, olive: Client) -> None:
    assert olive.submit("/admin/guides", **GOOD).status_code == 303
    path = path_of(olive, "Harbour master")
    site.post("alan", title="Knots", slug="knots", body="## Ropes\n\nA wet rope dries in the wind.")
    new, alan = "/conversations/new?post=knots", site.client("alan")
    assert "Harbour master" in alan.get(new).text
    assert olive.submit(f"{path}/retire", page="/admin/guides").status_code == 303
    page = olive.get("/admin/guides").text
    assert page.index('id="retired"') < page.index("Harbour master")
    assert "It is retired" in olive.get(path).text
    version = rows(site)[-1][4]
    mended = GOOD | {"system_prompt": "Be good.", "scope": "blog", "greeting": ""}
    assert olive.submit(path, **mended, version=str(version)).status_code == 303
    assert rows(site)[-1] == ("Harbour master", "Be good.", "", "blog", version + 1, True)
    assert "Harbour master" not in alan.get(new).text
    for _ in range(2):
        assert olive.submit(f"{path}/bring-back", page="/admin/guides").status_code == 303
    assert rows(site)[-1] == ("Harbour master", "Be good.", "", "blog", version + 2, False)
    assert 'id="retired"' not in olive.get("/admin/guides").text
    assert "Harbour master" in alan.get(new).text
    assert [re.findall(r"added|changed|retired|brought back", each) for each in changes(site)] == [
        ["added"],
        ["retired"],
        ["changed"],
        ["brought back"],
    ]
    assert "brought back the guide “<bdi>Harbour master" in html.unescape(olive.get("/admin/log").text)


def test_what_was_mended_of_a_retired_one_counts_from_its_next_answer_on(site: Site, olive: Client) -> None:
    assert olive.submit("/admin/guides", **GOOD).status_code == 303
    path = path_of(olive, "Harbour master")
    post, alan, conversation = harbour(site), program(site, "alan"), new_id()
    chosen = {"post": post.id, "guide": path.rpartition("/")[2]}
    assert alan.put(f"/v1/conversations/{conversation}", json=chosen).status_code == 201
    scripted = answers_with(site, "So.")
    ask(alan, conversation)
    assert olive.submit(f"{path}/retire", page="/admin/guides").status_code == 303
    version = str(rows(site)[-1][4])
    assert olive.submit(path, **GOOD | {"system_prompt": "Be good."}, version=version).status_code == 303
    ask(alan, conversation)
    assert [each.guide.system_prompt for each in scripted.prompts] == ["Answer in one sentence.", "Be good."]


def test_bringing_back_has_the_bounds_of_adding(site: Site, olive: Client) -> None:
    assert olive.submit("/admin/guides", **GOOD).status_code == 303
    path = path_of(olive, "Harbour master")
    assert olive.submit(f"{path}/retire", page="/admin/guides").status_code == 303
    assert olive.post(f"{path}/bring-back", data={"csrf_token": "bad"}).status_code == 403
    with site.database.transaction() as db:
        for number in range(MOST_GUIDES - 1):
            add_guide(db, **GOOD | {"name": f"Guide {number}"}, by=site.principal("olive"))
    answer = olive.submit(f"{path}/bring-back", page="/admin/guides")
    assert (answer.status_code, "Retire one first" in answer.text) == (409, True)
    assert sum(row[-1] for row in rows(site)) == 1
    assert olive.submit(f"/admin/guides/{new_id()}/bring-back", page="/admin/guides").status_code == 404


def test_the_retired_have_pages(site: Site, olive: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guide_pages, "_PER_PAGE", 2)
    with site.database.transaction() as db:
        for number in range(5):
            guide = add_guide(db, **GOOD | {"name": f"Guide {number}"}, by=site.principal("olive"))
            retire_guide(db, guide.id, by=site.principal("olive"))
    seen: list[str] = []
    path = "/admin/guides"
    while path:
        page = olive.get(path).text
        seen += re.findall(r'class="what"[^>]*><bdi>(Guide \d)<', page)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        path = more[1] if more else ""
    assert seen == [f"Guide {number}" for number in (4, 3, 2, 1, 0)]
    assert olive.get("/admin/guides?before=x").status_code == 404


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, f"Use 1 to {LONGEST_NAME} characters"),
        ({"name": "x" * (LONGEST_NAME + 1)}, f"Use 1 to {LONGEST_NAME} characters"),
        ({"name": "a\x00b"}, f"Use 1 to {LONGEST_NAME} characters"),
        ({"system_prompt": " \n"}, "Use 1 to 8,000 characters"),
        ({"system_prompt": "x" * (LONGEST_PROMPT + 1)}, "Use 1 to 8,000 characters"),
        ({"system_prompt": "a\x1bb"}, "Use 1 to 8,000 characters"),
        ({"greeting": "x" * (LONGEST_GREETING + 1)}, f"Use at most {LONGEST_GREETING} characters"),
        ({"scope": "everything"}, "Choose one of these"),
    ],
)
def test_what_cannot_be_taken_comes_back_with_the_fault_beside_its_field(
    site: Site, olive: Client, fields: dict[str, str], sentence: str
) -> None:
    before = rows(site)
    for path in ("/admin/guides", path_of(olive, "Guide")):
        sent = GOOD | {"greeting": "Kept, whatever else."} | fields
        answer = olive.submit(path, **sent)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert "Kept, whatever else." in answer.text or "greeting" in fields
    assert rows(site) == before


def test_the_longest_is_taken(site: Site, olive: Client) -> None:
    longest = {
        "name": "n" * LONGEST_NAME,
        "system_prompt": "p\n" * (LONGEST_PROMPT // 2 - 1) + "pp",
        "greeting": "g" * LONGEST_GREETING,
    }
    assert olive.submit("/admin/guides", **GOOD | longest).status_code == 303
    assert rows(site)[-1][:3] == tuple(longest.values())


def test_two_owners_who_meet_lose_nothing(site: Site, olive: Client) -> None:
    path = path_of(olive, "Guide")
    assert olive.submit(path, **GOOD, version="1").status_code == 303
    answer = olive.submit(path, **GOOD | {"name": "Mine"}, version="1")
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.text
    assert rows(site)[0][0] == "Harbour master"
    version = re.search(r'name="version"[^>]*value="(\d+)"', answer.text)
    assert version is not None
    assert olive.submit(path, **GOOD | {"name": "Mine"}, version=version[1]).status_code == 303
    assert rows(site)[0][0] == "Mine"


def test_there_are_no_more_than_fit_a_list(site: Site, olive: Client) -> None:
    with site.database.transaction() as db:
        for number in range(MOST_GUIDES - 1):
            add_guide(db, **GOOD | {"name": f"Guide {number}"}, by=site.principal("olive"))
    answer = olive.submit("/admin/guides", **GOOD)
    assert (answer.status_code, 'value="Harbour master"' in answer.text) == (409, True)
    assert site.rows("guides") == MOST_GUIDES


def test_without_the_form_s_token_nothing_changes_and_the_form_comes_back(site: Site, olive: Client) -> None:
    before, path = rows(site), path_of(olive, "Guide")
    for target in ("/admin/guides", path):
        answer = olive.post(target, data=GOOD | {"csrf_token": "bad"})
        assert (answer.status_code, 'value="Harbour master"' in answer.text) == (403, True)
    assert olive.post(f"{path}/retire", data={"csrf_token": "bad"}).status_code == 403
    assert rows(site) == before


@pytest.fixture
def later() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1_900_000_000) as traveller:
        yield traveller


@pytest.mark.parametrize("is_new", [True, False])
def test_a_change_needs_a_sign_in_of_late_and_is_there_again_after_it(
    site: Site, later: time_machine.Traveller, is_new: bool
) -> None:
    olive = site.client("olive")
    path = "/admin/guides" if is_new else path_of(olive, "Guide")
    token = olive.form_token(path)
    later.shift((FRESH_FOR + clock.SECOND) / clock.SECOND)
    before = rows(site)
    refused = olive.post(path, data=GOOD | {"csrf_token": token})
    assert refused.status_code == 401
    hidden = [each for each in re.findall(r"<input[^>]*>", refused.text) if 'type="hidden"' in each]
    named = [(re.search(r'name="([^"]*)"', each), re.search(r'value="([^"]*)"', each)) for each in hidden]
    fields = {name[1]: html.unescape(value[1] if value else "") for name, value in named if name}
    answer = olive.post("/login", data=fields | {"username": "olive", "password": PASSWORD})
    assert answer.status_code == 200
    assert 'value="Harbour master"' in answer.text
    assert "Answer in one sentence." in answer.text
    assert f'action="{path}"' in answer.text
    assert rows(site) == before


def test_whoever_begins_a_conversation_chooses(site: Site, olive: Client) -> None:
    post = site.post("alan", title="Knots", slug="knots", body="## Ropes\n\nA wet rope dries in the wind.")
    alan = site.client("alan")
    assert "Who answers" not in alan.get("/conversations/new?post=knots").text
    assert olive.submit("/admin/guides", **GOOD).status_code == 303
    page = alan.get("/conversations/new?post=knots").text
    assert "Who answers" in page
    chosen = path_of(olive, "Harbour master").rpartition("/")[2]
    target = re.search(r'action="(/conversations/[^"]+)/ask"', page)
    assert target is not None
    asked = {"content": "What dries a wet rope?", "post": post.id}
    answer = alan.submit(f"{target[1]}/ask", page="/library", guide="nobody", **asked)
    assert (answer.status_code, site.rows("conversations")) == (422, 0)
    assert alan.submit(f"{target[1]}/ask", page="/library", guide=chosen, **asked).status_code == 303
    assert "<bdi>Harbour master</bdi>" in alan.get(target[1]).text
    assert olive.submit(f"/admin/guides/{chosen}/retire", page="/admin/guides").status_code == 303
    again = alan.submit(f"{target[1]}/ask", page="/library", content="And once more?")
    assert again.status_code == 303, "it goes on with the guide that it began with"
    assert "Who answers" not in alan.get("/conversations/new?post=knots").text


def test_a_guide_of_the_whole_blog_quotes_what_the_reader_may_read(site: Site, olive: Client) -> None:
    post = site.post("alan", title="Knots", slug="knots", body="## Ropes\n\nA wet rope dries in the wind.")
    site.post("ada", title="Boats", slug="boats", body="## Tar\n\nA boat is tarred in spring.")
    site.post("ada", title="Secret", slug="secret", body="## Tar\n\nThe tar of a boat is hidden.", visibility="granted")
    assert olive.submit(path_of(olive, "Guide"), **GOOD | {"scope": "blog"}, version="1").status_code == 303
    rita = site.client("rita")
    rita.submit("/library", page=post.path, post=post.id)
    page = rita.get("/conversations/new?post=knots").text
    target = re.search(r'action="(/conversations/[^"]+)/ask"', page)
    assert target is not None
    asked = {"content": "When is a boat tarred?", "post": post.id}
    assert rita.submit(f"{target[1]}/ask", page="/library", **asked).status_code == 303
    said = rita.get(target[1]).text
    assert "tarred in spring" in said
    assert "hidden." not in said
    assert site.client("ada").submit("/posts/boats/unpublish", page="/posts/boats").status_code == 303
    said = rita.get(target[1]).text
    assert "not here for you any more" in said
    assert "tarred in spring" not in said
    answer = program(site).get(f"/v1{target[1]}/messages").json["items"][1]
    assert (answer["content"], answer["html"], answer["passages"], answer["state"]) == ("", "", [], "withheld")
    seen = answers_with(site, "Well.")
    assert rita.submit(f"{target[1]}/ask", page="/library", content="And a rope?").status_code == 303
    (prompt,) = seen.prompts
    assert "tarred in spring" not in str(prompt)
    # It was taken away from sight, and nothing else.
    assert site.client("ada").submit("/posts/boats/publish", page="/posts/boats").status_code == 303
    assert "tarred in spring" in rita.get(target[1]).text
