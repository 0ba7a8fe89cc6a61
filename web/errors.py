"""The closed list of refusals. A capability raises one, and `web.error_pages` alone turns it into an answer."""

from collections.abc import Mapping


class Refusal(Exception):
    """A request that is refused, with a sentence for whoever made it."""

    status = 400
    title = "This could not be understood"

    def __init__(self, detail: str = "", *, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class NotFound(Refusal):
    """There is no such thing, or the asker is not allowed to know."""

    status = 404
    title = "Nothing is here"


class Gone(Refusal):
    """It was here and was deleted, or, as a link, is over."""

    status = 410
    title = "This was deleted"

    def __init__(self, detail: str = "", *, title: str | None = None, offers_sign_in: bool = False) -> None:
        super().__init__(detail)
        self.title = title or type(self).title
        self.offers_sign_in = offers_sign_in  # where whoever asks may have been the one who used it


class Invalid(Refusal):
    """The content breaks a rule; `fields` says which field and how."""

    status = 422
    title = "Some of this needs another look"

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(f"{name}: {fault}" for name, fault in fields.items()))
        self.fields = dict(fields)


class Conflict(Refusal):
    """It cannot be done in the state that things are in."""

    status = 409
    title = "This cannot be done now"


class Stale(Conflict):
    """Somebody saved meanwhile; `current_version` is what is there now. Forms answer 409, the API 412."""

    title = "Somebody saved meanwhile"

    def __init__(self, current_version: int) -> None:
        super().__init__(f"The version there now is {current_version}.")
        self.current_version = current_version


class Busy(Refusal):
    """The site cannot do this right now; trying again will help."""

    status = 503
    title = "Too busy to do this right now"


class Unauthenticated(Refusal):
    """Nobody is signed in, or the Bearer token is not (or no longer) good."""

    status = 401
    title = "Please sign in"

    def __init__(self, detail: str = "", *, error_code: str | None = None) -> None:
        super().__init__(detail)
        self.error_code = error_code  # RFC 6750, section 3.1; None when no credentials came


class Forbidden(Refusal):
    """Somebody is signed in, but may not do this."""

    status = 403
    title = "You may not do this"

    def __init__(self, detail: str = "", *, error_code: str | None = None) -> None:
        super().__init__(detail)
        self.error_code = error_code


class TooMany(Refusal):
    """Too many attempts; wait `retry_after_seconds`."""

    status = 429
    title = "Too many attempts"


class TooLarge(Refusal):
    """The body is over its limit and was not read."""

    status = 413
    title = "This is too large"
