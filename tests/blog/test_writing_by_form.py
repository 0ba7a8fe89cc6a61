"""Posts as people write them: whatever is refused, the text is on the page again."""

import re
import threading

import pytest
import time_machine

from storage import clock
from tests.support import PASSWORD, Client, Site

TEXT = '\nA line with "quotes", <b>tags</b> & umlauts: äöü\n\n\tand a tab; 漢字 🖋\n'
FIELDS = {"title": "Words & more", "body": TEXT, "tags": "one, Two", "status": "published"}


def test_publishing_by_form_leads_to_the_post(site: Site) -> None:
    alan = site.client("alan")
    answer = alan.submit("/new", **FIELDS)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/posts/words-more"
    page = site.client().get("/posts/words-more")
    assert page.status_code == 200
    assert "Words &amp; more" in page.text
    assert site.client().get("/tags/two").status_code == 200


def test_a_draft_is_404_for_everybody_who_may_not_edit_it(site: Site) -> None:
    alan = site.client("alan")
    alan.submit("/new", **FIELDS | {"status": "draft"})
    for client, status in ((site.client(), 404), (site.client("rita"), 404), (site.client("ada"), 404), (alan, 200)):
        assert client.get("/posts/words-more").status_code == status
    assert site.client("edith").get("/posts/words-more").status_code == 200
    assert "Words" not in site.client().get("/").text
    assert "Words" not in site.client().get("/feed.xml").text


def test_publish_and_unpublish_buttons(site: Site) -> None:
    post = site.post(status="draft")
    alan = site.client("alan")
    page = f"/posts/{post.slug}"
    assert alan.submit(f"{page}/publish", page=page).status_code == 303
    assert site.client().get(page).status_code == 200
    assert alan.submit(f"{page}/publish", page=page).status_code == 303  # again: nothing happens
    assert site.rows("revisions") == 2
    assert alan.submit(f"{page}/unpublish", page=page).status_code == 303
    assert site.client().get(page).status_code == 404


