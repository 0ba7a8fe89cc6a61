"""No secret stays, whatever it is wrapped in; nothing else changes; and no text takes long."""

import html
import re
import time
from collections import Counter
from urllib.parse import unquote, unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlog.redaction import JsonValue, redact, redact_deeply, shapes
from eventlog.redaction.patterns import cut
from tests.eventlog.corpus import BENIGN, ENCODINGS, PLANTED, Planted

WINDOW = 12
PARTS = [
    *("password", "token", "secret", "api_key", "Cookie", "Bearer ", "Basic ", "Authorization", "://", "@", "=", ": "),
    *(
        '"',
        "'",
        "&",
        "\\",
        "\\n",
        "\n",
        " ",
        "%22",
        "%3D",
        "&quot;",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOi",
        ".",
    ),
    *(
        "/",
        "-----END RSA PRIVATE KEY-----",
        "aB3dE6gH9jK2mN5p",
        "12.7.",
        "hunter2",
        "<",
        ">",
        "[redacted: ",
        "]",
        ",",
        ";",
    ),
    *("+", "|\n  ", "--", "é", "\x00", "ghp" + "_", "sk" + "-", "AKIA" + "ABCDEFGHIJKLMNOP", "xox" + "b-"),
]
planted = st.sampled_from(PLANTED)
encodings = st.sampled_from(sorted(ENCODINGS))
json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def text_of(value: str) -> str:
    clean, _ = redact(value)
    assert isinstance(clean, str)
    return clean


def unescaped(text: str) -> str:
    """JSON's escapes read, as far as they go."""
    letters = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(
        r"\\(?:u([0-9A-Fa-f]{4})|(.))",
        lambda match: chr(int(match[1], 16)) if match[1] else letters.get(match[2], match[2]),
        text,
    )


def readings(text: str) -> list[str]:
    """The text as whoever gets hold of it may read it."""
    once = [text, unescaped(text), unquote(text), unquote_plus(text), html.unescape(text)]
    twice = [unescaped(once[1]), unquote(once[2]), unquote_plus(once[3]), html.unescape(once[4])]
    return [*once, *twice, unescaped(once[3]), unescaped(once[4]), unquote_plus(once[1])]


def left_behind(text: str, secret: str) -> list[str]:
    """Every window of the secret that can still be read."""
    windows = {secret[place : place + WINDOW] for place in range(len(secret) - WINDOW + 1)}
    return [window for reading in readings(text) for window in windows if window in reading]


def test_the_corpus_is_large_enough() -> None:
    assert len({secret.text for secret in PLANTED}) >= 80
    assert [secret.name for secret in PLANTED if len(secret.secret) < WINDOW or secret.secret not in secret.text] == []


@pytest.mark.parametrize("secret", PLANTED, ids=str)
def test_a_secret_is_found_in_every_encoding_and_counted(secret: Planted) -> None:
    for encode in ENCODINGS.values():
        clean, counts = redact(encode(secret.text))
        assert isinstance(clean, str)
        assert left_behind(clean, secret.secret) == []
        assert counts
    assert redact(secret.text)[1][secret.pattern] >= 1


@pytest.mark.parametrize("secret", [secret for secret in PLANTED if secret.is_wrappable], ids=str)
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\n    ", "\\\n", "\u200b", "\u2028"])
def test_a_secret_goes_that_was_broken_over_lines(secret: Planted, line_break: str) -> None:
    begin = secret.text.index(secret.secret)
    for width in (16, 30, 60, 76):
        pieces = [secret.secret[place : place + width] for place in range(0, len(secret.secret), width)]
        text = secret.text[:begin] + line_break.join(pieces) + secret.text[begin + len(secret.secret) :]
        for encode in ENCODINGS.values():
            assert left_behind(text_of(encode(f"It was\n{text}\nand no more of it")), secret.secret) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(planted, min_size=1, max_size=6), encodings, st.sampled_from(["\n\n", "\r\n \r\n", " \n"]))
def test_many_secrets_in_one_text_all_go(secrets: list[Planted], encoding: str, between: str) -> None:
    clean = text_of(ENCODINGS[encoding](between.join(secret.text for secret in secrets)))
    assert [secret.name for secret in secrets if left_behind(clean, secret.secret)] == []


