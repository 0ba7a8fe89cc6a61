"""Every setting: what it may be, what it is when absent, all faults at once, and no secret shown."""

import ipaddress
import logging
from pathlib import Path

import pytest

from tests.support import SECRET
from web.settings import Settings, SettingsError, load_settings

OWNER = {"BYLINE_ADMIN_USERNAME": "olive"}


def fault_of(**environment: str) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(environment)
    return str(refused.value)


# What is there when nothing is set


def test_everything_has_a_default() -> None:
    settings = load_settings({})
    assert (settings.port, settings.host, settings.web_concurrency) == (8000, "127.0.0.1", None)
    assert settings.byline_instance == Path("instance")
    assert settings.database_path == Path("instance/byline.db")
    assert settings.secret_key is None
    assert settings.secret_key_fallbacks == ()
    assert settings.byline_url is None
    assert settings.base_url == "http://localhost:8000"
    assert settings.byline_admin_username is None
    assert settings.byline_admin_password is None
    assert settings.byline_api_token is None
    assert settings.byline_trusted_proxies == ()
    assert not settings.is_https


def test_an_empty_variable_counts_as_absent() -> None:
    names = [name.upper() for name in Settings.model_fields]
    assert load_settings(dict.fromkeys(names, "")) == load_settings({})
    assert load_settings({f"{name}_FILE": "" for name in names}) == load_settings({})


def test_the_environment_of_the_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert load_settings().port == 8123


# What each may be


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PORT", "0", 0),
        ("PORT", "65535", 65535),
        ("HOST", "::", "::"),
        ("WEB_CONCURRENCY", "1", 1),
        ("WEB_CONCURRENCY", "64", 64),
        ("BYLINE_INSTANCE", "/var/lib/byline", Path("/var/lib/byline")),
        ("BYLINE_URL", "https://blog.example.org", "https://blog.example.org"),
        ("BYLINE_URL", "https://Blog.Example.ORG/", "https://blog.example.org"),
        ("BYLINE_URL", "https://blog.example.org:443", "https://blog.example.org"),
        ("BYLINE_URL", "http://blog.example.org:80", "http://blog.example.org"),
        ("BYLINE_URL", "http://blog.example.org:443", "http://blog.example.org:443"),
        ("BYLINE_URL", "http://[::1]:8000", "http://[::1]:8000"),
        ("BYLINE_URL", "https://blög.example", "https://xn--blg-tna.example"),
        ("BYLINE_ADMIN_USERNAME", " Olive ", "olive"),
    ],
)
def test_a_good_value_is_taken(name: str, text: str, value: object) -> None:
    assert getattr(load_settings({name: text}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "abc"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "many"),
        ("WEB_CONCURRENCY", "65"),
        ("DATABASE_URL", "postgresql://localhost/byline"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "/var/lib/byline.db"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "x" * 31),
        ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
        ("SECRET_KEY", "Your-Secret-Key-Goes-Here-0123456789"),
        ("SECRET_KEY_FALLBACKS", "short"),
        ("SECRET_KEY_FALLBACKS", f"{SECRET},short"),
        ("BYLINE_URL", "blog.example.org"),
        ("BYLINE_URL", "ftp://blog.example.org"),
        ("BYLINE_URL", "https://"),
        ("BYLINE_URL", "https://blog.example.org/blog"),
        ("BYLINE_URL", "https://blog.example.org?a=b"),
        ("BYLINE_URL", "https://blog.example.org#top"),
        ("BYLINE_URL", "https://me:pw@blog.example.org"),
        ("BYLINE_URL", "https://blog.example.org:port"),
        ("BYLINE_URL", "https://blog.example.org:99999"),
        ("BYLINE_URL", "https://blog example.org"),
        ("BYLINE_URL", "https://blog..example.org"),
        ("BYLINE_URL", "https://[::1"),
        ("BYLINE_ADMIN_USERNAME", "olive oyl"),
        ("BYLINE_ADMIN_USERNAME", "o" * 41),
        ("BYLINE_TRUSTED_PROXIES", "proxy.local"),
        ("BYLINE_TRUSTED_PROXIES", "10.0.0.1/33"),
        ("BYLINE_TRUSTED_PROXIES", "10.0.0.0/8, nonsense"),
    ],
)
def test_a_bad_value_is_named_once(name: str, text: str) -> None:
    lines = fault_of(**{name: text}).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"  - {name}: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BYLINE_ADMIN_PASSWORD", "1234567"),
        ("BYLINE_ADMIN_PASSWORD", "x" * 1001),
        ("BYLINE_API_TOKEN", "byl_short"),
        ("BYLINE_API_TOKEN", f"byl_{'ä' * 43}"),
        ("BYLINE_API_TOKEN", f"byl_{'a' * 43} b"),
        ("BYLINE_API_TOKEN", "a" * 201),
    ],
)
def test_a_bad_secret_of_the_owner_is_named_and_not_shown(name: str, text: str) -> None:
    fault = fault_of(**OWNER, **{name: text})
    assert f"  - {name}: must be " in fault
    assert text not in fault


