"""Templates that are loaded before the processes are forked, and the pages that are made of them."""

import pytest
from flask import Response, g
from werkzeug.test import Client, TestResponse

from app import make_site
from auth.principal import VISITOR
from tests.support import Site
from web.render import load_templates, render_page


def test_what_readers_see_is_loaded_when_the_processes_are_forked(site: Site) -> None:
    app = make_site(site.settings)
    assert app.jinja_env.cache is not None
    loaded = {name for _loader, name in app.jinja_env.cache}
    assert {"base.html", "blog/posts/post.html", "blog/series/part.html", "blog/search/results.html"} <= loaded
    assert "auth/users/people.html" not in loaded


def test_a_prefix_that_no_template_has_is_a_mistake_that_is_named(site: Site) -> None:
    with pytest.raises(LookupError, match="blog/psots/"):
        load_templates(site.app, "base.html", "blog/psots/")


def test_a_page_is_counted_in_bytes_and_keeps_what_its_library_promises(site: Site) -> None:
    closed = []
    with site.app.test_request_context("/"):
        g.principal = VISITOR
        page = render_page("blog/posts/tags.html", counted=[("“ü”", 1)])
        assert page.content_length == len(page.get_data()) > len(page.get_data(as_text=True))
        answer = ask(page, "HEAD")
        assert (answer.data, answer.headers["Content-Length"]) == (b"", str(page.content_length))
        page.call_on_close(lambda: closed.append(True))
        assert ask(page, "GET").data == page.get_data()
        assert closed == [True]
        page.status_code = 304
        assert ask(page, "GET").data == b""


def ask(page: Response, method: str) -> TestResponse:
    return Client(page).open("/", method=method, buffered=True)