def test_delete_asks_once_and_then_the_address_says_gone(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    assert "form" in alan.get(f"/posts/{post.slug}/delete").text
    assert site.client().get(f"/posts/{post.slug}").status_code == 200
    assert alan.submit(f"/posts/{post.slug}/delete", version="1").status_code == 303
    assert site.client().get(f"/posts/{post.slug}").status_code == 410
    assert alan.get(f"/posts/{post.slug}/edit").status_code == 410


def test_a_deleted_draft_was_never_there_for_strangers(site: Site) -> None:
    post = site.post(status="draft")
    alan = site.client("alan")
    alan.submit(f"/posts/{post.slug}/delete", version="1")
    assert site.client().get(f"/posts/{post.slug}").status_code == 404
    assert alan.get(f"/posts/{post.slug}").status_code == 410


@pytest.mark.parametrize("path", ["/new", "/posts/a-post/edit"])
def test_sent_by_nobody_the_sign_in_page_carries_the_text_to_the_editor(site: Site, path: str) -> None:
    site.post()
    visitor = site.client()
    refused = visitor.post(path, data=FIELDS | {"version": "1"}, headers={"Accept": "text/html"})
    assert refused.status_code == 401
    assert "WWW-Authenticate" in refused.headers
    assert site.rows("revisions") == 1
    wrong = visitor.post("/login", data=_fields_of(refused.text) | {"username": "alan", "password": "wrong"})
    assert wrong.status_code == 401
    reopened = visitor.post("/login", data=_fields_of(wrong.text) | {"username": "alan", "password": PASSWORD})
    assert reopened.status_code == 200
    assert site.rows("revisions") == 1
    sent = _fields_of(reopened.text)
    assert _normal(sent["body"]) == TEXT
    assert sent["title"] == FIELDS["title"]
    assert sent["tags"] == FIELDS["tags"]
    saved = visitor.post(path, data=sent, content_type="multipart/form-data")
    assert saved.status_code == 303
    assert site.rows("revisions") == 2


def test_a_refused_form_token_brings_the_text_back_with_a_fresh_one(site: Site) -> None:
    alan = site.client("alan")
    refused = alan.post("/new", data=FIELDS | {"csrf_token": "stale"})
    assert refused.status_code == 403
    again = alan.post("/new", data=_fields_of(refused.text), content_type="multipart/form-data")
    assert again.status_code == 303
    assert site.rows("posts") == 1


def test_a_stale_save_shows_both_texts_and_loses_neither(site: Site) -> None:
    post = site.post(body="The first text.")
    alan, edith = site.client("alan"), site.client("edith")
    path = f"/posts/{post.slug}/edit"
    form = _fields_of(alan.get(path).text)
    assert edith.submit(path, **_fields_of(edith.get(path).text) | {"body": "Edith's text."}).status_code == 303
    stale = alan.post(path, data=form | {"body": TEXT}, content_type="multipart/form-data")
    assert stale.status_code == 409
    assert "Edith&#39;s text." in stale.text
    merged = _fields_of(stale.text)
    assert _normal(merged["body"]) == TEXT
    assert alan.post(path, data=merged, content_type="multipart/form-data").status_code == 303
    assert "Edith" not in site.client().get(f"/posts/{post.slug}").text


def test_the_same_submission_again_changes_nothing_and_leads_to_the_same_place(site: Site) -> None:
    alan = site.client("alan")
    form = _fields_of(alan.get("/new").text) | FIELDS
    first = alan.post("/new", data=form, content_type="multipart/form-data")
    second = alan.post("/new", data=form, content_type="multipart/form-data")
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert site.rows("posts") == 1
    path = "/posts/words-more/edit"
    edit = _fields_of(alan.get(path).text) | {"body": "Edited."}
    for _ in range(2):
        assert alan.post(path, data=edit, content_type="multipart/form-data").status_code == 303
    assert site.rows("revisions") == 2


def test_somebody_elses_submission_number_is_not_mine(site: Site) -> None:
    site.client("alan").submit("/new", **FIELDS, submission="same")
    assert site.client("ada").submit("/new", **FIELDS, submission="same").headers["Location"] == "/posts/words-more-2"


def test_preview_shows_the_page_and_stores_nothing(site: Site) -> None:
    alan = site.client("alan")
    answer = alan.submit("/new", **FIELDS | {"body": "Some *words*."}, action="preview")
    assert answer.status_code == 200
    assert "<em>words</em>" in answer.text
    assert _fields_of(answer.text)["title"] == FIELDS["title"]
    assert site.rows("posts") == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", ""),
        ("title", "x" * 1_000_000),
        ("title", "a\x00b"),
        ("slug", "No Slug"),
        ("tags", "a/b"),
        ("status", "granted"),
        ("visibility", "x"),
        ("publish_at", "soon"),
        ("publish_at", "2026-02-30T08:00"),
        ("body", "a\x00b"),
        ("body", "x" * (1024 * 1024 + 1)),
    ],
    ids=lambda value: value[:12],
)
def test_a_fault_is_shown_beside_its_field_with_everything_kept(site: Site, name: str, value: str) -> None:
    answer = site.client("alan").submit("/new", **FIELDS | {name: value})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    kept = _fields_of(answer.text)
    for field, text in FIELDS.items():
        if field != name:
            assert _normal(kept[field]) == text, field
    if name in ("body", "title") and "\x00" not in value:
        assert kept[name] == value
    assert site.rows("posts") == 0


