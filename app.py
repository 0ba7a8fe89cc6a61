"""Byline: the wiring. Settings first, then each package's part, from the ground floor up."""

import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from flask import Flask, request

from auth.blocking.pages import pages as people_pages
from auth.cli import token, user
from auth.factors.pages import make_pages as make_factor_pages
from auth.factors.pages import reopen_enable
from auth.guards import public, requires
from auth.identify import init_identify, refuse_bad_bearer
from auth.invitations import join_pages
from auth.invitations.inviting import withdraw_all_by
from auth.invitations.pages import pages as invitation_pages
from auth.invitations.pages import reopen_invitation
from auth.leaving.leaving import LEAVE, finish_leaving
from auth.leaving.pages import pages as leaving_pages
from auth.leaving.pages import reopen_other, reopen_own
from auth.permissions import Permission
from auth.principal import principal
from auth.rechecking import check_writer, watch_right
from auth.sessions import description as sessions_description
from auth.sessions.api import api as sessions_api
from auth.sessions.cookies import form_binding, init_cookies, saved_session_in
from auth.sessions.ending import end_sessions_of
from auth.sessions.pages import pages as own_sessions_pages
from auth.sessions.rotation import check_keys
from auth.sessions.store import SessionStore
from auth.signin.pages import answer_unauthenticated
from auth.signin.pages import pages as signin_pages
from auth.signin.passkey_pages import pages as passkey_pages
from auth.signin.passkey_pages import reopen_passkey
from auth.signin.reopening import init_reopening
from auth.signin.reset_pages import pages as reset_pages
from auth.signin.reset_pages import reopen_reset_link
from auth.signin.resetting import end_links_by, end_links_for
from auth.signin.setup import has_useless_token, prepare_first_owner
from auth.signin.throttling import count_registration
from auth.tokens import description as tokens_description
from auth.tokens.api import api as tokens_api
from auth.tokens.pages import pages as token_pages
from auth.tokens.pages import reopen_token
from auth.users.links import Links
from auth.users.pages import pages as profile_pages
from auth.users.pages import reopen_profile
from auth.users.writings import Writings
from blog.bin.pages import pages as bin_pages
from blog.conversations import description as conversations_description
from blog.conversations.api import make_api as make_conversations
from blog.conversations.ask_pages import make_pages as make_ask_pages
from blog.conversations.ask_pages import reopen_ask
from blog.conversations.guide_pages import pages as guide_pages
from blog.conversations.guide_pages import reopen_add as reopen_new_guide
from blog.conversations.guide_pages import reopen_save as reopen_guide
from blog.conversations.pages import pages as conversation_pages
from blog.conversations.pages import reopen_rename as reopen_conversation
from blog.conversations.summarising import SUMMARISE, summarise
from blog.conversations.wiring import answerer_for, surroundings_for
from blog.desk.pages import pages as desk_pages
from blog.desk.pages import reopen_choice
from blog.feeds.maps import pages as map_pages
from blog.feeds.pages import pages as feed_pages
from blog.leaving.erasing import erase_some, withdraw
from blog.leaving.giving import give, index_given
from blog.leaving.queries import has_any
from blog.library import description as library_description
from blog.library.api import api as library_api
from blog.library.grant_pages import pages as grant_pages
from blog.library.grant_pages import reopen_grant
from blog.library.pages import pages as library_pages
from blog.library.queries import find_holding
from blog.media import description as media_description
from blog.media import pages as media_library
from blog.media import serving as media_serving
from blog.media.api import api as media_api
from blog.media.variants import MAKE_VARIANTS, SWEEP, make_variants, sweep
from blog.posts import description
from blog.posts.addresses import PageSlug
from blog.posts.api import api as posts_api
from blog.posts.editor import pages as editor_pages
from blog.posts.editor import reopen_edit, reopen_new
from blog.posts.hiding import count_posts, hide
from blog.posts.offering import find_saved, is_saved
from blog.posts.pages import init_post_pages
from blog.posts.pages import pages as post_pages
from blog.posts.queries import NEXT_PUBLICATION
from blog.posts.rerendering import RERENDER, plan_rerendering, plan_rerendering_around, rerender
from blog.posts.surroundings import own_host_of, render_here
from blog.previews.pages import pages as preview_pages
from blog.revisions import description as revisions_description
from blog.revisions.api import api as revisions_api
from blog.revisions.pages import pages as revision_pages
from blog.search.examining import check_index, rebuild_index
from blog.search.pages import pages as search_pages
from blog.series import editor as series_editor
from blog.series import pages as series_pages
from blog.series.reading import find_place
from blog.site.pages import pages as site_pages
from blog.site.pages import reopen_settings
from blog.tagging.pages import pages as tagging_pages
from blog.tagging.pages import reopen_rename
from blog.tagging.renaming import RENAME, rename_rest
from blog.transfer.cli import posts
from blog.transfer.pages import pages as markdown_pages
from blog.working_copies.api import make_api as make_working_copies
from eventlog.cli import log
from eventlog.ledger import pages as ledger_pages
from eventlog.ledger.announcing import orphan_intents
from eventlog.ledger.backups import backup, restore
from eventlog.log import description as log_description
from eventlog.log import pages as log_pages
from eventlog.log.api import make_api
from eventlog.log.following import check_schema
from eventlog.redaction import redact
from eventlog.retention import pages as retention_pages
from eventlog.retention.applying import RETAIN, retain_daily
from storage.engine import Database
from storage.files import MEDIA_FOLDER, Files
from storage.folder import hold_folder, prepare_folder
from storage.upgrading import is_current, upgrade
from web.caching import init_caching
from web.cli import Part, make_doctor, show_settings
from web.command import sentences
from web.csrf import init_csrf
from web.error_pages import init_error_pages
from web.errors import Unauthenticated
from web.headers import init_headers
from web.health import pages as health_pages
from web.logs import init_logs
from web.metrics import init_metrics
from web.openapi import init_openapi
from web.page_cache.asking import Visitors
from web.page_cache.cache import make_page_cache
from web.page_cache.layer import PageCacheLayer
from web.proxies import WAS_FORWARDED, ForwardingHeaders
from web.render import current_site, init_render
from web.requests import (
    MAX_BODY_BYTES,
    StrictJson,
    StrictRequest,
    check_body,
    check_origin,
    init_host_check,
    known_hosts,
    number_request,
)
from web.running import READERS, Prepared, run_site
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


