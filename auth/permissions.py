"""What may be done, and which roles and scopes may do it: one table."""

from enum import StrEnum


class Role(StrEnum):
    """What a person is here, from the least to the most."""

    READER = "reader"
    AUTHOR = "author"
    EDITOR = "editor"
    OWNER = "owner"


class Scope(StrEnum):
    """What a Bearer token may be used for."""

    POSTS_READ = "posts:read"
    POSTS_WRITE = "posts:write"
    POSTS_PROPOSE = "posts:propose"
    MEDIA_WRITE = "media:write"
    CONVERSATIONS = "conversations"
    ACCOUNT = "account"
    EVENTS_READ = "events:read"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a route or a statement asks for."""

    READ_MEMBERS_POSTS = "read what is for members"
    READ_OWN_DRAFTS = "read one's own drafts"
    READ_ANY_DRAFT = "read anybody's drafts"
    WRITE_POSTS = "write and change one's own posts"
    PUBLISH_POSTS = "make one's own posts public, and take them back"
    EDIT_ANY_POST = "change anybody's posts"
    UPLOAD_MEDIA = "upload pictures and describe one's own"
    USE_ACCOUNT = "use one's own account"
    CONVERSE = "keep a library and ask posts"
    READ_EVENTS = "read the event log"
    ADMINISTER = "run the place"


_EVERYBODY = frozenset(Role)
_WRITERS = frozenset({Role.AUTHOR, Role.EDITOR, Role.OWNER})
_EDITORS = frozenset({Role.EDITOR, Role.OWNER})
_OWNERS = frozenset({Role.OWNER})
_READ = frozenset({Scope.POSTS_READ, Scope.POSTS_WRITE, Scope.POSTS_PROPOSE})

# permission → who has it, and with which of these scopes when a token asks.
_TABLE: dict[Permission, tuple[frozenset[Role], frozenset[Scope]]] = {
    # Whoever asks a post is read from it.
    Permission.READ_MEMBERS_POSTS: (_EVERYBODY, _READ | {Scope.CONVERSATIONS}),
    Permission.READ_OWN_DRAFTS: (_WRITERS, _READ),
    Permission.READ_ANY_DRAFT: (_EDITORS, frozenset({Scope.POSTS_READ, Scope.POSTS_WRITE})),
    Permission.WRITE_POSTS: (_WRITERS, frozenset({Scope.POSTS_WRITE, Scope.POSTS_PROPOSE})),
    Permission.PUBLISH_POSTS: (_WRITERS, frozenset({Scope.POSTS_WRITE})),
    Permission.EDIT_ANY_POST: (_EDITORS, frozenset({Scope.POSTS_WRITE})),
    Permission.UPLOAD_MEDIA: (_WRITERS, frozenset({Scope.MEDIA_WRITE, Scope.POSTS_WRITE})),
    Permission.USE_ACCOUNT: (_EVERYBODY, frozenset({Scope.ACCOUNT})),
    Permission.CONVERSE: (_EVERYBODY, frozenset({Scope.CONVERSATIONS})),
    Permission.READ_EVENTS: (_OWNERS, frozenset({Scope.EVENTS_READ})),
    Permission.ADMINISTER: (_OWNERS, frozenset({Scope.ADMIN})),
}

# What a scope is made for: whoever may not do that has no use for it.
_PURPOSES: dict[Scope, Permission] = {
    Scope.POSTS_READ: Permission.READ_MEMBERS_POSTS,
    Scope.POSTS_WRITE: Permission.PUBLISH_POSTS,
    Scope.POSTS_PROPOSE: Permission.WRITE_POSTS,
    Scope.MEDIA_WRITE: Permission.UPLOAD_MEDIA,
    Scope.CONVERSATIONS: Permission.CONVERSE,
    Scope.ACCOUNT: Permission.USE_ACCOUNT,
    Scope.EVENTS_READ: Permission.READ_EVENTS,
    Scope.ADMIN: Permission.ADMINISTER,
}


def is_allowed(permission: Permission, *, role: Role | None, scopes: frozenset[Scope] | None) -> bool:
    """Whether a role may do it, and, where a token asks, one of its scopes allows it."""
    roles, needed = _TABLE[permission]
    return role in roles and (scopes is None or not needed.isdisjoint(scopes))


def useful_scopes(role: Role | None) -> list[Scope]:
    """The scopes that allow a person of that role what they are made for."""
    return [scope for scope, purpose in _PURPOSES.items() if is_allowed(purpose, role=role, scopes=None)]
