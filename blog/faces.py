"""What the blog shows: its pages and API, the forms that travel through a sign-in, and its words in the description."""

from flask import Blueprint

from auth.permissions import Permission
from auth.rechecking import watch_right
from auth.signin.reopening import Reopen
from blog.bin.pages import pages as bin_pages
from blog.conversations import description as conversations_description
from blog.conversations.api import api as conversations_api
from blog.conversations.ask_api import make_api as make_ask_api
from blog.conversations.ask_pages import make_pages as make_ask_pages
from blog.conversations.ask_pages import reopen_ask
from blog.conversations.guide_pages import pages as guide_pages
from blog.conversations.guide_pages import reopen_add as reopen_new_guide
from blog.conversations.guide_pages import reopen_save as reopen_guide
from blog.conversations.pages import pages as conversation_pages
from blog.conversations.pages import reopen_rename as reopen_conversation
from blog.desk.pages import pages as desk_pages
from blog.desk.pages import reopen_choice
from blog.feeds.maps import pages as map_pages
from blog.feeds.pages import pages as feed_pages
from blog.library import description as library_description
from blog.library.api import api as library_api
from blog.library.grant_pages import pages as grant_pages
from blog.library.grant_pages import reopen_grant
from blog.library.pages import pages as library_pages
from blog.media import description as media_description
from blog.media import pages as media_library
from blog.media import serving as media_serving
from blog.media.api import api as media_api
from blog.posts import description as posts_description
from blog.posts.api import api as posts_api
from blog.posts.editor import pages as editor_pages
from blog.posts.editor import reopen_edit, reopen_new
from blog.posts.offering import find_saved, is_saved
from blog.posts.pages import pages as post_pages
from blog.posts.publishing_pages import pages as publishing_pages
from blog.posts.surroundings import render_here
from blog.previews.pages import pages as preview_pages
from blog.revisions import description as revisions_description
from blog.revisions.api import api as revisions_api
from blog.revisions.pages import pages as revision_pages
from blog.search.pages import pages as search_pages
from blog.series import editor as series_editor
from blog.series import pages as series_pages
from blog.site.pages import pages as site_pages
from blog.site.pages import reopen_settings
from blog.tagging.pages import pages as tagging_pages
from blog.tagging.pages import reopen_rename
from blog.transfer.pages import pages as markdown_pages
from blog.working_copies.api import make_api as make_working_copies
from web.render import current_site

DESCRIPTIONS = (
    posts_description,
    revisions_description,
    media_description,
    library_description,
    conversations_description,
)

# How the form that an endpoint takes is opened again.
REOPENERS: dict[str, Reopen] = {
    "editor.create": reopen_new,
    "editor.save": reopen_edit,
    "site.save_settings": reopen_settings,
    "desk.change_many": reopen_choice,
    "series.create": series_pages.reopen_create,
    "series_editor.rename": series_editor.reopen_rename,
    "series_editor.add": series_editor.reopen_add,
    "tagging.rename": reopen_rename,
    "media_library.save_description": media_library.reopen_description,
    "grant_pages.grant": reopen_grant,
    "ask_pages.ask": reopen_ask,
    "guide_pages.add": reopen_new_guide,
    "guide_pages.save": reopen_guide,
    "conversation_pages.rename": reopen_conversation,
}


def make_faces() -> list[Blueprint]:
    """The routes, for one application."""
    return [
        site_pages,
        post_pages,
        desk_pages,
        series_pages.pages,
        series_editor.pages,
        tagging_pages,
        editor_pages,
        publishing_pages,
        make_working_copies(find_saved, current_site, is_saved, render_here),
        media_library.pages,
        media_serving.pages,
        media_api,
        feed_pages,
        map_pages,
        markdown_pages,
        search_pages,
        revision_pages,
        revisions_api,
        bin_pages,
        preview_pages,
        posts_api,
        library_api,
        library_pages,
        grant_pages,
        conversations_api,
        make_ask_api(lambda: watch_right(Permission.CONVERSE)),
        conversation_pages,
        guide_pages,
        make_ask_pages(lambda: watch_right(Permission.CONVERSE)),
    ]