def test_all_faults_are_listed_at_once() -> None:
    fault = fault_of(
        PORT="no", WEB_CONCURRENCY="no", BYLINE_URL="no", SECRET_KEY="no", BYLINE_TRUSTED_PROXIES="no",
        BYLINE_API_TOKEN="no", SECRET_KEY_FALLBACKS_FILE="/does/not/exist",
    )  # fmt: skip
    assert fault.splitlines()[0] == "These settings cannot be used:"
    named = sorted(line.removeprefix("  - ").split(":")[0].split()[0] for line in fault.splitlines()[1:])
    assert named == sorted(
        [
            "PORT", "WEB_CONCURRENCY", "BYLINE_URL", "SECRET_KEY", "BYLINE_TRUSTED_PROXIES", "SECRET_KEY_FALLBACKS_FILE",
            "BYLINE_API_TOKEN", "BYLINE_API_TOKEN",  # too short, and without its owner
        ]
    )  # fmt: skip


def test_the_owners_secrets_need_an_owner() -> None:
    fault = fault_of(BYLINE_ADMIN_PASSWORD="long enough", BYLINE_API_TOKEN=f"byl_{'a' * 43}")
    assert "BYLINE_ADMIN_PASSWORD needs BYLINE_ADMIN_USERNAME" in fault
    assert "BYLINE_API_TOKEN needs BYLINE_ADMIN_USERNAME" in fault


def test_a_secret_of_digits_alone_stays_the_text_that_it_is() -> None:
    digits = "01234567890123456789012345678901"
    settings = load_settings({"SECRET_KEY": digits, **OWNER, "BYLINE_ADMIN_PASSWORD": "00123456"})
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == digits
    assert settings.byline_admin_password is not None
    assert settings.byline_admin_password.get_secret_value() == "00123456"


def test_older_keys_are_split_at_commas_and_not_into_letters() -> None:
    # Trap 10.
    one, other = "o" * 32, "p" * 40
    for text, keys in ((one, [one]), (f"{one},{other}", [one, other]), (f" {one} , {other} ,", [one, other])):
        fallbacks = load_settings({"SECRET_KEY": SECRET, "SECRET_KEY_FALLBACKS": text}).secret_key_fallbacks
        assert [key.get_secret_value() for key in fallbacks] == keys


def test_proxies_are_addresses_and_networks() -> None:
    proxies = load_settings({"BYLINE_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1,::1, fd00::/8"}).byline_trusted_proxies
    assert proxies == tuple(
        ipaddress.ip_network(text) for text in ("10.0.0.0/8", "192.0.2.1/32", "::1/128", "fd00::/8")
    )


@pytest.mark.parametrize(
    ("url", "path"), [("sqlite:///here/blog.db", "here/blog.db"), ("sqlite:////var/lib/blog.db", "/var/lib/blog.db")]
)
def test_the_database_may_stand_elsewhere(url: str, path: str) -> None:
    assert load_settings({"DATABASE_URL": url, "BYLINE_INSTANCE": "/elsewhere"}).database_path == Path(path)


def test_https_is_decided_by_the_public_address() -> None:
    assert load_settings({"BYLINE_URL": "https://blog.example.org"}).is_https
    assert not load_settings({"BYLINE_URL": "http://blog.example.org"}).is_https


# Secrets from files


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS", "BYLINE_ADMIN_PASSWORD", "BYLINE_API_TOKEN", "DATABASE_URL"]
)
def test_a_secret_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    value = "sqlite:////var/lib/blog.db" if name == "DATABASE_URL" else "a-secret-from-a-file-0123456789-abcdef"
    file = tmp_path / "secret"
    file.write_text(f"{value}\n")
    from_file = load_settings({**OWNER, f"{name}_FILE": str(file)})
    assert from_file == load_settings({**OWNER, name: value})
    assert from_file != load_settings(OWNER)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    assert "SECRET_KEY and SECRET_KEY_FILE are both set: keep one." in fault_of(
        SECRET_KEY=SECRET, SECRET_KEY_FILE=str(file)
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\xfd")
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "missing", "No such file"), (binary, "not UTF-8")):
        fault = fault_of(SECRET_KEY_FILE=str(path))
        assert f"SECRET_KEY_FILE: {path} cannot be read" in fault
        assert reason in fault


# Nothing shows a secret


def test_no_form_of_the_settings_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    secrets = {
        "SECRET_KEY": "the-signing-secret-0123456789-abcdefgh",
        "SECRET_KEY_FALLBACKS": "an-older-secret-0123456789-abcdefghijk",
        "BYLINE_ADMIN_PASSWORD": "the owner's first password",
        "BYLINE_API_TOKEN": "byl_0123456789012345678901234567890123456789abc",
    }
    settings = load_settings({**OWNER, **secrets})
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").warning("settings: %s %r", settings, settings)
    shown = [repr(settings), str(settings), settings.model_dump_json(), caplog.text]
    for form in shown:
        assert "olive" in form
        assert not [value for value in secrets.values() if value in form]
