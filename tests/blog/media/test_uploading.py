"""Pictures through the API: taken in, served, listed; and what is refused leaves nothing behind."""

import hashlib
import io
import os
import re
import socket
import time
from typing import Any

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from auth.permissions import Scope
from blog.media import storing
from blog.media.variants import MAKE_VARIANTS, SWEEP, make_variants, sweep
from blog.media.words import label_from
from eventlog.ledger.announcing import orphan_intents
from storage.files import Files
from tests.blog.media.pictures import DISGUISES, animated, corners, encode, picture, png_bomb, with_exif
from tests.support import PASSWORD, Client, Server, Site
from web.requests import MAX_UPLOAD_BYTES
from web.server.serving import DEFAULT_MAX_BODY_BYTES


def files_of(site: Site) -> Files:
    found = site.app.extensions["media_files"]
    assert isinstance(found, Files)
    return found


def program(site: Site, name: str = "alan", *scopes: Scope) -> Client:
    return site.client(token=site.token(name, *(scopes or (Scope.MEDIA_WRITE,))))


def send(client: Client, file: bytes, name: str = "photo.jpg", **fields: str) -> TestResponse:
    data = {"file": (io.BytesIO(file), name), **fields}
    return client.post("/v1/media", data=data, content_type="multipart/form-data")


def jobs(site: Site, kind: str) -> list[str]:
    with site.database.reading() as db:
        query = "SELECT payload FROM jobs WHERE kind = ? AND payload <> '{}'"
        return list(db.exec_driver_sql(query, (kind,)).scalars())


def work_off_variants(site: Site, digest: str) -> None:
    make_variants(site.database, {"digest": digest}, files=files_of(site))


def kept(site: Site) -> list[str]:
    """Every file below the folder of pictures, finished or not."""
    return sorted(path.name for path in files_of(site).folder.rglob("*") if path.is_file())


def test_a_picture_is_taken_in_and_served_to_everybody(site: Site) -> None:
    answer = send(program(site), picture(size=(300, 200), exif=with_exif(6)), alt="Four  colours")
    assert answer.status_code == 201, answer.text
    body = answer.json
    assert body is not None
    path = re.fullmatch(r"http://localhost:8000(/media/([0-9a-f]{64}))", body["url"])
    assert path is not None
    assert {name: body[name] for name in body if name not in ("id", "url")} == {
        "type": "image/jpeg", "width": 200, "height": 300, "alt": "Four colours", "variants": [],
    }  # fmt: skip
    served = site.client().get(path[1])
    assert served.status_code == 200
    assert hashlib.sha256(served.data).hexdigest() == path[2]
    assert Image.open(io.BytesIO(served.data)).size == (200, 300)
    assert served.headers["Content-Type"] == "image/jpeg"
    assert served.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in served.headers["Content-Security-Policy"].split("; ")
    assert "Set-Cookie" not in served.headers


def test_asking_again_and_asking_for_the_head_sends_no_bytes(site: Site) -> None:
    path = send(program(site), picture()).json["url"].removeprefix("http://localhost:8000")
    first = site.client().get(path)
    again = site.client().get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    head = site.client().head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(first.data))


def test_somebody_signed_in_may_keep_it_too(site: Site) -> None:
    path = send(program(site), picture()).json["url"].removeprefix("http://localhost:8000")
    for client in (site.client("rita"), program(site, "ada")):
        answer = client.get(path)
        assert answer.headers["Cache-Control"].startswith("public, max-age=31536000")
        assert "Cookie" not in answer.headers.get("Vary", "")
    ended = site.client("rita")
    with site.database.transaction() as db:
        db.exec_driver_sql("DELETE FROM sessions")
    answer = ended.get(path)
    assert "Set-Cookie" in answer.headers
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("kind", "name"), [("PNG", "a.html"), ("GIF", "a.svg"), ("WEBP", "a.exe"), ("AVIF", "photo.jpg"), ("JPEG", "")]
)
def test_neither_its_name_nor_its_declared_type_decides_what_it_is(site: Site, kind: str, name: str) -> None:
    data = {"file": (io.BytesIO(picture(kind)), name or "x", "text/html")}
    answer = program(site).post("/v1/media", data=data, content_type="multipart/form-data")
    assert answer.status_code == 201
    assert answer.json["type"] == f"image/{kind.lower()}"
    assert site.client().get(answer.headers["Location"]).mimetype == f"image/{kind.lower()}"