def test_a_key_whose_end_was_cut_off_goes_to_the_end() -> None:
    for secret in PLANTED:
        if secret.pattern == "private-key":
            assert left_behind(text_of("key: " + secret.text[:700]), secret.secret[:600]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user=olive&password=hunter2&next=/", "user=olive&password=[redacted: password]&next=/"),
        ("?token=aB3dE6gH9jK2&page=2", "?token=[redacted: token]&page=2"),
        ("password=it's-5%25,;&x=1", "password=[redacted: password]&x=1"),
        ("PASSWORD='correct horse' USER=olive", "PASSWORD='[redacted: password]' USER=olive"),
        ('{"password": "say \\"please\\" 1", "a": 1}', '{"password": "[redacted: password]", "a": 1}'),
        ("password: 1234\nuser: olive", "password: [redacted: password]\nuser: olive"),
        ("db:\n  password: |\n    hunter2\n    hunter3\n", "db:\n  password: [redacted: password]"),
        ("Cookie: a=1; b=2\r\nHost: x", "Cookie: [redacted: cookie]\r\nHost: x"),
        ("{'Cookie': 'a=1; b=2', 'Host': 'x'}", "{'Cookie': '[redacted: cookie]', 'Host': 'x'}"),
        ("mongodb://u:p@ss/w0rd@db/x", "mongodb://u:[redacted: url-password]@db/x"),
        ("https://u:p@ss@example.org/@me", "https://u:[redacted: url-password]@example.org/@me"),
        ("see 12.7." + "aB3-" * 8 + " there", "see 12.7.[redacted: byline-session] there"),
        ('Authorization: Digest username="o"\r\nHost: x', "Authorization: [redacted: authorization]\r\nHost: x"),
        ("password:\u00a0hunter2", "password:\u00a0[redacted: password]"),
        ("password=$hunter2hunter2&x=1", "password=[redacted: password]&x=1"),
        ("password=<hunter2>", "password=[redacted: password]"),
        ("mysql --password hunter2 -u olive", "mysql --password [redacted: password] -u olive"),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, expected: str) -> None:
    assert text_of(text) == expected


@pytest.mark.parametrize("name", BENIGN)
def test_a_text_without_secrets_stays_as_it_is(name: str) -> None:
    assert redact(BENIGN[name]) == (BENIGN[name], {})
    value: JsonValue = {"title": BENIGN[name], "parts": [BENIGN[name], 7, None, True, 1.5]}
    assert redact(value) == (value, {})


@settings(max_examples=100, deadline=None)
# Where line breaks are escaped, nobody can tell where the value of a setting ends.
@given(st.sampled_from(sorted(set(BENIGN) - {"Markdown with code"})), encodings)
def test_a_text_without_secrets_stays_in_every_encoding(name: str, encoding: str) -> None:
    text = ENCODINGS[encoding](BENIGN[name].replace("\ud800", ""))
    assert redact(text) == (text, {})


@settings(max_examples=300, deadline=None)
@given(st.text("abcxyzABCXYZ0123456789_", max_size=15).filter(str.isidentifier))
def test_a_short_word_is_no_secret_by_its_shape(word: str) -> None:
    counts: Counter[str] = Counter()
    assert cut(word, shapes.PATTERNS, counts) == word
    assert redact(word) == (word, {})


def test_names_of_fields_are_redacted_too_and_none_is_lost() -> None:
    secret = PLANTED[0].text
    clean, counts = redact({secret: 1, f"{secret}Z": 2, "x": {f"x {secret}": 3}})
    assert clean == {
        "[redacted: byline-token]": 1,
        "[redacted: byline-token] (2)": 2,
        "x": {"x [redacted: byline-token]": 3},
    }
    assert counts == {"byline-token": 3}


