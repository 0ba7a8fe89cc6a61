"""Byline: the wiring. Settings first, then each package's part, from the ground floor up."""

import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from flask import Flask, request

from auth import faces as auth_faces
from auth.cli import token, user
from auth.guards import public, requires
from auth.identify import init_identify, refuse_bad_bearer
from auth.invitations.inviting import withdraw_all_by
from auth.leaving.leaving import LEAVE, finish_leaving
from auth.permissions import Permission
from auth.principal import principal
from auth.rechecking import check_writer, watch_right
from auth.sessions.cookies import form_binding, init_cookies, saved_session_in
from auth.sessions.rotation import check_keys
from auth.sessions.store import SessionStore
from auth.signin.pages import answer_unauthenticated
from auth.signin.reopening import init_reopening
from auth.signin.resetting import end_links_by, end_links_for
from auth.signin.setup import has_useless_token, prepare_first_owner
from auth.users.links import Links
from auth.users.writings import Writings
from blog import faces as blog_faces
from blog.conversations.summarising import SUMMARISE, summarise
from blog.conversations.wiring import answerer_for, surroundings_for
from blog.leaving.erasing import erase_some, withdraw
from blog.leaving.giving import give, index_given
from blog.leaving.queries import has_any
from blog.library.queries import find_holding
from blog.media.variants import MAKE_VARIANTS, SWEEP, make_variants, sweep
from blog.posts.addresses import PageSlug
from blog.posts.hiding import count_posts, hide
from blog.posts.pages import init_post_pages
from blog.posts.queries.lists import NEXT_PUBLICATION
from blog.posts.rerendering import RERENDER, plan_rerendering, plan_rerendering_around, rerender
from blog.posts.surroundings import own_host_of
from blog.search.examining import check_index, rebuild_index
from blog.series.reading import find_place
from blog.tagging.renaming import RENAME, rename_rest
from blog.transfer.cli import posts
from eventlog.cli import log
from eventlog.ledger import pages as ledger_pages
from eventlog.ledger.announcing import orphan_intents
from eventlog.ledger.backups import backup, restore
from eventlog.log import description as log_description
from eventlog.log import pages as log_pages
from eventlog.log.api import make_api
from eventlog.log.following import check_schema
from eventlog.redaction import redact, without_secrets
from eventlog.retention import pages as retention_pages
from eventlog.retention.applying import RETAIN, retain_daily
from storage.engine import Database
from storage.files import MEDIA_FOLDER, Files
from storage.folder import hold_folder, prepare_folder
from storage.upgrading import is_current, upgrade
from web.application import Application
from web.caching import init_caching
from web.cli import Part, make_doctor, show_settings
from web.command import sentences
from web.csrf import init_csrf
from web.error_pages import init_error_pages
from web.errors import Unauthenticated
from web.headers import init_headers
from web.health import pages as health_pages
from web.languages import init_languages
from web.logs import init_logs
from web.metrics import init_metrics
from web.openapi import init_openapi
from web.page_cache.asking import Visitors
from web.page_cache.cache import make_page_cache
from web.page_cache.layer import PageCacheLayer
from web.proxies import WAS_FORWARDED, ForwardingHeaders
from web.render import init_render, load_templates
from web.requests import (
    MAX_BODY_BYTES,
    StrictJson,
    StrictRequest,
    check_body,
    check_origin,
    init_host_check,
    known_hosts,
    number_request,
    refuse_late,
)
from web.running import READERS, Prepared, run_site
from web.server.dispatcher import Work
from web.settings import Settings, load_settings
from web.signing import load_keys
from web.static_files import init_static_files

if TYPE_CHECKING:
    from storage.jobs import Handler

WRITINGS = Writings(
    hide=hide,
    count=count_posts,
    has_any=has_any,
    give=give,
    withdraw=withdraw,
    finish_giving=index_given,
    finish_erasing=erase_some,
)
LINKS = Links(withdraw_invitations_by=withdraw_all_by, end_resets_by=end_links_by, end_resets_for=end_links_for)

