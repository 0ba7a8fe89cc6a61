"""The settings: environment variables, checked all at once before anything starts.

A secret may come from a file instead: `NAME_FILE` names it. An empty variable counts as absent.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from web.mail_server import MailServer, check_sender, parse_mail_server

_SECRETS = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "BYLINE_ADMIN_PASSWORD",
    "BYLINE_API_TOKEN",
    "DATABASE_URL",
    "BYLINE_SMTP_URL",
    "REDIS_URL",
    "BYLINE_LLM_API_KEY",
)
_SECRET_KEY_BYTES = 32
# What stands in documentation and compose files; a site signed with one of these is open to everybody.
_SAMPLES = ("change-me", "changeme", "change_me", "replace-me", "your-secret-key")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """Settings that cannot be used; the message lists them all, one a line."""


def _check_secret_key(secret: SecretStr | None) -> SecretStr | None:
    if secret is None:
        return None
    value = secret.get_secret_value()
    if len(value.encode()) < _SECRET_KEY_BYTES:
        raise ValueError(f"must be at least {_SECRET_KEY_BYTES} bytes long")
    if any(sample in value.lower() for sample in _SAMPLES):
        raise ValueError("is a sample value: make one of your own, for example with `openssl rand -base64 48`")
    return secret


def _check_fallbacks(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    # They open the site as the current one does. A key that holds a comma would come in pieces, too short to be one.
    for secret in secrets:
        _check_secret_key(secret)
    return secrets


def _check_url(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("must look like https://blog.example.org")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must be a base address without a path")
    default_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{_host_as_sent(parts.hostname)}{port}"


def _host_as_sent(name: str) -> str:
    """The name as browsers put it into the Host header. Raises ValueError."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]"
    ascii_name = name.encode("idna").decode()
    if not re.fullmatch(r"[a-z0-9._-]+", ascii_name):
        raise ValueError("names a host that cannot be one")
    return ascii_name


def _check_token(token: SecretStr | None) -> SecretStr | None:
    # The alphabet of RFC 6750, section 2.1; shorter ones could be guessed.
    if token is not None and not re.fullmatch(r"[A-Za-z0-9._~+/-]{32,200}=*", token.get_secret_value()):
        raise ValueError("must be 32 to 200 letters, digits or -._~+/ (a good one: `byl_` and 43 random characters)")
    return token


def _check_username(name: str | None) -> str | None:
    if name is None:
        return None
    name = name.strip().lower()
    if not re.fullmatch(r"[a-z0-9_-]{1,40}", name):
        raise ValueError("must be 1 to 40 of a-z, 0-9, - and _")
    return name


def _check_password(password: SecretStr | None) -> SecretStr | None:
    if password is not None and not 8 <= len(password.get_secret_value()) <= 1000:
        raise ValueError("must be 8 to 1,000 characters long")
    return password


def _check_database_url(url: str | None) -> str | None:
    if url is not None and not re.match(r"sqlite:///[^:]", url):
        raise ValueError("must look like sqlite:///folder/file.db or sqlite:////absolute/file.db")
    return url


def _check_smtp_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None:
        parse_mail_server(url.get_secret_value())
    return url


def _check_redis_url(url: SecretStr | None) -> SecretStr | None:
    if url is not None and not re.match(r"(?:rediss?|unix)://.", url.get_secret_value()):
        raise ValueError("must look like redis://host:6379/0, rediss://… or unix://…")
    if url is not None and not url.get_secret_value().startswith("unix:"):
        parts = urlsplit(url.get_secret_value())
        if not _has_port(parts) or not re.fullmatch(r"(?:/[0-9]*)?", parts.path) or not parts.hostname:
            raise ValueError("must look like redis://host:6379/0, with numbers for the port and the database")
    return url


