"""A post as the file that an export would make of it, for readers."""

from flask import Blueprint, Response, redirect
from flask.typing import ResponseReturnValue

from auth.guards import public
from auth.principal import principal
from blog.posts.model import Kind
from blog.posts.reading import read_post
from blog.posts.showing import withhold
from blog.transfer.fields import fields_of
from blog.transfer.front_matter import FrontMatterFault, write
from web.caching import shared
from web.database import reading
from web.errors import Conflict, NotFound
from web.render import absolute_url

pages = Blueprint("markdown", __name__)


@pages.get("/posts/<slug>.md")
@public
@shared()
def show(slug: str) -> ResponseReturnValue:
    """The Markdown of a post with its front matter, for everybody who may read its page."""
    with reading() as db:
        readable = read_post(db, by=principal(), slug=slug)
    post = readable.post
    if post.kind == Kind.PAGE:
        raise NotFound
    if readable.is_moved:
        return redirect(f"{post.path}.md", code=301)
    if readable.is_withheld:
        return withhold(post)
    fields = fields_of(post, [])
    # Addresses that it had as a draft may tell what it was to be called.
    del fields["former_slugs"]
    try:
        text = write(fields, post.body)
    except FrontMatterFault as fault:
        raise Conflict(f"This post cannot be written as a file: {fault}") from fault
    response = Response(text, content_type="text/markdown; charset=utf-8")
    response.headers["Link"] = f'<{absolute_url(post.path)}>; rel="canonical"'
    return response