def test_two_smaller_ones_are_made_afterwards(site: Site) -> None:
    body = send(program(site), encode(corners((1500, 900)), "PNG")).json
    assert body is not None
    digest = body["url"][-64:]
    assert jobs(site, MAKE_VARIANTS) == [f'{{"digest": "{digest}"}}']
    assert site.client().get(f"/media/{digest}/640.webp").status_code == 404
    for _twice in range(2):  # a job is safe to run twice
        work_off_variants(site, digest)
        (item,) = program(site).get("/v1/media").json["items"]
        assert item["variants"] == [
            {"url": f"{body['url']}/{width}.webp", "width": width, "type": "image/webp"} for width in (640, 1280)
        ]
    for width, height in ((640, 384), (1280, 768)):
        answer = site.client().get(f"/media/{digest}/{width}.webp")
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        image = Image.open(io.BytesIO(answer.data))
        assert (image.format, image.size) == ("WEBP", (width, height))
    assert len(kept(site)) == 3
    assert site.client().get(f"/media/{digest}/800.webp").status_code == 404
    # A variant's file is no picture of its own.
    assert {site.client().get(f"/media/{name}").status_code for name in kept(site) if name != digest} == {404}


@pytest.mark.parametrize(
    ("file", "widths"),
    [
        (lambda: picture("PNG", (640, 100)), []),
        (lambda: picture("PNG", (1280, 100)), [640]),
        (lambda: picture("JPEG", (2000, 3000)), [640, 1280]),
        (lambda: picture("JPEG", (1281, 9000)), [640]),
        (lambda: encode(corners((1000, 700), "P"), "GIF"), [640]),
        (lambda: encode(corners((1000, 700), "RGBA"), "AVIF"), [640]),
        (lambda: encode(corners((1000, 700)).transpose(Image.Transpose.ROTATE_90), "AVIF", exif=with_exif(6)), [640]),
        (lambda: encode(Image.new("I;16", (700, 700), 65_000), "PNG"), [640]),
        (lambda: encode(corners((700, 500), "CMYK"), "JPEG"), [640]),
        (lambda: animated("GIF", size=(1400, 700)), []),
        (lambda: animated("WEBP", size=(1400, 700)), []),
    ],
)
def test_nothing_is_made_larger_nor_of_what_moves(site: Site, file: Any, widths: list[int]) -> None:
    body = send(program(site), file()).json
    assert body is not None
    digest = body["url"][-64:]
    work_off_variants(site, digest)
    (item,) = program(site).get("/v1/media").json["items"]
    assert [variant["width"] for variant in item["variants"]] == widths
    for width in widths:
        image = Image.open(io.BytesIO(site.client().get(f"/media/{digest}/{width}.webp").data))
        assert image.size == (width, round(item["height"] * width / item["width"]))
        bright: Any = image.convert("RGB").getpixel((width - 5, image.height - 5))
        assert min(bright) > 200


def test_the_same_file_again_is_the_one_that_is_there(site: Site) -> None:
    first = send(program(site), picture(exif=with_exif(1)), "one.jpg", alt="One")
    again = send(program(site), picture(), "two.jpg", alt="Two")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    assert len(kept(site)) == site.rows("media") == 1


def test_somebody_elses_same_file_is_a_row_of_their_own_and_one_file(site: Site) -> None:
    alans, adas = send(program(site), picture(), alt="Alan's"), send(program(site, "ada"), picture(), alt="Ada's")
    assert (alans.status_code, adas.status_code) == (201, 201)
    assert alans.json["id"] != adas.json["id"]
    assert adas.json["alt"] == "Ada's"
    assert len(kept(site)) == 1
    assert [item["alt"] for item in program(site, "ada").get("/v1/media").json["items"]] == ["Ada's"]


def test_one_pages_through_ones_own(site: Site) -> None:
    urls = [send(program(site), picture("PNG", (10 + n, 10))).json["url"] for n in range(5)]
    send(program(site, "ada"), picture("PNG", (99, 10)))
    found, following, client = [], "/v1/media?limit=2", program(site)
    while following:
        page = client.get(following).json
        assert page is not None
        found += [item["url"] for item in page["items"]]
        following = (page["next"] or "").removeprefix("http://localhost:8000")
    assert found == urls[::-1]
    for query in ("limit=0", "limit=x", "before=x", "before=1~x"):
        assert client.get(f"/v1/media?{query}").status_code == 422


# Who may


def test_who_may_upload(site: Site) -> None:
    assert send(program(site, "alan", Scope.POSTS_WRITE), picture()).status_code == 201
    for scope in (Scope.POSTS_READ, Scope.POSTS_PROPOSE, Scope.ACCOUNT, Scope.ADMIN):
        assert send(program(site, "alan", scope), picture()).status_code == 403, scope
    assert send(program(site, "rita"), picture()).status_code == 403
    refused = site.client().post("/v1/media", data={"file": (io.BytesIO(picture()), "a.jpg")})
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert site.client().get("/v1/media", headers={"Accept": "application/json"}).status_code == 401


