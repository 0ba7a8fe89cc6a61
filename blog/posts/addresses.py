"""Which addresses pages may have."""

from werkzeug.routing import BaseConverter

from blog.posts.content import RESERVED, SLUG


class PageSlug(BaseConverter):
    """What stands alone after the first slash, and is nothing that the site itself answers."""

    regex = rf"(?!(?:{'|'.join(sorted(RESERVED))})$){SLUG.pattern}"