def create_app(settings: Settings | None = None, *, testing: bool = False) -> Flask:
    """The whole application for one process. Without `settings` the environment's are read and the data folder made.

    `testing`: errors that nobody foresaw are raised, and so is a statement that is issued while a page is built.
    """
    if settings is None:
        settings = load_settings()
        prepare_folder(settings.byline_instance)
        upgrade(settings.database_path)
    app = create_base(settings, watch_statements=testing)
    check_schema(app.extensions["database"])
    app.testing = testing
    app.before_request(number_request)
    init_logs(app)
    init_headers(app, settings)
    init_caching(app)
    init_render(app, settings)
    init_static_files(app, Path(app.root_path) / "static")
    init_error_pages(app)
    count = init_metrics(app, may_read_metrics)
    init_csrf(app, form_binding)

    store = SessionStore.open(app.extensions["database"], signed_with=app.extensions["keys"].fingerprint)
    init_cookies(app, settings, store)
    init_identify(app)
    app.extensions["database"].check_writer = check_writer
    init_host_check(app, settings)
    app.url_map.converters["page"] = PageSlug
    init_post_pages(app, find_place, find_holding)
    for step in (check_origin, check_body, refuse_bad_bearer):
        app.before_request(step)
    app.register_error_handler(Unauthenticated, answer_unauthenticated)
    init_reopening(
        app,
        {
            "editor.create": reopen_new,
            "editor.save": reopen_edit,
            "site.save_settings": reopen_settings,
            "profile.save_profile": reopen_profile,
            "leaving.delete_own": reopen_own,
            "leaving.delete_other": reopen_other,
            "token_pages.make_token": reopen_token,
            "invitation_pages.make_invitation": reopen_invitation,
            "reset_pages.make_link": reopen_reset_link,
            "factors.enable": reopen_enable,
            "passkey_pages.add": reopen_passkey,
            "desk.change_many": reopen_choice,
            "series.create": series_pages.reopen_create,
            "series_editor.rename": series_editor.reopen_rename,
            "series_editor.add": series_editor.reopen_add,
            "tagging.rename": reopen_rename,
            "media_library.save_description": media_library.reopen_description,
            "ledger_pages.dispose_operation": ledger_pages.reopen_disposal,
            "grant_pages.grant": reopen_grant,
            "ask_pages.ask": reopen_ask,
            "guide_pages.add": reopen_new_guide,
            "guide_pages.save": reopen_guide,
            "conversation_pages.rename": reopen_conversation,
            "retention_pages.save_retention": retention_pages.reopen_retention,
        },
    )
    described = (
        description,
        revisions_description,
        media_description,
        log_description,
        sessions_description,
        tokens_description,
        library_description,
        conversations_description,
    )
    app.extensions["conversations"] = surroundings_for(
        settings, app.extensions["database"], own_host=own_host_of(settings.base_url)
    )
    init_openapi(
        app,
        {path: operations for each in described for path, operations in each.OPERATIONS.items()},
        {name: schema for each in described for name, schema in each.SCHEMAS.items()},
        [model for each in described for model in getattr(each, "MODELS", [])],
    )

    owners_pages = (log_pages.make_pages, ledger_pages.make_pages, retention_pages.make_pages)
    for pages in (
        health_pages,
        signin_pages,
        reset_pages,
        people_pages,
        invitation_pages,
        join_pages.make_pages(count_registration),
        site_pages,
        post_pages,
        desk_pages,
        series_pages.pages,
        series_editor.pages,
        tagging_pages,
        editor_pages,
        make_working_copies(find_saved, current_site, is_saved, render_here),
        media_library.pages,
        media_serving.pages,
        media_api,
        feed_pages,
        map_pages,
        markdown_pages,
        search_pages,
        profile_pages,
        leaving_pages,
        revision_pages,
        revisions_api,
        bin_pages,
        preview_pages,
        posts_api,
        library_api,
        library_pages,
        grant_pages,
        make_conversations(lambda: watch_right(Permission.CONVERSE)),
        conversation_pages,
        guide_pages,
        make_ask_pages(lambda: watch_right(Permission.CONVERSE)),
        sessions_api,
        tokens_api,
        token_pages,
        passkey_pages,
        own_sessions_pages,
        make_factor_pages(end_sessions_of),
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
    layers = ForwardingHeaders(layer, settings.byline_trusted_proxies)
    app.wsgi_app = layers  # type: ignore[method-assign]  # Flask's way to put layers around an application
    return app


def create_base(settings: Settings, *, watch_statements: bool = False) -> Flask:
    """Settings, keys and database, and nothing that speaks HTTP: what commands need."""
    folder, instance = Path(__file__).parent, settings.byline_instance.absolute()
    # Its static files are served by `web.static_files`.
    app = Flask("app", root_path=str(folder), static_folder=None, instance_path=str(instance))
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
    raise SystemExit(run_site(settings, prepare=prepare, make_app=create_app, jobs=jobs, clean_line=_without_secrets))


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
