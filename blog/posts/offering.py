"""The editor's side of working copies: what is saved under a key, and what to offer on return."""

import sqlalchemy as sa

from auth.principal import Principal, principal
from blog.posts.forms import PostForm, form_data
from blog.posts.model import Post
from blog.posts.writing import find_editable, find_repeated
from blog.posts.zones import writers_zone
from blog.working_copies import keeping
from blog.working_copies.api import Saved
from blog.working_copies.keeping import Offer
from blog.working_copies.model import key_of_new, submission_of
from web.database import reading
from web.errors import NotFound


def find_saved(db: sa.Connection, key: str, *, by: Principal) -> Saved:
    """What is saved under the key of a working copy. Raises NotFound, Gone, Forbidden as `find_editable` does."""
    submission = submission_of(key)
    if submission is None:
        return _saved(find_editable(db, by=by, post_id=key))
    repeated = find_repeated(db, submission, by=by)
    return Saved(key) if repeated is None else _saved(find_editable(db, by=by, post_id=repeated.id))


def is_saved(db: sa.Connection, submission: str, by: Principal) -> bool:
    """Whether that very form was saved."""
    return find_repeated(db, submission, by=by) is not None


def continued_form(key: str, post: Post | None) -> PostForm:
    """The form as it was kept. Raises NotFound when nothing is kept there (any more)."""
    if (submission_of(key) is None) is (post is None) or (post is not None and key != post.id):
        raise NotFound
    with reading() as db:
        copy = keeping.find(db, key, by=principal())
    if copy is None:
        raise NotFound("It was saved or discarded meanwhile, or it is older than 30 days.")
    return PostForm(data=copy.fields | {"submission": copy.submission})


def offers(post: Post | None) -> list[Offer]:
    """What is kept for this editor and differs from what is saved."""
    with reading() as db:
        if post is None:
            found = [keeping.offer(copy, None) for copy in keeping.list_of_new(db, by=principal())]
        else:
            copy = keeping.find(db, post.id, by=principal())
            found = [] if copy is None else [keeping.offer(copy, _saved(post).fields)]
    return [each for each in found if each is not None]


def editor_key(post: Post | None, submission: str) -> str:
    """The key under which this editor keeps what is typed into it."""
    return key_of_new(submission) if post is None else post.id


def _saved(post: Post) -> Saved:
    return Saved(post.id, post.id, form_data(post, writers_zone()))
