"""A post may be in another language than the site: its quotation marks, its page, lists and feeds follow it."""

import html
import json
import re
from pathlib import Path

import pytest
from lxml import etree

from blog.posts.content import prepare
from blog.posts.publishing import unpublish
from blog.posts.queries.finding import find_post
from blog.posts.writing import change
from blog.series.arranging import add_part, create_series
from tests.blog.media.pictures import picture
from tests.blog.test_rerendering import run_jobs
from tests.blog.test_working_copies import hidden, new_key, put
from tests.blog.transfer.folders import Template, add_picture, contents, export, take_in, write_file
from tests.support import Client, Site
from web.site.queries import change_site

BODY = 'He said "yes".'
MARKS = {"": "“yes”", "de": "„yes“", "sv": "”yes”"}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def page_of(site: Site, post_id: str) -> str:
    with site.database.reading() as db:
        post = find_post(db, post_id=post_id)
    assert post is not None
    return post.html


def api(site: Site, by: str = "alan") -> Client:
    return site.client(token=site.token(by))


def speak(site: Site, language: str) -> None:
    """Let the site be in a language, and its pages be as they were made before."""
    with site.database.transaction() as db:
        change_site(db, name="Site", tagline="", language=language, time_zone="UTC")


def elements(page: str, start: str) -> list[str]:
    """The opening tags that begin so."""
    return re.findall(rf"<{start}[^>]*>", page)


# Setting it


@pytest.mark.parametrize(
    ("sent", "stored"),
    [("de", "de"), (" DE ", "de"), ("pt-br", "pt-BR"), ("ZH-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"), ("   ", "")],
)
def test_a_tag_is_stored_as_it_is_usually_written(site: Site, sent: str, stored: str) -> None:
    made = api(site).post("/v1/posts", json={"title": "A", "lang": sent})
    assert (made.status_code, made.json["lang"]) == (201, stored)
    assert api(site).get(f"/v1/posts/{made.json['id']}").json["lang"] == stored


def test_without_one_it_is_empty_and_a_patch_sets_and_unsets_it(site: Site) -> None:
    alan = api(site)
    post = alan.post("/v1/posts", json={"title": "A", "body": BODY}).json
    assert (post["lang"], MARKS[""] in post["html"]) == ("", True)
    for version, lang in ((2, "de"), (2, "de"), (3, "sv"), (4, "")):
        answer = alan.patch(f"/v1/posts/{post['id']}", json={"lang": lang}).json
        assert (answer["lang"], answer["version"]) == (lang, version)
        assert MARKS[lang] in answer["html"]
        assert MARKS[lang] in answer["excerpt"]


def test_the_form_takes_it_shows_it_and_says_what_is_wrong(site: Site) -> None:
    alan = site.client("alan")
    assert hidden(alan.get("/new").text, "lang") == ""
    refused = alan.submit("/new", title="Buch", body=BODY, lang="german")
    assert refused.status_code == 422
    assert "Language: Use a language tag such as en, de or pt-BR." in html.unescape(refused.text)
    assert hidden(refused.text, "lang") == "german"
    assert "at most 35" in alan.submit("/new", title="Buch", body=BODY, lang="x" * 36).text
    assert alan.submit("/new", title="Buch", body=BODY, lang="de").status_code == 303
    assert hidden(alan.get("/posts/buch/edit").text, "lang") == "de"
    # A form that does not know of it leaves it alone, one that empties it does not.
    assert alan.submit("/posts/buch/edit", title="Buch", body=BODY, version="1", tags="a").status_code == 303
    assert hidden(alan.get("/posts/buch/edit").text, "lang") == "de"
    assert alan.submit("/posts/buch/edit", title="Buch", version="2", lang="").status_code == 303
    assert MARKS[""] in alan.get("/posts/buch").text


def test_the_settings_of_the_site_keep_the_same_rule(site: Site) -> None:
    fields = {"name": "Notes", "tagline": "", "time_zone": "UTC"}
    olive = site.client("olive")
    assert olive.submit("/admin/settings", language="german", **fields).status_code == 422
    assert olive.submit("/admin/settings", language="pt-br", **fields).status_code == 303
    assert '<html lang="pt-BR">' in site.client().get("/").text


# Its page is made in it