def test_a_cookie_needs_the_form_token(site: Site) -> None:
    alan = site.client("alan")
    data = {"file": (io.BytesIO(picture()), "a.jpg")}
    assert alan.post("/v1/media", data=data, content_type="multipart/form-data").status_code == 403
    assert kept(site) == []
    data = {"file": (io.BytesIO(picture()), "a.jpg")}
    token = {"X-CSRF-Token": alan.form_token()}
    assert alan.post("/v1/media", data=data, headers=token, content_type="multipart/form-data").status_code == 201


# What is refused


def nothing_is_left(site: Site) -> bool:
    with site.database.reading() as db:
        has_orphans = bool(orphan_intents(db))
    return kept(site) == [] and site.rows("media") == 0 and not has_orphans


@pytest.mark.parametrize("name", DISGUISES)
def test_what_is_no_picture_is_422_and_nothing_is_stored(site: Site, name: str) -> None:
    answer = send(program(site), DISGUISES[name](), "photo.jpg")
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert [fault["field"] for fault in answer.json["errors"]] == ["file"]
    assert nothing_is_left(site)


def test_a_bomb_is_422_and_nothing_is_stored(site: Site) -> None:
    answer = send(program(site), png_bomb(6000, 6000))
    assert answer.status_code == 422
    assert "pixels" in answer.json["errors"][0]["detail"]
    assert nothing_is_left(site)


def test_a_file_that_is_too_large_is_413_and_nothing_is_stored(site: Site) -> None:
    assert MAX_UPLOAD_BYTES == DEFAULT_MAX_BODY_BYTES
    for size in (storing.MOST_FILE_BYTES + 1, MAX_UPLOAD_BYTES + 1):
        answer = send(program(site), picture() + b"\0" * (size - len(picture())))
        assert answer.status_code == 413, size
        assert "25 MiB" in answer.json["detail"]
    assert nothing_is_left(site)
    assert send(program(site), picture() + b"\0" * (storing.MOST_FILE_BYTES - len(picture()))).status_code == 201


def test_a_person_has_a_bound(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "MOST_BYTES_OF_A_PERSON", len(picture("PNG", (60, 40))) + 20)
    assert send(program(site), picture("PNG", (60, 40))).status_code == 201
    answer = send(program(site), picture("PNG", (60, 42)))
    assert answer.status_code == 422
    assert "bound" in answer.json["errors"][0]["detail"]
    assert send(program(site), picture("PNG", (60, 40))).status_code == 200
    assert send(program(site, "ada"), picture("PNG", (60, 42))).status_code == 201
    assert len(kept(site)) == 2


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 422),
        ({"file": "no file but a text"}, 422),
        ({"file": (io.BytesIO(b""), "empty.jpg")}, 422),
        ({"picture": (io.BytesIO(picture()), "a.jpg")}, 422),
        ({"file": [(io.BytesIO(picture()), "a.jpg"), (io.BytesIO(picture("PNG")), "b.png")]}, 422),
    ],
)
def test_one_file_is_asked_for(site: Site, data: dict[str, Any], status: int) -> None:
    answer = program(site).post("/v1/media", data=data, content_type="multipart/form-data")
    assert answer.status_code == status
    assert answer.json["errors"][0]["field"] == "file"
    assert nothing_is_left(site)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 422),
        ("application/json", b"{", 400),
        ("multipart/form-data", b"--x\r\n", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nGIF", 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="alt"\r\n\r\n\xff\r\n--x--',
            400,
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nGIF\r\n--x--", 400),
        ("image/jpeg", picture(), 422),
    ],
)
def test_a_body_of_another_kind_is_refused(site: Site, content_type: str, body: bytes, status: int) -> None:
    assert program(site).post("/v1/media", data=body, content_type=content_type).status_code == status
    assert nothing_is_left(site)


@pytest.mark.parametrize("alt", ["x" * 1001, "a\0b", "a\x1bb"])
def test_a_description_that_cannot_be_kept_is_named(site: Site, alt: str) -> None:
    answer = send(program(site), picture(), alt=alt)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "alt"
    assert nothing_is_left(site)


def test_two_descriptions_are_one_too_many(site: Site) -> None:
    data = {"file": (io.BytesIO(picture()), "a.jpg"), "alt": ["One", "Two"]}
    answer = program(site).post("/v1/media", data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "alt"
    assert nothing_is_left(site)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\windows\\a.jpg", "a.jpg"),
        ("a\0b.jpg", "ab.jpg"),
        ("x" * 300 + ".jpg", "x" * 100),
        ("..", ""),
        ("Grüße \u202egpj.exe", "Grüße gpj.exe"),
        ("<b>.jpg", "<b>.jpg"),
    ],
)
def test_a_files_name_is_only_a_label(site: Site, name: str, label: str) -> None:
    assert label_from(name) == label
    answer = send(program(site), picture(), name.replace("\0", ""))
    assert answer.status_code == 201
    assert kept(site) == [answer.json["url"][-64:]]
    page = site.client("alan").get("/account/media")
    assert "<b>" not in page.text