# Streams, what is as long as somebody has written, and what is to be answered whatever else goes on.
WAITING = {"/v1/events", "/account/export", "/healthz", "/readyz", "/metrics"}
# Where the templates of what readers see begin.
READ_MOST = ("base.html", "blog/feeds/", "blog/posts/", "blog/search/", "blog/series/", "web/")
# What grows with the number of posts.
LONG = {"/search", "/archive", "/sitemap.xml", "/tags"}


def create_app(settings: Settings | None = None, *, testing: bool = False) -> Flask:
    """The whole application for one process. Without `settings` the environment's are read and the data folder made.

    `testing`: errors that nobody foresaw are raised, and so is a statement that is issued while a page is built.
    """
    if settings is None:
        settings = load_settings()
        prepare_folder(settings.byline_instance)
        upgrade(settings.database_path)
    return begin(make_app(settings, testing=testing))


def make_app(settings: Settings, *, testing: bool = False) -> Flask:
    """What all processes share, in memory too when it is made before they are forked: nothing is opened yet."""
    app = create_base(settings, watch_statements=testing)
    app.testing = testing
    app.before_request(number_request)
    init_logs(app, without_secrets)
    init_headers(app, settings)
    init_caching(app)
    init_render(app, settings)
    init_languages(app)
    init_static_files(app, Path(app.root_path) / "static")
    init_error_pages(app)
    count = init_metrics(app, may_read_metrics)
    init_csrf(app, form_binding)

    init_cookies(app, settings)
    init_identify(app)
    app.extensions["database"].check_writer = check_writer
    init_host_check(app, settings)
    app.url_map.converters["page"] = PageSlug
    init_post_pages(app, find_place, find_holding)
    for step in (refuse_late, check_origin, check_body, refuse_bad_bearer):
        app.before_request(step)
    app.register_error_handler(Unauthenticated, answer_unauthenticated)
    init_reopening(
        app,
        {
            **auth_faces.REOPENERS,
            **blog_faces.REOPENERS,
            "ledger_pages.dispose_operation": ledger_pages.reopen_disposal,
            "retention_pages.save_retention": retention_pages.reopen_retention,
        },
    )
    described = (*blog_faces.DESCRIPTIONS, log_description, *auth_faces.DESCRIPTIONS)
    init_openapi(
        app,
        {path: operations for each in described for path, operations in each.OPERATIONS.items()},
        {name: schema for each in described for name, schema in each.SCHEMAS.items()},
        [model for each in described for model in getattr(each, "MODELS", [])],
    )

    owners_pages = (log_pages.make_pages, ledger_pages.make_pages, retention_pages.make_pages)
    for pages in (
        health_pages,
        *auth_faces.make_faces(),
        *blog_faces.make_faces(),
        make_api(requires(Permission.READ_EVENTS), lambda: watch_right(Permission.READ_EVENTS)),
        *(make(requires(Permission.ADMINISTER, session_only=True)) for make in owners_pages),
    ):
        app.register_blueprint(pages)
    for endpoint in ("static", "favicon", "health.alive", "health.ready"):
        public(app.view_functions[endpoint])
    visitors = Visitors(saved_session_in(app), known_hosts(settings))
    cache = make_page_cache(app.extensions["database"], visitors, NEXT_PUBLICATION)
    app.extensions["page_cache"] = cache
    layer = PageCacheLayer(app.wsgi_app, cache, count)
    app.at_once = layer.at_once  # type: ignore[attr-defined]  # `web.server.worker` looks for it by this name
    app.kind_of = kind_of  # type: ignore[attr-defined]  # and for this one
    layers = ForwardingHeaders(layer, settings.byline_trusted_proxies)
    app.wsgi_app = layers  # type: ignore[method-assign]  # Flask's way to put layers around an application
    return app


def make_site(settings: Settings) -> Flask:
    """The same, with what most readers ask for loaded already."""
    app = make_app(settings)
    load_templates(app, *READ_MOST)
    return app


def begin(app: Flask) -> Flask:
    """Give a process what it has for itself alone; to be called after the fork, before anything is asked."""
    settings, database = app.extensions["settings"], app.extensions["database"]
    check_schema(database)
    app.extensions["session_store"] = SessionStore.open(database, signed_with=app.extensions["keys"].fingerprint)
    app.extensions["conversations"] = surroundings_for(settings, database, own_host=own_host_of(settings.base_url))
    return app