def test_a_change_of_the_language_alone_makes_the_page_anew_with_its_pictures(site: Site) -> None:
    digest = add_picture(site, picture("PNG", size=(31, 17)))
    post = api(site).post("/v1/posts", json={"title": "A", "body": f"{BODY}\n\n![x](/media/{digest})"}).json
    for lang in ("de", ""):
        changed = api(site).patch(f"/v1/posts/{post['id']}", json={"lang": lang}).json["html"]
        assert MARKS[lang] in changed
        assert 'width="31"' in changed


def test_the_job_keeps_each_post_in_its_own_language(site: Site) -> None:
    posts = {lang: site.post(title=f"In {lang}", body=BODY, lang=lang).id for lang in ("", "de", "sv")}
    settings = {"name": "Byline", "tagline": "", "time_zone": "UTC"}
    assert site.client("olive").submit("/admin/settings", language="ru", **settings).status_code == 303
    assert run_jobs(site) == 1
    assert "«yes»" in page_of(site, posts[""])
    assert MARKS["de"] in page_of(site, posts["de"])
    assert MARKS["sv"] in page_of(site, posts["sv"])


def test_a_save_prepared_before_another_language_was_set_brings_its_own_page(site: Site) -> None:
    post = site.post(body=BODY)
    prepared = prepare({"title": "Renamed"}, current=post)
    alan = site.principal("alan")
    with site.database.transaction() as db:
        change(db, post.id, prepare({"lang": "de"}, current=post), by=alan)
        saved = change(db, post.id, prepared, by=alan)
    assert (saved.lang, MARKS[""] in saved.html) == ("", True)


def test_previews_are_in_it(site: Site) -> None:
    alan = site.client("alan")
    shown = alan.submit("/new", title="A", body=BODY, lang="de", action="preview").text
    assert MARKS["de"] in shown
    assert '<div class="post" lang="de">' in shown
    headers = {"X-CSRF-Token": alan.form_token()}
    for lang, marks in (("sv", MARKS["sv"]), ("", MARKS[""]), ("no language", MARKS[""])):
        beside = alan.post("/account/preview", json={"body": BODY, "lang": lang}, headers=headers)
        assert marks in beside.text
    draft = site.post(title="B", body=BODY, lang="ar", status="draft")
    link = alan.submit(f"/posts/{draft.slug}/previews", page=f"/posts/{draft.slug}/previews", days="7").text
    path = re.search(r"/preview/[^\"<]+", link)
    assert path is not None
    assert '<article class="post" lang="ar" dir="rtl">' in site.client().get(path[0]).text


# What readers get


def test_its_page_says_so_and_what_is_the_sites_own_in_it_too(site: Site) -> None:
    for n, lang in enumerate(("", "de", "sv"), start=1):
        site.post("alan", title=f"Post {n}", slug=f"post-{n}", lang=lang, publish_at=n * 10**14)
    page = site.client().get("/posts/post-2").text
    assert '<html lang="en">' in page
    assert elements(page, "article") == ['<article class="h-entry post" lang="de">']
    assert elements(page, "time")[0].startswith('<time lang="en" ')
    assert '<bdi lang="en">Post 1</bdi>' in page
    assert '<bdi lang="sv">Post 3</bdi>' in page
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)
    assert data is not None
    assert json.loads(data[1])["inLanguage"] == "de"
    first = site.client().get("/posts/post-1").text
    assert elements(first, "article") == ['<article class="h-entry post">']
    assert "lang" not in elements(first, "time")[0]
    assert '<bdi lang="de">Post 2</bdi>' in first


@pytest.mark.parametrize(
    ("of_site", "lang", "said"),
    [
        ("en", "ar", ' lang="ar" dir="rtl"'),
        ("en", "FA-ir", ' lang="fa-IR" dir="rtl"'),
        ("en", "pa-Arab", ' lang="pa-Arab" dir="rtl"'),
        ("en", "ug-Latn", ' lang="ug-Latn"'),
        ("ar", "de", ' lang="de" dir="ltr"'),
        ("ar", "he", ' lang="he"'),  # the page runs so already
        ("de", "de", ""),
    ],
)
def test_its_page_runs_as_its_language_does(site: Site, of_site: str, lang: str, said: str) -> None:
    speak(site, of_site)
    site.post(title="One", slug="one", lang=lang)
    site.post(title="Two", slug="two", lang=lang, visibility="members", excerpt="Said.")
    assert elements(site.client().get("/posts/one").text, "article") == [f'<article class="h-entry post"{said}>']
    assert elements(site.client().get("/posts/two").text, "article") == [f'<article class="post"{said}>']


