"""Templates that are loaded before the processes are forked."""

import pytest

from app import make_site
from tests.support import Site
from web.render import load_templates


def test_what_readers_see_is_loaded_when_the_processes_are_forked(site: Site) -> None:
    app = make_site(site.settings)
    assert app.jinja_env.cache is not None
    loaded = {name for _loader, name in app.jinja_env.cache}
    assert {"base.html", "blog/posts/post.html", "blog/series/part.html", "blog/search/results.html"} <= loaded
    assert "auth/users/people.html" not in loaded


def test_a_prefix_that_no_template_has_is_a_mistake_that_is_named(site: Site) -> None:
    with pytest.raises(LookupError, match="blog/psots/"):
        load_templates(site.app, "base.html", "blog/psots/")