def test_a_field_that_is_named_for_a_secret_holds_one() -> None:
    value: dict[str, JsonValue] = {
        "password": "swordfish",
        "Authorization": "Bearer of news",
        "client_secret": ["one", "two"],
        "newPassword2": "swordfish",
        "api_key": None,
        "pin": {"password": {"value": "swordfish", "length": 9}, "passwords": [1234, True]},
        "token": "…",
        "token_id": "17",
        "tags": ["password", "security"],
        "redacted": {"password": 3},
    }
    clean, counts = redact(value)
    assert clean == value | {
        "password": "[redacted: password]",
        "Authorization": "[redacted: authorization]",
        "client_secret": ["[redacted: secret]", "[redacted: secret]"],
        "newPassword2": "[redacted: password]",
        "pin": {
            "password": {"value": "[redacted: password]", "length": "[redacted: password]"},
            "passwords": ["[redacted: password]", True],
        },
    }
    assert counts == {"authorization": 1, "password": 5, "secret": 2}
    assert redact(clean) == (clean, {})
    assert value["password"] == "swordfish"


@settings(max_examples=150, deadline=None)
@given(json_values)
def test_no_value_is_refused(value: JsonValue) -> None:
    for redaction in (redact, redact_deeply):
        clean, counts = redaction(value)
        assert (repr(clean) == repr(value)) == (counts == {})


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=24).map("".join))
def test_what_chance_puts_together_is_redacted_without_a_fault(text: str) -> None:
    clean, counts = redact(text)
    assert (clean == text) == (counts == {})


@pytest.mark.parametrize(
    ("text", "expected", "pattern"),
    [
        ("write to olive.k+blog@mail.example.org.", "write to [redacted: email].", "email"),
        ("from 203.0.113.7:443", "from [redacted: ip-address]:443", "ip-address"),
        ("[2001:db8::7]", "[[redacted: ip-address]]", "ip-address"),
        ("commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad", "commit [redacted: hex]", "hex"),
        ("key " + "aB3+" * 12 + "==", "key [redacted: base64]", "base64"),
    ],
)
def test_an_export_for_strangers_leaves_out_more(text: str, expected: str, pattern: str) -> None:
    assert redact(text) == (text, {})
    assert redact_deeply(text) == (expected, {pattern: 1})


def test_an_export_for_strangers_keeps_what_says_nothing_about_them() -> None:
    for text in (
        *(BENIGN[name] for name in ("prose", "questions", "lists", "TypeScript", "JSON")),
        "550e8400-e29b-41d4-a716-446655440000 version 3.11.7 at 21:24:09, ISBN 978-3-16-148410-0, std::vec::a::b",
        "/posts/how-to-choose-a-password-nobody-guesses-in-2029 and https://example.org/Posts/Some/Long/Path/2029/11/20",
    ):
        assert redact_deeply(text) == (text, {})


HOSTILE = [
    *"Aa1=-_./:@&; \n\\%\"'<{+",
    *("-----BEGIN", "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN A PRIVATE KEY-----AbCdEfGh12345678aaaa"),
    *("%25", "%2525", "\\\\", "\\u005c", "&amp;", "eyJ", "eyJ.", "eyJaaaaaaaa.", "a.", "1.", "1.1.aaaaaaaaaaaaaaa."),
    *(
        "password",
        "password=",
        "password='",
        'password="',
        "password: ",
        "password=a&",
        "password: |\n ",
        "_key=",
        "key:",
    ),
    *("token: ", '"token": "', "--token a", "<token>", 'name="password"\r\n\r\n', "Cookie: a=b ", "cookie:a=;"),
    *("Authorization: Digest a=", "Bearer ", "Basic aaaaaa", "://a:", "a://a:b@", "://a:/@", "sk" + "-", "AIza", "a@"),
    *("@a.", "a@a.", "::", "1:", "1.1.1.1.", "/setup/", "aB3\n", "[redacted: ", "a\n", "\ud800", "/A"),
]


@pytest.mark.parametrize("redaction", [redact, redact_deeply])
def test_the_longest_hostile_text_is_read_in_time(redaction: object) -> None:
    assert callable(redaction)
    for unit in HOSTILE:
        text = (unit * (65_536 // len(unit) + 1))[:65_536]
        began = time.process_time()
        redaction(text)
        assert time.process_time() - began < 20, unit  # a search that is not bounded takes minutes