def test_lists_say_it_where_it_differs_and_nowhere_else(site: Site) -> None:
    here, there = (
        site.post("alan", title=f"Sea {lang}", body="Words.", tags=["sea"], lang=lang) for lang in ("en", "de")
    )
    alan = site.principal("alan")
    with site.database.transaction() as db:
        series = create_series(db, title="All", by=alan)
        for post in (here, there):
            add_part(db, series.id, slug=post.slug, by=alan)
    for path in ("/", "/tags/sea", "/authors/alan", "/search?q=sea"):
        page = site.client().get(path).text
        assert sorted(elements(page, 'h2 class="p-name"')) == [
            '<h2 class="p-name" dir="auto">',
            '<h2 class="p-name" lang="de" dir="auto">',
        ]
        assert sorted(elements(page, 'p class="p-summary"')) == [
            '<p class="p-summary" dir="auto">',
            '<p class="p-summary" lang="de" dir="auto">',
        ]
    for path in ("/archive", "/series/all"):
        assert sorted(elements(site.client().get(path).text, "bdi")) == ['<bdi lang="de">', "<bdi>"]
    assert '<p class="meta" lang="de" dir="auto">' in site.client().get("/series/all").text
    # The other part, seen from each.
    assert '<span lang="en">Next:</span> <bdi lang="de">' in site.client().get(here.path).text
    assert '<span lang="en">Previous:</span> <bdi lang="en">' in site.client().get(there.path).text


def test_feeds_say_it_entry_by_entry(site: Site) -> None:
    for lang in ("", "de", "en"):
        site.post(title=f"In {lang}", lang=lang)
    feed = etree.fromstring(site.client().get("/feed.xml").data)
    assert feed.get(XML_LANG) == "en"
    found = [entry.get(XML_LANG) for entry in feed.iterfind("{http://www.w3.org/2005/Atom}entry")]
    assert found == [None, "de", None]
    told = site.client().get("/feed.json").json
    assert told["language"] == "en"
    assert [item.get("language") for item in told["items"]] == ["en", "de", None]


# Nothing loses it


def test_revisions_keep_it_show_it_and_bring_it_back(site: Site) -> None:
    post, alan = site.post(body=BODY, lang="de"), api(site)
    path = f"/v1/posts/{post.id}"
    assert MARKS["sv"] in alan.patch(path, json={"lang": "sv"}).json["html"]
    assert [alan.get(f"{path}/revisions/{n}").json["lang"] for n in (1, 2)] == ["de", "sv"]
    browser = site.client("alan")
    shown = browser.get(f"/posts/{post.slug}/revisions/1..2").text
    assert re.search(r"<dt>Language</dt>\s*<dd><del[^>]*>de</del> <ins[^>]*>sv</ins>", shown)
    assert MARKS["de"] in browser.get(f"/posts/{post.slug}/revisions/1").text
    back = alan.post(f"{path}/revisions/1/restore").json
    assert (back["lang"], back["version"], MARKS["de"] in back["html"]) == ("de", 3, True)


def test_what_others_do_to_a_post_leaves_it_alone(site: Site) -> None:
    post, edith = site.post(body=BODY, lang="de", tags=["one"]), site.client("edith")
    assert edith.submit("/admin/tags/rename", page="/account", tag="one", name="two").status_code == 303
    with site.database.transaction() as db:
        unpublish(db, post.id, by=site.principal("alan"))
    alan = site.client("alan")
    assert alan.submit(f"/posts/{post.slug}/delete", version="3").status_code == 303
    assert alan.submit(f"/account/bin/{post.id}/restore", page="/account/bin").status_code == 303
    with site.database.reading() as db:
        assert list(db.exec_driver_sql("SELECT lang FROM revisions").scalars()) == ["de"] * 4
    assert MARKS["de"] in page_of(site, post.id)


def test_two_saves_that_met_are_put_together(site: Site) -> None:
    post, alan = site.post(body="One.\n\nTwo."), site.client("alan")
    fields = {"title": post.title, "status": "published", "version": "1"}
    assert api(site, "edith").patch(f"/v1/posts/{post.id}", json={"lang": "de"}).status_code == 200
    untouched = alan.submit(f"/posts/{post.slug}/edit", body="One.\n\nMine.", lang="", **fields)
    assert (untouched.status_code, hidden(untouched.text, "lang")) == (409, "de")
    chosen = alan.submit(f"/posts/{post.slug}/edit", body="One.\n\nMine.", lang="sv", **fields)
    assert (chosen.status_code, hidden(chosen.text, "lang")) == (409, "sv")


