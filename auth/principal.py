"""The principal: who a request comes from, found once, before anything is answered."""

from dataclasses import dataclass

from auth.permissions import Permission, Role, Scope, is_allowed
from storage import clock
from web.current import this_g

FRESH_FOR = 10 * clock.MINUTE


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody, or nobody: a visitor has no user id. The names that Flask-Login looks for are among the properties."""

    user_id: int | None = None
    username: str = ""
    display_name: str = ""
    role: Role | None = None
    time_zone: str | None = None  # that they write in; None: the site's
    session_id: str | None = None  # `epoch.counter` of the sign-in session that says so
    signed_in_at: int | None = None  # when that session began
    token_id: str | None = None
    scopes: frozenset[Scope] | None = None  # of the Bearer token; None for a session
    newcomer: str | None = None  # who signed in as them since this session last looked at their devices, in words

    @property
    def is_authenticated(self) -> bool:
        """Whether this is somebody."""
        return self.user_id is not None

    @property
    def is_active(self) -> bool:
        """Flask-Login's name for the same: a blocked user never becomes a principal."""
        return self.is_authenticated

    @property
    def is_anonymous(self) -> bool:
        """Whether this is a visitor."""
        return not self.is_authenticated

    @property
    def has_session(self) -> bool:
        """Whether a session cookie says so."""
        return self.session_id is not None

    @property
    def has_token(self) -> bool:
        """Whether a Bearer token says so."""
        return self.token_id is not None

    def is_fresh(self, at: int) -> bool:
        """Whether they have shown who they are lately enough for what a stolen or forgotten session must not do.

        A token has no such limit: its scopes are its limits.
        """
        return self.has_token or (self.signed_in_at is not None and 0 <= at - self.signed_in_at < FRESH_FOR)

    @property
    def may_write(self) -> bool:
        """Whether they may write posts."""
        return self.may(Permission.WRITE_POSTS)

    @property
    def is_owner(self) -> bool:
        """Whether they run the place."""
        return self.may(Permission.ADMINISTER)

    @property
    def log_session(self) -> str:
        """The session that what they do is recorded under."""
        return self.session_id or f"token.{self.token_id}"

    @property
    def log_name(self) -> str:
        """Who they are, as the log shows them."""
        return self.username

    def may(self, permission: Permission) -> bool:
        """Whether the role, and the token's scopes where there is one, allow it."""
        return is_allowed(permission, role=self.role, scopes=self.scopes)

    def get_id(self) -> str:
        """Flask-Login's name for the id."""
        return str(self.user_id)


VISITOR = Principal()


def principal() -> Principal:
    """Who the current request comes from."""
    who: Principal = this_g().principal
    return who
