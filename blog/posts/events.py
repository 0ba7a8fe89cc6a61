"""What is recorded about posts."""

from eventlog.kinds import declare

POST_CREATED = declare("post.created")
POST_EDITED = declare("post.edited")
POST_PUBLISHED = declare("post.published")
POST_UNPUBLISHED = declare("post.unpublished")
POST_DELETED = declare("post.deleted")
POST_RESTORED = declare("post.restored")


def about(post_id: str) -> str:
    """The subject of an event about a post."""
    return f"post:{post_id}"