def test_the_same_form_with_another_language_is_not_lost(site: Site) -> None:
    alan, form = site.client("alan"), {"title": "One", "body": BODY, "submission": "s1"}
    assert alan.submit("/new", lang="de", **form).status_code == 303
    assert alan.submit("/new", lang="de", **form).status_code == 303
    again = alan.submit("/new", lang="sv", **form)
    assert (again.status_code, hidden(again.text, "lang")) == (409, "sv")
    assert site.rows("revisions") == 1


def test_it_is_kept_while_it_is_typed_and_offered(site: Site) -> None:
    post, alan = site.post(body=BODY), site.client("alan")
    path = f"/posts/{post.slug}/edit"
    same = {"title": post.title, "slug": post.slug, "body": BODY, "status": "published", "visibility": "public"}
    same |= {"version": "1", "submission": "s1"}
    assert put(alan, post.id, **same, lang="de").status_code == 204
    assert "It differs in: language." in alan.get(path).text
    assert hidden(alan.get(f"{path}?copy={post.id}").text, "lang") == "de"
    assert '<dt>Language</dt><dd dir="auto">de</dd>' in alan.get(f"/account/working-copies/{post.id}/text").text
    assert alan.submit(path, **same, lang="de").status_code == 303
    assert site.rows("working_copies") == 0
    # Behind its own save it says the same, or another thing.
    assert put(alan, post.id, **same, lang="de").status_code == 204
    assert site.rows("working_copies") == 0
    assert put(alan, post.id, **same, lang="d", unsent=True).status_code == 409


def test_a_copy_that_says_nothing_of_it_keeps_what_is_saved(site: Site) -> None:
    post, alan = site.post(body=BODY, lang="de"), site.client("alan")
    same = {"title": post.title, "slug": post.slug, "status": "published", "visibility": "public", "version": "1"}
    assert put(alan, post.id, body=BODY, submission="s1", **same).status_code == 204
    assert site.rows("working_copies") == 0
    assert put(alan, post.id, body="More.", submission="s1", **same).status_code == 204
    # As it was kept before there was such a field.
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE working_copies SET fields = json_remove(fields, '$.lang')")
    path = f"/posts/{post.slug}/edit"
    assert "It differs in: text." in alan.get(path).text
    assert hidden(alan.get(f"{path}?copy={post.id}").text, "lang") == "de"
    assert put(alan, new_key(), lang="de").status_code == 204  # no text to keep
    assert site.rows("working_copies") == 1


def test_a_login_that_expired_carries_it_on(site: Site) -> None:
    lost = site.client().post("/new", data={"title": "One", "body": BODY, "lang": "de"})
    assert lost.status_code == 401
    assert hidden(lost.text, "kept.lang") == "de"


def test_files_carry_it_out_and_in(site: Site, tmp_path: Path) -> None:
    site.post("alan", title="One", slug="one", body=BODY, lang="no")
    assert 'lang: "no"' in site.client().get("/posts/one.md").text
    export(site, tmp_path / "out")
    with Template(tmp_path).site() as other:
        assert take_in(other, tmp_path / "out").made_count == 1
        export(other, tmp_path / "again")
        assert contents(tmp_path / "again") == contents(tmp_path / "out")
        write_file(tmp_path / "in", "a.md", f"---\ntitle: A\nauthor: ada\nlang: de_AT\n---\n{BODY}")
        write_file(tmp_path / "in", "b.md", "---\ntitle: B\nauthor: ada\nlang: german\n---\nWords.")
        write_file(tmp_path / "in", "c.md", "---\ntitle: C\nauthor: ada\nlang: no\n---\nWords.")
        imported = take_in(other, tmp_path / "in")
        assert imported.made_count == 2
        assert [(file, "lang: Use a language tag" in fault) for file, fault in imported.faults] == [("b.md", True)]
        answers = [other.client().get(f"/posts/{slug}.md").text for slug in "ac"]
        assert ['lang: "de-AT"' in answers[0], 'lang: "no"' in answers[1]] == [True, True]
        assert MARKS["de"] in other.client().get("/posts/a").text