def kind_of(method: str, path: str) -> Work:
    """What answering a request is, as far as its method and its path say."""
    if method not in ("GET", "HEAD") or path in WAITING:
        return Work.WAITING
    return Work.LONG if path in LONG else Work.PAGE


def create_base(settings: Settings, *, watch_statements: bool = False) -> Flask:
    """Settings, keys and database, and nothing that speaks HTTP: what commands need."""
    folder, instance = Path(__file__).parent, settings.byline_instance.absolute()
    # Its static files are served by `web.static_files`.
    app = Application("app", root_path=str(folder), static_folder=None, instance_path=str(instance))
    # An address has one spelling; sent to the right one, people would go by the host name that the request came with.
    app.url_map.merge_slashes = False
    app.request_class = StrictRequest
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES, MAX_FORM_PARTS=200)
    app.json = StrictJson(app)
    app.extensions["settings"] = settings
    app.extensions["writings"] = WRITINGS
    app.extensions["links"] = LINKS
    app.extensions["keys"] = load_keys(settings)
    app.extensions["media_files"] = Files(settings.byline_instance / MEDIA_FOLDER)
    app.extensions["database"] = Database(
        settings.database_path, readers=READERS, watch_statements=watch_statements or app.debug
    )
    return app


def may_read_metrics() -> bool:
    """With a token of scope admin, or from this machine itself, with nobody standing between."""
    is_local = request.remote_addr in ("127.0.0.1", "::1") and not request.environ.get(WAS_FORWARDED)
    return principal().may(Permission.ADMINISTER) or is_local


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Byline: a blog that you run yourself."""
    # Told to stop, a command puts away what it has begun, as after Ctrl-C; the server has its own way.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    context.obj = _open_for_commands


@main.command()
@sentences
def serve() -> None:
    """Run the site until it is told to stop."""
    settings = load_settings()
    files = Files(settings.byline_instance / MEDIA_FOLDER)
    jobs: dict[str, Handler] = {
        RETAIN: retain_daily,
        MAKE_VARIANTS: partial(make_variants, files=files, announce=plan_rerendering_around),
        SWEEP: partial(sweep, files=files),
        SUMMARISE: partial(summarise, answerer=answerer_for(settings)),
        RENAME: rename_rest,
        LEAVE: partial(finish_leaving, writings=WRITINGS),
        RERENDER: partial(rerender, own_host=own_host_of(settings.base_url)),
    }
    prepare = partial(prepare_site, settings)
    raise SystemExit(
        run_site(settings, prepare=prepare, make_app=make_site, begin=begin, jobs=jobs, clean_line=_without_secrets)
    )


doctor = make_doctor(Part("search", check_index, rebuild_index), looks=[check_keys])
for command in (user, token, posts, log, show_settings, doctor, backup, restore):
    main.add_command(command)


def prepare_site(settings: Settings) -> Prepared:
    """Before the processes start: the owner, or the link that makes one, and what was left unfinished."""
    database = Database(settings.database_path, readers=1)
    try:
        check_schema(database)
        with database.reading() as db:
            unfinished_count = len(orphan_intents(db))
        with database.transaction() as db:
            plan_rerendering(db)
        setup_token = prepare_first_owner(database, settings)
        with database.reading() as db:
            return Prepared(setup_token, unfinished_count, has_useless_token(db, settings))
    finally:
        database.close()


def _without_secrets(line: dict[str, Any]) -> dict[str, Any]:
    clean, _counts = redact(line)
    return cast("dict[str, Any]", clean)


def _open_for_commands() -> Flask:
    settings = load_settings()
    prepare_folder(settings.byline_instance)
    if not is_current(settings.database_path):
        # Not under a server that is running, which may be of an older version.
        hold_folder(settings.byline_instance, wait_seconds=0)
        upgrade(settings.database_path)
    app = create_base(settings)
    check_schema(app.extensions["database"])
    return app


if __name__ == "__main__":
    main()