@pytest.mark.parametrize(
    "path",
    ["/media/x", "/media/" + "a" * 64, "/media/" + "A" * 64, "/media/../byline.db", "/media/%2e%2e%2fbyline.db",
     "/media/" + "a" * 64 + "/640.webp", "/media/" + "a" * 64 + "/" + "9" * 60 + ".webp", "/media/unfinished"],
)  # fmt: skip
def test_what_is_not_there_is_404(site: Site, path: str) -> None:
    assert site.client().get(path).status_code == 404


def test_a_file_without_a_row_is_served_to_nobody_and_swept(site: Site) -> None:
    with files_of(site).writing() as unfinished:
        unfinished.write(picture())
        files_of(site).keep(unfinished)
        digest = unfinished.digest
    assert site.client().get(f"/media/{digest}").status_code == 404
    assert sweep(site.database, {}, files=files_of(site)) is not None
    assert files_of(site).holds(digest)  # somebody may be about to make its row
    os.utime(files_of(site).path_of(digest), (1, 1))
    taken = send(program(site), encode(corners((1500, 900)), "PNG")).json["url"][-64:]
    work_off_variants(site, taken)
    for path in files_of(site).folder.glob("??/*"):
        os.utime(path, (1, 1))
    sweep(site.database, {}, files=files_of(site))
    assert not files_of(site).holds(digest)
    assert len(kept(site)) == 3
    assert jobs(site, SWEEP) == []


def test_a_row_whose_file_is_gone_is_404(site: Site) -> None:
    digest = send(program(site), picture()).json["url"][-64:]
    files_of(site).remove(digest)
    assert site.client().get(f"/media/{digest}").status_code == 404


def test_what_happened_is_recorded(site: Site) -> None:
    body = send(program(site), picture()).json
    assert body is not None
    with site.database.reading() as db:
        event = db.exec_driver_sql("SELECT * FROM events WHERE kind = 'media.uploaded'").one()
        intent = db.exec_driver_sql("SELECT * FROM intents WHERE operation = 'media.store'").one()
    assert (event.subject, event.actor) == (f"media:{body['id']}", "alan")
    assert (intent.outcome, intent.actor) == ("done", "alan")


# Over the wire


def multipart(file: bytes, boundary: str = "limit") -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    return head.encode() + file + f"\r\n--{boundary}--\r\n".encode()


def test_an_upload_that_is_cut_in_the_middle_leaves_nothing(server: Server) -> None:
    browser = server.browser()
    assert browser.sign_in("olive", PASSWORD).status_code == 303
    token = browser.get("/new").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    body = multipart(encode(Image.effect_noise((900, 900), 90), "JPEG", quality=95))
    cookie = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)
    head = (
        f"POST /v1/media HTTP/1.1\r\nHost: localhost:{server.environment['PORT']}\r\nCookie: {cookie}\r\n"
        f"X-CSRF-Token: {token}\r\nContent-Type: multipart/form-data; boundary=limit\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("localhost", int(server.environment["PORT"]))) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])
    folder = server.folder / "media"
    assert browser.get("/v1/media").json() == {"items": [], "next": None}
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    whole = browser.post("/v1/media", data=body, headers={
        "X-CSRF-Token": token, "Content-Type": "multipart/form-data; boundary=limit",
    })  # fmt: skip
    assert whole.status_code == 201, whole.text
    assert browser.get("/media/" + whole.json()["url"][-64:]).headers["Content-Type"] == "image/jpeg"


def test_the_job_is_done_by_the_running_site(server: Server) -> None:
    browser = server.browser()
    browser.sign_in("olive", PASSWORD)
    token = browser.get("/new").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    sent = browser.post(
        "/v1/media", files={"file": ("a.png", picture("PNG", (700, 500)))}, headers={"X-CSRF-Token": token}
    )
    assert sent.status_code == 201
    path = f"/media/{sent.json()['url'][-64:]}/640.webp"
    deadline = time.monotonic() + 20
    while (answer := browser.get(path)).status_code == 404 and time.monotonic() < deadline:
        browser.get("/healthz")
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).size == (640, 457)


def test_words_that_come_with_the_same_file_again_are_kept_where_there_are_none(site: Site) -> None:
    first = send(program(site), picture())
    assert (first.status_code, first.json["alt"]) == (201, "")
    again = send(program(site), picture(), alt="A lighthouse")
    assert (again.status_code, again.json["alt"]) == (200, "A lighthouse")
    assert send(program(site), picture(), alt="Another").json["alt"] == "A lighthouse"
