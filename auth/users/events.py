"""What is recorded about people."""

from eventlog.kinds import declare

USER_CREATED = declare("user.created")
USER_ROLE_CHANGED = declare("user.role_changed")
USER_BLOCKED = declare("user.blocked")
USER_UNBLOCKED = declare("user.unblocked")
USER_POSTS_HIDDEN = declare("user.posts_hidden")
USER_POSTS_SHOWN = declare("user.posts_shown")
USER_DELETED = declare("user.deleted")
USER_PASSWORD_CHANGED = declare("user.password_changed")
USER_PASSWORD_REMOVED = declare("user.password_removed")
USER_PROFILE_CHANGED = declare("user.profile_changed")


def about(username: str) -> str:
    """The subject of an event about a person."""
    return f"user:{username}"