def test_fifty_equal_titles_at_once_get_fifty_addresses(site: Site) -> None:
    token = site.token("alan")
    answers: list[int] = []

    def write() -> None:
        answers.append(site.client(token=token).post("/v1/posts", json={"title": "The same"}).status_code)

    for _ in range(7):
        threads = [threading.Thread(target=write) for _ in range(7)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [201] * 49
    with site.database.reading() as db:
        slugs = [row[0] for row in db.exec_driver_sql("SELECT slug FROM posts")]
    assert len(set(slugs)) == 49
    assert {"the-same", "the-same-2", "the-same-9"} <= set(slugs)


def test_a_former_address_leads_to_the_present_one_and_stays_taken(site: Site) -> None:
    post = site.post(title="First")
    alan = site.client("alan")
    for slug in ("second", "third", "first", "fourth"):
        with site.database.reading() as db:
            current = db.exec_driver_sql("SELECT slug FROM posts").scalar_one()
        form = _fields_of(alan.get(f"/posts/{current}/edit").text) | {"slug": slug}
        assert alan.post(f"/posts/{current}/edit", data=form, content_type="multipart/form-data").status_code == 303
    for former in ("first", "second", "third"):
        moved = site.client().get(f"/posts/{former}")
        assert (moved.status_code, moved.headers["Location"]) == (301, "/posts/fourth")
    assert site.client("ada").submit("/new", title="Mine", slug="first").status_code == 422
    assert post.slug == "first"


def test_publish_at_is_a_local_time_of_the_site_and_needs_no_job(site: Site) -> None:
    olive = site.client("olive")
    settings = _fields_of(olive.get("/admin/settings").text) | {"time_zone": "Europe/Berlin"}
    assert olive.post("/admin/settings", data=settings).status_code == 303
    with time_machine.travel("2026-06-01T09:59:30Z", tick=False):
        alan = site.client("alan")
        assert alan.submit("/new", **FIELDS | {"publish_at": "2026-06-01T12:00"}).status_code == 303
        assert site.client().get("/posts/words-more").status_code == 404
        assert "Words" not in site.client().get("/").text
        shown = _fields_of(alan.get("/posts/words-more/edit").text)
        assert shown["publish_at"] == "2026-06-01T12:00"
    with time_machine.travel("2026-06-01T10:00:00Z", tick=False):
        assert site.client().get("/posts/words-more").status_code == 200
        assert "Words" in site.client().get("/").text


def test_a_minute_that_the_clocks_skip_is_refused(site: Site) -> None:
    olive = site.client("olive")
    settings = _fields_of(olive.get("/admin/settings").text) | {"time_zone": "Europe/Berlin"}
    olive.post("/admin/settings", data=settings)
    assert olive.submit("/new", **FIELDS | {"publish_at": "2027-03-28T02:30"}).status_code == 422


def test_once_out_a_post_keeps_its_date(site: Site) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        post = site.post()
    alan = site.client(token=site.token("alan"))
    path = f"/v1/posts/{post.id}"
    for change in ({"title": "Edited"}, {"status": "draft"}, {"status": "published"}):
        answer = alan.patch(path, json=change).json
        assert answer is not None
        assert answer["published_at"] == "2026-01-01T00:00:00Z"
    moved = alan.patch(path, json={"publish_at": "2025-01-01T00:00:00Z"}).json
    assert moved is not None
    assert moved["published_at"] == "2025-01-01T00:00:00Z"


def test_a_schedule_that_is_taken_back_leaves_no_date(site: Site) -> None:
    later = clock.to_rfc3339(clock.now() + clock.DAY)
    alan = site.client(token=site.token("alan"))
    post = alan.post("/v1/posts", json={"title": "x", "status": "published", "publish_at": later}).json
    assert post is not None
    path = f"/v1/posts/{post['id']}"
    back = alan.patch(path, json={"status": "draft", "publish_at": None}).json
    assert back is not None
    assert back["published_at"] is None
    now = alan.patch(path, json={"status": "published"}).json
    assert now is not None
    assert now["published_at"] <= clock.to_rfc3339(clock.now())


def test_guards_of_the_writing_pages(site: Site) -> None:
    post = site.post(status="draft")
    for path in ("/new", f"/posts/{post.slug}/edit", f"/posts/{post.slug}/delete", "/account"):
        visitor = site.client().get(path)
        assert visitor.status_code == 303
        assert visitor.headers["Location"].startswith("/login?next=")
    for path in ("/new", f"/posts/{post.slug}/edit"):
        assert site.client("rita").get(path).status_code == 403
    assert site.client("ada").get(f"/posts/{post.slug}/edit").status_code == 404


def _fields_of(html: str) -> dict[str, str]:
    """The fields of the page's main form, as a browser would send them."""
    from html.parser import HTMLParser

    class Fields(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.forms: list[dict[str, str]] = []
            self.inside = False
            self.area: str | None = None
            self.select: str | None = None

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = {name: value or "" for name, value in attrs}
            if tag == "form":
                self.forms.append({})
                self.inside = True
            if not self.inside or "disabled" in given:
                return
            form, name = self.forms[-1], given.get("name", "")
            if tag == "textarea" and name:
                self.area = name
                form[name] = ""
            elif tag == "select":
                self.select = name
            elif tag == "option" and self.select and ("selected" in given or self.select not in form):
                form[self.select] = given.get("value", "")
            elif tag == "input" and name:
                if given.get("type") in ("radio", "checkbox") and "checked" not in given:
                    return
                if given.get("type") != "submit":
                    form[name] = given.get("value", "")

        def handle_data(self, data: str) -> None:
            if self.area:
                self.forms[-1][self.area] += data

        def handle_endtag(self, tag: str) -> None:
            if tag == "textarea" and self.area:
                text = self.forms[-1][self.area]
                self.forms[-1][self.area] = re.sub(r"\A\r?\n", "", text)  # browsers drop the first line break
                self.area = None
            elif tag == "select":
                self.select = None
            elif tag == "form":
                self.inside = False

    parser = Fields()
    parser.feed(html)
    return max(parser.forms, key=lambda form: sum(map(len, form.values())) + 100 * len(form))


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n")


def test_deleting_what_somebody_changed_meanwhile_asks_again(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    path = f"/posts/{post.slug}/delete"
    form = _fields_of(alan.get(path).text)
    site.client(token=site.token("edith")).patch(f"/v1/posts/{post.id}", json={"body": "Newer."})
    asked = alan.post(path, data=form)
    assert asked.status_code == 409
    assert site.client().get(f"/posts/{post.slug}").status_code == 200
    assert alan.post(path, data=_fields_of(asked.text)).status_code == 303
    assert site.client().get(f"/posts/{post.slug}").status_code == 410


def test_every_form_comes_back_with_a_fresh_token_when_its_own_is_refused(site: Site) -> None:
    post = site.post()
    olive = site.client("olive")
    for path in (
        "/new",
        f"/posts/{post.slug}/edit",
        f"/posts/{post.slug}/delete",
        "/account/password",
        "/admin/settings",
    ):
        refused = olive.post(path, data={"csrf_token": "stale"})
        assert refused.status_code == 403, path
        assert _fields_of(refused.text)["csrf_token"] == olive.form_token(), path
    assert site.client().get(f"/posts/{post.slug}").status_code == 200


def test_a_refused_origin_brings_the_form_back_filled(site: Site) -> None:
    site.post()
    alan = site.client("alan")
    for path in ("/new", "/posts/a-post/edit"):
        refused = alan.post(path, data=FIELDS, headers={"Sec-Fetch-Site": "cross-site"})
        assert refused.status_code == 403
        assert _normal(_fields_of(refused.text)["body"]) == TEXT
        assert alan.post(path, data=_fields_of(refused.text)).status_code == 303
    assert site.client().post("/new", data=FIELDS, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_what_was_added_to_a_form_that_was_saved_before_is_not_lost(site: Site) -> None:
    alan = site.client("alan")
    form = _fields_of(alan.get("/new").text) | FIELDS
    assert alan.post("/new", data=form, content_type="multipart/form-data").status_code == 303
    for name, more in (("title", "Another title"), ("body", "More."), ("tags", "three"), ("status", "draft")):
        answer = alan.post("/new", data=form | {name: more}, content_type="multipart/form-data")
        assert answer.status_code == 409, name
        assert _normal(_fields_of(answer.text)[name]) == more
    assert site.rows("revisions") == 1


def test_a_merge_keeps_what_the_other_did_to_settings_that_i_did_not_touch(site: Site) -> None:
    post = site.post(status="draft", tags=["one"])
    alan, edith = site.client("alan"), site.client(token=site.token("edith"))
    path = f"/posts/{post.slug}/edit"
    form = _fields_of(alan.get(path).text)
    changes = {"status": "published", "tags": ["two"], "excerpt": "Edith's."}
    assert edith.patch(f"/v1/posts/{post.id}", json=changes).status_code == 200
    stale = alan.post(path, data=form | {"body": "Mine.", "excerpt": "My own."}, content_type="multipart/form-data")
    merged = _fields_of(stale.text)
    assert (merged["status"], merged["tags"], merged["excerpt"]) == ("published", "two", "My own.")
    assert alan.post(path, data=merged, content_type="multipart/form-data").status_code == 303
    page = site.client().get(f"/posts/{post.slug}")
    assert page.status_code == 200
    assert "Mine." in page.text


def test_an_embargo_set_on_a_draft_that_was_out_before_is_kept(site: Site) -> None:
    post = site.post()
    alan = site.client(token=site.token("alan"))
    path, later = f"/v1/posts/{post.id}", clock.to_rfc3339(clock.now() + clock.DAY)
    for change in ({"status": "draft"}, {"publish_at": later}, {"status": "published"}):
        assert alan.patch(path, json=change).status_code == 200
    assert site.client().get(f"/posts/{post.slug}").status_code == 404
    assert alan.get(path).json["published_at"] == later.replace("+00:00", "Z")


def test_a_form_sent_again_after_its_post_was_deleted_loses_nothing(site: Site) -> None:
    alan = site.client("alan")
    form = _fields_of(alan.get("/new").text) | FIELDS
    alan.post("/new", data=form)
    alan.submit("/posts/words-more/delete", version="1")
    answer = alan.post("/new", data=form | {"body": "New words."})
    assert answer.status_code == 409
    sent = _fields_of(answer.text)
    assert _normal(sent["body"]) == "New words."
    assert alan.post("/new", data=sent).status_code == 303
    assert site.rows("posts") == 2


def test_a_script_with_a_cookie_may_send_forms_with_the_token_in_the_header(site: Site) -> None:
    alan = site.client("alan")
    token = alan.form_token()
    answer = alan.post("/new", data=FIELDS, headers={"X-CSRF-Token": token}, content_type="multipart/form-data")
    assert answer.status_code == 303


def test_a_program_that_sends_forms_gets_no_cookie(site: Site) -> None:
    answer = site.client(token=site.token("alan")).post("/new", data=FIELDS)
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers


def test_who_asks_for_json_gets_it_also_from_a_form(site: Site) -> None:
    alan = site.client("alan")
    as_json = {"Accept": "application/json"}
    refused = alan.post("/new", data=FIELDS, headers=as_json)
    assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    faulty = alan.post("/new", data={"csrf_token": alan.form_token(), "title": ""}, headers=as_json)
    assert (faulty.status_code, faulty.mimetype) == (422, "application/problem+json")


def test_settings_sent_by_nobody_come_back_after_signing_in(site: Site) -> None:
    visitor = site.client()
    fields = {"name": "Notes", "tagline": "typed with care", "language": "en", "time_zone": "UTC"}
    refused = visitor.post("/admin/settings", data=fields, headers={"Accept": "text/html"})
    assert refused.status_code == 401
    reopened = visitor.post("/login", data=_fields_of(refused.text) | {"username": "olive", "password": PASSWORD})
    assert reopened.status_code == 200
    assert _fields_of(reopened.text)["tagline"] == "typed with care"


@pytest.mark.parametrize("path", ["/new", "/posts/nope/edit", "/posts/a-post/edit"])
def test_a_refused_origin_stays_a_refusal_whatever_was_sent(site: Site, path: str) -> None:
    site.post(by="alan")
    foreign = {"Origin": "http://evil.example"}
    for name in ("rita", "ada"):
        assert site.client(name).post(path, data=FIELDS, headers=foreign).status_code == 403
    broken = site.client("alan").post(
        path, data=b"title=\xe9", headers=foreign, content_type="application/x-www-form-urlencoded"
    )
    assert broken.status_code == 403


BROKEN_FORMS = {
    "a byte that is not UTF-8": (b"username=\xe9&title=\xe9", "application/x-www-form-urlencoded"),
    "the same in multipart": (
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n\xe9\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
    "a part without a name": (
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        "multipart/form-data; boundary=b",
    ),
    "fields without end": (b"&".join(b"f%d=x" % n for n in range(5000)), "application/x-www-form-urlencoded"),
}


@pytest.mark.parametrize(("body", "kind"), BROKEN_FORMS.values(), ids=BROKEN_FORMS)
@pytest.mark.parametrize("path", ["/login", "/new", "/posts/a-post/edit", "/admin/settings"])
def test_a_form_that_cannot_be_read_is_400_for_everybody(site: Site, path: str, body: bytes, kind: str) -> None:
    site.post()
    for client in (site.client(), site.client("olive"), site.client(token=site.token("olive"))):
        assert client.post(path, data=body, content_type=kind).status_code == 400


def test_two_saves_of_different_places_are_put_together_and_saved_as_a_merge(site: Site) -> None:
    site.post("alan", slug="river", body="One.\n\nTwo.\n\nThree.")
    alan = site.client("alan")
    mine = {"title": "A post", "body": "One, by me.\r\n\r\nTwo.\r\n\r\nThree.", "version": "1", "status": "published"}
    theirs = mine | {"body": "One.\n\nTwo.\n\nThree, by another tab."}
    assert alan.submit("/posts/river/edit", **theirs).status_code == 303
    stale = alan.submit("/posts/river/edit", **mine)
    assert stale.status_code == 409
    assert "nothing has to be decided" in stale.text
    fields = _fields_of(stale.text)
    assert _normal(fields["body"]) == "One, by me.\n\nTwo.\n\nThree."
    merged = alan.post("/posts/river/edit", data=fields | {"action": "merge"}, content_type="multipart/form-data")
    assert merged.status_code == 200
    last = _fields_of(merged.text)
    assert _normal(last["body"]) == "One, by me.\n\nTwo.\n\nThree, by another tab."
    assert alan.post("/posts/river/edit", data=last, content_type="multipart/form-data").status_code == 303
    assert "merged, published" in alan.get("/posts/river/revisions").text


@pytest.mark.parametrize(
    ("choice", "kept"), [("mine", "Mine."), ("theirs", "Theirs."), ("both", "Mine.\nTheirs."), ("x", "Mine.\nTheirs.")]
)
def test_where_both_wrote_something_else_a_person_decides(site: Site, choice: str, kept: str) -> None:
    site.post("alan", slug="river", body="Before.\n\nOne.\n\nAfter.")
    alan = site.client("alan")
    form = {"title": "A post", "version": "1", "status": "published"}
    assert alan.submit("/posts/river/edit", **form, body="Before.\n\nTheirs.\n\nAfter.").status_code == 303
    stale = alan.submit("/posts/river/edit", **form, body="Before.\n\nMine.\n\nAfter.")
    assert stale.status_code == 409
    fields = _fields_of(stale.text) | {"action": "merge", "choice-0": choice}
    merged = alan.post("/posts/river/edit", data=fields, content_type="multipart/form-data")
    assert _normal(_fields_of(merged.text)["body"]) == f"Before.\n\n{kept}\n\nAfter."


def test_a_third_save_between_looking_and_merging_shows_both_again(site: Site) -> None:
    site.post("alan", slug="river", body="One.")
    alan = site.client("alan")
    form = {"title": "A post", "version": "1", "status": "published"}
    assert alan.submit("/posts/river/edit", **form, body="One.\nTwo.").status_code == 303
    fields = _fields_of(alan.submit("/posts/river/edit", **form, body="Zero.\nOne.").text)
    later = {"title": "A post", "version": "2", "status": "published", "body": "One.\nTwo.\nThree."}
    assert alan.submit("/posts/river/edit", **later).status_code == 303
    again = alan.post("/posts/river/edit", data=fields | {"action": "merge"}, content_type="multipart/form-data")
    assert again.status_code == 409
    merged = alan.post(
        "/posts/river/edit", data=_fields_of(again.text) | {"action": "merge"}, content_type="multipart/form-data"
    )
    assert _normal(_fields_of(merged.text)["body"]) == "Zero.\nOne.\nTwo.\nThree."


def _stale(site: Site) -> tuple[Client, dict[str, str]]:
    """A post that another tab has changed meanwhile, and the form of the page that says so."""
    site.post("alan", slug="river", body="One.\n\nTwo.\n\nThree.")
    alan = site.client("alan")
    form = {"title": "A post", "version": "1", "status": "published"}
    assert alan.submit("/posts/river/edit", **form, body="One.\n\nTwo.\n\nThree, theirs.").status_code == 303
    stale = alan.submit("/posts/river/edit", **form, body="One, mine.\n\nTwo.\n\nThree.")
    assert stale.status_code == 409
    return alan, _fields_of(stale.text)


@pytest.mark.parametrize(
    ("changed", "status"), [({"action": "preview"}, 200), ({"title": ""}, 422), ({"csrf_token": "x"}, 403)]
)
def test_whatever_the_merge_page_is_left_for_the_other_text_stays_beside_it(
    site: Site, changed: dict[str, str], status: int
) -> None:
    alan, fields = _stale(site)
    again = alan.post("/posts/river/edit", data=fields | changed, content_type="multipart/form-data")
    assert again.status_code == status
    assert "Three, theirs." in again.text
    fields = _fields_of(again.text) | {"title": "A post", "action": "merge"}
    merged = alan.post("/posts/river/edit", data=fields, content_type="multipart/form-data")
    assert _normal(_fields_of(merged.text)["body"]) == "One, mine.\n\nTwo.\n\nThree, theirs."


def test_what_the_other_takes_out_after_a_merge_does_not_come_back(site: Site) -> None:
    alan, fields = _stale(site)
    merged = _fields_of(
        alan.post("/posts/river/edit", data=fields | {"action": "merge"}, content_type="multipart/form-data").text
    )
    later = {"title": "A post", "version": "2", "status": "published", "body": "One.\n\nThree, theirs."}
    assert alan.submit("/posts/river/edit", **later).status_code == 303
    stale = alan.post("/posts/river/edit", data=merged, content_type="multipart/form-data")
    assert stale.status_code == 409
    again = alan.post(
        "/posts/river/edit", data=_fields_of(stale.text) | {"action": "merge"}, content_type="multipart/form-data"
    )
    assert _normal(_fields_of(again.text)["body"]) == "One, mine.\n\nThree, theirs."


def test_settings_and_titles_that_one_side_left_alone_follow_the_other_each_time(site: Site) -> None:
    site.post("alan", title="Old", slug="river", status="draft", body="One.")
    alan = site.client("alan")
    mine = {"title": "Old", "version": "1", "status": "draft", "body": "Mine."}
    assert (
        alan.submit("/posts/river/edit", **mine | {"status": "published", "title": "New", "body": "One."}).status_code
        == 303
    )
    fields = _fields_of(alan.submit("/posts/river/edit", **mine).text)
    assert (fields["status"], fields["title"]) == ("published", "New")
    taken_back = {"title": "New", "version": "2", "status": "draft", "body": "One."}
    assert alan.submit("/posts/river/edit", **taken_back).status_code == 303
    stale = alan.post("/posts/river/edit", data=fields, content_type="multipart/form-data")
    assert stale.status_code == 409
    assert _fields_of(stale.text)["status"] == "draft"


def test_going_back_and_adding_a_line_is_no_conflict_with_oneself(site: Site) -> None:
    alan = site.client("alan")
    fields = _fields_of(alan.get("/new").text) | {"title": "River", "body": "One.", "status": "draft"}
    assert alan.post("/new", data=fields, content_type="multipart/form-data").status_code == 303
    again = alan.post("/new", data=fields | {"body": "One.\nTwo."}, content_type="multipart/form-data")
    assert again.status_code == 409
    assert "nothing has to be decided" in again.text
    merged = alan.post(
        "/posts/river/edit", data=_fields_of(again.text) | {"action": "merge"}, content_type="multipart/form-data"
    )
    assert _normal(_fields_of(merged.text)["body"]) == "One.\nTwo."


def test_as_many_places_as_are_asked_about_can_be_answered(site: Site) -> None:
    site.post("alan", slug="river", body="\n\n".join(f"Line {n}." for n in range(120)))
    alan = site.client("alan")
    form = {"title": "A post", "version": "1", "status": "published"}
    spaced = ["\n\n".join(f"{who} {n}.\n\nLine {n}." for n in range(120)) for who in ("Theirs", "Mine")]
    assert alan.submit("/posts/river/edit", **form, body=spaced[0]).status_code == 303
    stale = alan.submit("/posts/river/edit", **form, body=spaced[1])
    assert stale.status_code == 409
    assert stale.text.count('class="field conflict"') == 50
    fields = _fields_of(stale.text) | {"action": "merge", **{f"choice-{n}": "both" for n in range(50)}}
    merged = alan.post("/posts/river/edit", data=fields, content_type="multipart/form-data")
    assert merged.status_code == 200
    assert all(f"{who} 119." in merged.text for who in ("Theirs", "Mine"))
