"""A real nginx with a shared cache in front: what it keeps for one person never reaches another."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.ports import free_port
from tests.support import SECRET, Browser, Server
from tests.web.wire import until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

TOKEN = "byl_" + "t" * 43
PATHS = [
    "/",
    "/posts/public",
    "/posts/inside",
    "/posts/draft",
    "/feed.xml",
    "/login",
    "/account",
    "/archive",
    "/nowhere",
]
# An owner may tell it to keep pages for some seconds all the same, save those that say they are private.
EAGER = "proxy_ignore_headers Cache-Control; proxy_cache_valid any 10s; proxy_no_cache $is_private;"
# Keeps whatever it may. By itself nginx keeps nothing that has to be asked about each time.
SETTINGS = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $upstream_http_cache_control $is_private {{ default 0; ~private 1; ~no-store 1; }}
  proxy_cache_path {folder}/kept keys_zone=pages:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_set_header Host $http_host;
      proxy_http_version 1.1;
      proxy_cache pages;
      {more}
      add_header X-Kept $upstream_cache_status always;
    }}
  }}
}}
"""


class Proxied:
    """A site, and the proxy in front of it."""

    def __init__(self, folder: Path, more: str) -> None:
        self.port = free_port()
        self.server = Server(
            folder / "instance",
            processes=2,
            SECRET_KEY=SECRET,
            BYLINE_API_TOKEN=TOKEN,
            BYLINE_TRUSTED_PROXIES="127.0.0.1",
        ).start()
        (folder / "nginx").mkdir()
        settings = folder / "nginx" / "nginx.conf"
        upstream = self.server.environment["PORT"]
        # As root it would change to a user who may not read the folder.
        user = "user root;" if Path("/proc/self").owner() == "root" else ""
        settings.write_text(
            SETTINGS.format(folder=settings.parent, port=self.port, upstream=upstream, user=user, more=more)
        )
        assert NGINX is not None
        self.nginx = subprocess.Popen([NGINX, "-c", str(settings)], stderr=subprocess.DEVNULL)
        assert until(self._answers)

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False

    def write(self, **fields: str) -> None:
        body = {"title": "Title", "body": "Words", "status": "published", **fields}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = requests.post(f"{self.server.url}/v1/posts", json=body, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text

    def browser(self) -> Browser:
        return Browser(f"http://localhost:{self.port}")

    def stop(self) -> None:
        self.nginx.terminate()
        self.nginx.wait(10)
        self.server.kill()


@pytest.fixture
def proxied(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Proxied]:
    made = Proxied(tmp_path, request.param)
    yield made
    made.stop()


@pytest.mark.parametrize("proxied", ["", EAGER], ids=["as it is", "eager"], indirect=True)
def test_no_name_and_no_cookie_crosses(proxied: Proxied, request: pytest.FixtureRequest) -> None:
    is_eager = "eager" in request.node.name
    proxied.write(slug="public")
    proxied.write(slug="inside", visibility="members", body="For members only")
    proxied.write(slug="draft", status="draft", body="Unfinished")
    olive, visitor, other = proxied.browser(), proxied.browser(), proxied.browser()
    assert olive.sign_in().status_code == 303
    kept = set()
    for _ in range(3):
        for asker in (olive, visitor, other):
            for path in PATHS:
                answer = asker.get(path)
                is_olive = asker is olive
                assert ("Signed in as" in answer.text) <= is_olive, path
                assert (("For members only" in answer.text) or ("Unfinished" in answer.text)) <= is_olive, path
                if is_olive:
                    assert answer.headers["X-Kept"] == "MISS", path
                else:
                    kept.add(answer.headers["X-Kept"])
                    assert "Set-Cookie" not in answer.headers or path == "/login", path
    assert kept == ({"MISS", "HIT"} if is_eager else {"MISS"})
    ids = {each.cookies["session"] for each in (olive, visitor, other)}
    assert len(ids) == 3


@pytest.mark.parametrize("proxied", [""], indirect=True)
def test_what_is_published_is_seen_through_the_cache_at_once(proxied: Proxied) -> None:
    visitor = proxied.browser()
    for number in range(5):
        proxied.write(title=f"News {number}", slug=f"news-{number}")
        for path in ("/", "/feed.xml", "/archive"):
            assert f"News {number}" in visitor.get(path).text
            assert f"News {number}" in visitor.get(path, headers={"Accept-Encoding": "gzip"}).text
