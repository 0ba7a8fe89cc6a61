"""Is the process alive, and can it serve? Asked often, by anybody, at no cost."""

import pytest

from storage.errors import Busy, Damaged, Full
from tests.support import Site


@pytest.mark.parametrize(("path", "text"), [("/healthz", "ok\n"), ("/readyz", "ready\n")])
def test_a_site_that_is_well_says_so_to_anybody(site: Site, path: str, text: str) -> None:
    for client in (site.client(), site.client("olive"), site.client(token="byl_of-nobody")):
        answer = client.get(path)
        assert (answer.status_code, answer.text, answer.mimetype) == (200, text, "text/plain")
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "error", [Busy("held"), Damaged("page 3"), Full("no room")], ids=lambda each: type(each).__name__
)
def test_without_its_database_it_is_alive_and_not_ready(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_db: object) -> None:
        raise error

    monkeypatch.setattr("web.health.read_site", fail)
    assert site.client().get("/healthz").status_code == 200
    answer = site.client().get("/readyz")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_a_database_that_is_gone_is_noticed(site: Site) -> None:
    site.database.close()
    site.settings.database_path.write_bytes(b"not a database any more" * 1000)
    answer = site.client().get("/readyz")
    assert answer.status_code == 503
    assert "damaged" in answer.text
    assert site.client().get("/healthz").status_code == 200
    assert site.client().get("/").status_code == 503


def test_health_takes_no_writes(site: Site) -> None:
    for path in ("/healthz", "/readyz"):
        assert site.client().post(path).status_code == 405
