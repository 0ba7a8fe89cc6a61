"""The page of one post, or of what stands in its place for those who may not read it."""

from typing import NamedTuple

from flask import Response, redirect
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from auth.principal import principal
from blog.posts.model import ShownPost, Visibility
from blog.posts.outline import outline
from blog.posts.queries.lists import Neighbour
from blog.posts.reading import Readable, may_edit, refuse_to_members_only
from blog.posts.sharing import share, share_without_text
from storage import clock
from web.error_pages import challenge
from web.negotiation import wants_json
from web.render import absolute_url, current_site, render_page


class Around(NamedTuple):
    """Where a post leads to, for whoever reads it."""

    series: object = None  # what it is a part of
    before: Neighbour | None = None  # the post that came out before it
    after: Neighbour | None = None
    held: str | None = None  # how its reader holds it; empty: not at all; None: they have no library


def answer(readable: Readable[ShownPost], around: Around, *, asked: str) -> ResponseReturnValue:
    """The page, for whoever asked for it at that path."""
    who, post = principal(), readable.post
    if post.path != asked:
        return redirect(post.path, code=301)
    if readable.is_withheld:
        return withhold(post)
    at, found = clock.now(), outline(post.html)
    is_for_all = post.is_out(at) and post.visibility == Visibility.PUBLIC
    return render_page(
        "blog/posts/post.html",
        post=post,
        text=Markup(post.html),  # noqa: S704 - sanitised when it was saved
        outline=found,
        is_scheduled=post.is_scheduled(at),
        around=around,
        sharing=share(post, current_site(), picture=found.picture) if is_for_all else None,
        may_edit=may_edit(post, by=who),
        canonical_url=absolute_url(post.path),
    )


def withhold(post: ShownPost) -> Response:
    """The answer to a visitor about a post for members. Raises Unauthenticated and Forbidden for programs."""
    who = principal()
    if who.is_authenticated or wants_json():
        refuse_to_members_only(by=who)
    # Nothing but what the author wrote for everybody: an excerpt made from the text would give the text away.
    response = render_page(
        "blog/posts/members_only.html",
        status=401,
        title=post.title,
        lang=post.lang,
        excerpt=post.excerpt,
        sharing=share_without_text(post, current_site()),
        sign_in_url=f"/login?next={post.path}",
        canonical_url=absolute_url(post.path),
    )
    response.headers["WWW-Authenticate"] = challenge()
    return response
