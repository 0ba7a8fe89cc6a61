"""What a picture shows is said in a post by its author, and by nobody who has the same file."""

import io
from functools import partial

from auth.permissions import Scope
from blog.media.model import Media
from blog.media.storing import describe, store
from blog.media.variants import make_variants
from blog.posts.rerendering import plan_rerendering_around
from tests.blog.media.pictures import picture
from tests.blog.media.test_storing import files_of
from tests.blog.test_rerendering import run_jobs
from tests.support import Site

FILE = picture("PNG", (700, 500))


def add(site: Site, name: str, alt: str = "") -> Media:
    by = site.principal(name)
    return store(site.database, files_of(site), io.BytesIO(FILE), name="a.png", alt=alt, by=by)[0]


def make_pages_anew(site: Site, media: Media) -> None:
    """What the jobs do after an upload or another description."""
    make = partial(make_variants, files=files_of(site), announce=plan_rerendering_around)
    make(site.database, {"digest": media.digest})
    assert run_jobs(site) >= 1


def publish(site: Site, name: str, media: Media, text: str = "Seen:") -> None:
    fields = {"title": "Picture", "body": f"{text}\n\n![]({media.path})", "status": "published"}
    assert site.client(name).submit("/new", **fields).status_code == 303


def test_nobody_writes_into_anothers_page_through_the_same_file(site: Site) -> None:
    media = add(site, "ada")
    publish(site, "ada", media)
    served = site.client().get(media.path).data
    answer = site.client(token=site.token("alan", Scope.MEDIA_WRITE)).post(
        "/v1/media", data={"file": (io.BytesIO(served), "a.png"), "alt": "ALAN WAS HERE"}
    )
    assert (answer.status_code, answer.json["alt"]) == (201, "ALAN WAS HERE")
    assert answer.json["url"].endswith(media.path)
    make_pages_anew(site, media)
    page = site.client().get("/posts/picture").text
    assert "640.webp 640w" in page
    assert "ALAN" not in page
    # Her own words come, by whoever the page is made anew; and what she calls decoration stays without any.
    with site.database.transaction() as db:
        describe(db, media.id, alt="A lake", is_decorative=False, by=site.principal("ada"))
    make_pages_anew(site, media)
    assert 'alt="A lake"' in site.client().get("/posts/picture").text
    with site.database.transaction() as db:
        describe(db, media.id, alt="", is_decorative=True, by=site.principal("ada"))
    make_pages_anew(site, media)
    page = site.client().get("/posts/picture").text
    assert 'alt=""' in page
    assert "ALAN" not in page


def test_a_picture_that_its_posts_author_never_uploaded_is_measured_and_says_nothing(site: Site) -> None:
    media = add(site, "alan", "Alan's words")
    publish(site, "ada", media)
    page = site.client().get("/posts/picture").text
    assert 'alt=""' in page
    assert 'width="700"' in page
    assert "Alan's" not in page


def test_an_editors_hand_brings_the_words_of_the_posts_author(site: Site) -> None:
    add(site, "edith", "Edith's")
    media = add(site, "ada", "Hers")
    publish(site, "ada", media)
    edith = site.client("edith")
    fields = {"title": "Picture", "status": "published"}
    saved = edith.submit("/posts/picture/edit", version="1", body=f"Edited: ![]({media.path})", **fields)
    assert saved.status_code == 303
    page = site.client().get("/posts/picture").text
    assert "Edited" in page
    assert 'alt="Hers"' in page
    assert 'alt="Hers"' in edith.get("/posts/picture/revisions/1").text
    assert edith.submit("/posts/picture/revisions/1/restore", page="/posts/picture/revisions").status_code == 303
    page = site.client().get("/posts/picture").text
    assert "Seen" in page
    assert 'alt="Hers"' in page
    post_id = edith.get("/v1/posts").json["items"][0]["id"]
    changed = site.client(token=site.token("edith")).patch(
        f"/v1/posts/{post_id}", json={"body": f"By API: ![]({media.path})"}
    )
    assert changed.status_code == 200
    page = site.client().get("/posts/picture").text
    assert "By API" in page
    assert 'alt="Hers"' in page