def _has_port(parts: SplitResult) -> bool:
    """Whether its port, if it names one, can be one."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def _check_model_url(url: str | None) -> str | None:
    if url is not None and not (re.fullmatch(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", url) and _has_port(urlsplit(url))):
        raise ValueError("must look like http://host:port/v1, without a user and a password")
    return url


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class Settings(BaseModel):
    """What the environment says. Field names are the variables' names in lower case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: Annotated[int, Field(ge=0, le=65535, description="where to listen")] = 8000
    host: Annotated[str, Field(description="the address to listen on")] = "127.0.0.1"
    web_concurrency: Annotated[int | None, Field(ge=1, le=64, description="web processes (number of CPUs)")] = None
    byline_instance: Annotated[Path, Field(description="the data folder")] = Path("instance")
    database_url: Annotated[
        str | None,
        AfterValidator(_check_database_url),
        Field(description="`sqlite:///…`, another place for the database (`byline.db` in the data folder)"),
    ] = None
    secret_key: Annotated[
        SecretStr | None,
        AfterValidator(_check_secret_key),
        Field(description="signs cookies and tokens, 32 bytes or more (generated once into the data folder)"),
    ] = None
    secret_key_fallbacks: Annotated[
        tuple[SecretStr, ...],
        BeforeValidator(_split),
        AfterValidator(_check_fallbacks),
        Field(description="older keys, separated by commas: verified, never used to sign"),
    ] = ()
    byline_url: Annotated[
        str | None,
        AfterValidator(_check_url),
        Field(description="the public address, without a path; other hosts get 400 (any host is served)"),
    ] = None
    byline_admin_username: Annotated[
        str | None,
        AfterValidator(_check_username),
        Field(description="the owner made at the first start (a setup link in the terminal)"),
    ] = None
    byline_admin_password: Annotated[
        SecretStr | None, AfterValidator(_check_password), Field(description="that owner's first password")
    ] = None
    byline_api_token: Annotated[
        SecretStr | None, AfterValidator(_check_token), Field(description="a Bearer token for that owner")
    ] = None
    byline_trusted_proxies: Annotated[
        tuple[Network, ...],
        BeforeValidator(_split),
        Field(description="addresses or networks, separated by commas, whose forwarding headers count (nobody's)"),
    ] = ()
    byline_smtp_url: Annotated[
        SecretStr | None,
        AfterValidator(_check_smtp_url),
        Field(description="a server that takes mail, `smtp://…` or `smtps://…` (no mail)"),
    ] = None
    byline_mail_from: Annotated[
        str | None, AfterValidator(check_sender), Field(description="the address that mail comes from (no mail)")
    ] = None

    redis_url: Annotated[
        SecretStr | None,
        AfterValidator(_check_redis_url),
        Field(
            description="Redis or Valkey, `redis://…`, for the locks and caches of conversations (the database does it)"
        ),
    ] = None
    byline_llm_url: Annotated[
        str | None,
        AfterValidator(_check_model_url),
        Field(description="an OpenAI-compatible address that answers readers (answers quote passages)"),
    ] = None
    byline_llm_model: Annotated[str | None, Field(description="the name of the model there")] = None
    byline_llm_api_key: Annotated[SecretStr | None, Field(description="the key for it (none)")] = None

    @property
    def mail_server(self) -> MailServer | None:
        """Where mail is handed in; None: this site sends none."""
        return None if self.byline_smtp_url is None else parse_mail_server(self.byline_smtp_url.get_secret_value())

    @property
    def database_path(self) -> Path:
        """Where the database file is."""
        if self.database_url is None:
            return self.byline_instance / "byline.db"
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def base_url(self) -> str:
        """The address that absolute links begin with."""
        return self.byline_url or f"http://localhost:{self.port}"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the site over TLS; decides `Secure`, `__Host-` and HSTS."""
        return self.base_url.startswith("https://")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingsError, which names every wrong one."""
    given = dict(os.environ if environ is None else environ)
    faults: list[str] = []
    values: dict[str, str] = {}
    for field in Settings.model_fields:
        name = field.upper()
        value = _from_file(given, name, faults) if name in _SECRETS else None
        value = value if value is not None else given.get(name)
        if value:
            values[field] = value
    if "byline_admin_username" not in values:
        owned = [field.upper() for field in ("byline_admin_password", "byline_api_token") if field in values]
        faults += [f"{name} needs BYLINE_ADMIN_USERNAME: it belongs to that owner." for name in owned]
    if ("byline_smtp_url" in values) != ("byline_mail_from" in values):
        faults.append("BYLINE_SMTP_URL and BYLINE_MAIL_FROM belong together: set both or neither.")
    if ("byline_llm_url" in values) != ("byline_llm_model" in values):
        faults.append("BYLINE_LLM_URL and BYLINE_LLM_MODEL belong together: set both or neither.")
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        # One fault a variable: a value that is neither kind of network would be named twice.
        described = {str(detail["loc"][0]): detail["msg"] for detail in reversed(error.errors(include_input=False))}
        faults += [f"{name.upper()}: {_in_words(message)}." for name, message in reversed(described.items())]
    if faults:
        raise SettingsError("These settings cannot be used:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return settings


def _from_file(given: Mapping[str, str], name: str, faults: list[str]) -> str | None:
    path = given.get(f"{name}_FILE")
    if not path:
        return None
    if given.get(name):
        faults.append(f"{name} and {name}_FILE are both set: keep one.")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{name}_FILE: {path} cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'}).")
        return None


def _in_words(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should", "should").replace("Input is", "is")
