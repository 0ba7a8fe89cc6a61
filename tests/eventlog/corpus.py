"""Secrets that were never anybody's, and texts that hold none.

They are put together here from pieces, at random but always the same, so that no scanner takes this file for a leak.
"""

import html
import json
import random
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from web.signing import Keys

_DICE = random.Random(3)
_ALPHANUMERIC = string.ascii_letters + string.digits
_URL_SAFE = _ALPHANUMERIC + "-_"
_BASE64 = _ALPHANUMERIC + "+/"
_HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Planted:
    """A secret with what stands around it, and the part of it that must not stay."""

    name: str
    pattern: str
    text: str
    secret: str
    is_wrappable: bool = False  # it is known for the same secret with line breaks in it

    def __str__(self) -> str:
        return self.name


def some(characters: str, count: int) -> str:
    """Random characters, with a small letter, a capital and a digit among them where there are any."""
    while True:
        made = "".join(_DICE.choices(characters, k=count))
        kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
        if all(set(kind) & set(made) for kind in kinds if set(kind) & set(characters)):
            return made


def _part(data: object) -> str:
    return urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


def _wrapped(text: str, width: int) -> str:
    return "\n".join(text[place : place + width] for place in range(0, len(text), width))


def _block(label: str, body: str, *, headers: str = "", dashes: str = "-----") -> str:
    return f"{dashes}BEGIN {label}{dashes}\n{headers}{body}\n{dashes}END {label}{dashes}"


def _tokens() -> list[Planted]:
    shapes = [
        ("a token of ours", "byline-token", "byl" + "_", _URL_SAFE, 43),
        ("GitHub, personal", "github-token", "gh" + "p_", _ALPHANUMERIC, 36),
        ("GitHub, OAuth", "github-token", "gh" + "o_", _ALPHANUMERIC, 36),
        ("GitHub, user of an app", "github-token", "gh" + "u_", _ALPHANUMERIC, 36),
        ("GitHub, server of an app", "github-token", "gh" + "s_", _ALPHANUMERIC, 36),
        ("GitHub, refresh", "github-token", "gh" + "r_", _ALPHANUMERIC, 36),
        ("GitLab", "gitlab-token", "glp" + "at-", _URL_SAFE, 20),
        ("Slack, app", "slack-token", "xap" + "p-1-A012B3CD4EF-1234567890123-", _HEX, 64),
        ("Slack, bot", "slack-token", "xox" + "b-123456789012-1234567890123-", _ALPHANUMERIC, 24),
        ("Slack, user", "slack-token", "xox" + "p-123456789012-123456789012-123456789012-", _HEX, 32),
        ("Stripe, live", "stripe-key", "sk" + "_live_", _ALPHANUMERIC, 99),
        ("Stripe, test", "stripe-key", "sk" + "_test_", _ALPHANUMERIC, 24),
        ("Stripe, restricted", "stripe-key", "rk" + "_live_", _ALPHANUMERIC, 24),
        ("Stripe, webhook", "stripe-key", "whs" + "ec_", _ALPHANUMERIC, 32),
        ("Google, API", "google-key", "AI" + "za", _URL_SAFE, 35),
        ("Google, OAuth client", "google-key", "GOC" + "SPX-", _URL_SAFE, 28),
        ("Google, OAuth access", "google-key", "ya2" + "9.a0", _URL_SAFE, 150),
        ("Google, OAuth refresh", "google-key", "1/" + "/0", _URL_SAFE, 100),
        ("Anthropic", "anthropic-key", "sk-" + "ant-api03-", _URL_SAFE, 95),
        ("OpenAI, project", "openai-key", "sk-" + "proj-", _URL_SAFE, 120),
        ("OpenAI, service", "openai-key", "sk-" + "svcacct-", _URL_SAFE, 74),
        ("OpenAI, older", "openai-key", "sk" + "-", _ALPHANUMERIC, 48),
        ("OpenRouter", "openai-key", "sk-" + "or-v1-", _HEX, 64),
        ("DeepSeek", "openai-key", "sk" + "-", _HEX, 32),
        ("npm", "npm-token", "np" + "m_", _ALPHANUMERIC, 36),
        ("PyPI", "pypi-token", "pyp" + "i-AgEIcHlwaS5vcmc", _URL_SAFE, 150),
        ("Hugging Face", "hugging-face-token", "h" + "f_", string.ascii_letters, 34),
        ("Telegram", "telegram-token", "1234567890:" + "AA", _URL_SAFE, 33),
        ("Vault", "vault-token", "hv" + "s.", _URL_SAFE, 95),
    ]
    made = []
    for name, pattern, head, characters, count in shapes:
        secret = some(characters, count)
        made.append(Planted(name, pattern, head + secret, secret, is_wrappable=True))
    first, second = some(_ALPHANUMERIC, 22), some(_ALPHANUMERIC, 59)
    fine = Planted(
        "GitHub, fine-grained", "github-token", f"github_p{''}at_{first}_{second}", second, is_wrappable=True
    )
    first, second = some(_URL_SAFE, 22), some(_URL_SAFE, 43)
    mail = Planted("SendGrid", "sendgrid-key", f"S{''}G.{first}.{second}", second, is_wrappable=True)
    hook = some(_ALPHANUMERIC, 24)
    path = f"hooks.slack{''}.com/services/T01AB2CD3EF/B01AB2CD3EF/{hook}"
    age = some("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)
    aws = some(string.ascii_uppercase + "234567", 16)
    return [
        *made,
        fine,
        mail,
        Planted("Slack, webhook", "slack-token", f"https://{path}", hook, is_wrappable=True),
        Planted("age", "age-key", f"AGE-SECRET{''}-KEY-1{age}", age, is_wrappable=True),
        Planted("AWS, key id", "aws-key-id", f"AK{''}IA{aws}", aws),
        Planted("AWS, key id of a session", "aws-key-id", f"AS{''}IA{aws}", aws),
    ]


def _carriers() -> list[Planted]:
    keys = Keys(some(_ALPHANUMERIC, 40))
    inner = some(_URL_SAFE, 32)
    cookie = keys.sign("session", f"1203.77.{inner}.s")
    links = {path: some(_URL_SAFE, 43) for path in ("setup", "join", "reset", "preview")}
    signature = some(_URL_SAFE, 43)
    jwt = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part({'sub': '1203', 'name': 'olive'})}.{signature}"
    other = (
        f"{_part({'typ': 'JWT', 'alg': 'RS256', 'kid': 'one'})}.{_part({'iss': 'x', 'exp': 1})}.{some(_URL_SAFE, 342)}"
    )
    bearer, password, long = some(_URL_SAFE, 32), some(_ALPHANUMERIC, 20), some(_ALPHANUMERIC, 24)
    basic = b64encode(f"olive:{password}".encode()).decode()
    value, second = some(_HEX, 32), some(_ALPHANUMERIC, 30)
    return [
        Planted("our session cookie", "byline-session", cookie, inner, is_wrappable=True),
        Planted("our session, unsigned", "byline-session", f"1203.78.{links['join'][:31]}x", links["join"][:31]),
        *(
            Planted(f"our link, {path}", "byline-link", f"https://blog.example.org/{path}/{token}", token)
            for path, token in links.items()
        ),
        Planted("JWT", "jwt", jwt, signature, is_wrappable=True),
        Planted("JWT, long", "jwt", other, other.rpartition(".")[2], is_wrappable=True),
        Planted("JWT, unsigned", "jwt", jwt.rpartition(".")[0] + ".", jwt.split(".")[1]),
        Planted("Bearer header", "authorization", f"Authorization: Bearer {bearer}", bearer),
        Planted("Bearer alone", "bearer", f"bearer {bearer}", bearer),
        Planted("Basic header", "authorization", f"Authorization: Basic {basic}", basic),
        Planted("Basic of a proxy", "authorization", f"Proxy-Authorization: basic {basic}", basic),
        Planted("Token header", "authorization", f"Authorization: Token {long}", long),
        Planted("Cookie header", "cookie", f"Cookie: theme=dark; sid={second}; id={value}", value),
        Planted("Set-Cookie header", "cookie", f"Set-Cookie: sid={second}; Path=/; HttpOnly", second),
        Planted("our Set-Cookie header", "cookie", f"Set-Cookie: __Host-session={cookie}; Secure; Path=/", inner),
        Planted(
            "a database's address", "url-password", f"postgresql://olive:{password}@db.example.org/byline", password
        ),
        Planted("an address of a page", "url-password", f"https://olive:{password}@example.org/feed.xml", password),
        Planted("Redis without a user", "url-password", f"redis://:{password}@localhost:6379/0", password),
    ]


def _fields() -> list[Planted]:
    def password() -> str:
        return some(_ALPHANUMERIC, 18)

    def key() -> str:
        return some(_ALPHANUMERIC, 44)

    forms: list[tuple[str, str, str, Callable[[], str]]] = [
        ("a form", "password", "username=olive&password={}&remember=on", password),
        ("a form of Rails", "password", "user[password]={}&user[name]=olive", password),
        ("an address with a token", "token", "https://example.org/hook?access_token={}&page=2", key),
        ("an environment, KEY", "key", "MAIL_API_KEY={}", key),
        ("an environment, TOKEN", "token", "export DEPLOY_TOKEN={}", key),
        ("an environment, SECRET", "secret", "OAUTH_CLIENT_SECRET={}", key),
        ("an environment, PASSWORD", "password", "BYLINE_ADMIN_PASSWORD={}", password),
        ("an environment, small letters", "password", "smtp_password={}", password),
        ("our own secret", "key", "SECRET_KEY={}", key),
        ("JSON", "key", '{{"api_key": "{}", "region": "eu"}}', key),
        ("JSON, camel", "secret", '{{"clientSecret":"{}"}}', key),
        ("JSON, password", "password", '{{"username": "olive", "password": "{}"}}', password),
        ("YAML", "password", "database:\n  host: localhost\n  password: {}\n  port: 5432\n", password),
        ("YAML, quoted", "token", 'auth_token: "{}"\n', key),
        ("INI", "password", "[mail]\nuser = olive\npassword = {}\n", password),
        ("Python", "password", 'connect(user="olive", password="{}")', password),
        ("a dictionary of Python", "password", "{{'user': 'olive', 'password': '{}'}}", password),
        ("a header of an API", "key", "X-Api-Key: {}", key),
        ("a connection string", "password", "Server=db;User Id=olive;Password={};Encrypt=true", password),
        ("npm's settings", "token", "//registry.example.org/:_authToken={}", key),
        ("an option", "password", "mysqldump --user olive --password {} byline", password),
        ("XML", "password", "<user>olive</user><password>{}</password>", password),
        ("a part of a form", "password", 'Content-Disposition: form-data; name="password"\r\n\r\n{}\r\n--', password),
        ("AWS, secret key", "key", "aws_secret_access_key = {}", lambda: some(_BASE64, 40)),
    ]
    made = []
    for name, pattern, form, value in forms:
        secret = value()
        made.append(Planted(name, pattern, form.format(secret), secret))
    return made


def _blocks() -> list[Planted]:
    labels = ["RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"]
    made = []
    for label in labels:
        body = _wrapped(some(_BASE64, 1_600), 64) + "=="
        made.append(Planted(label, "private-key", _block(label, body), body))
    old = _wrapped(some(_BASE64, 800), 64)
    headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF\n\n"
    pgp = _wrapped(some(_BASE64, 800), 64) + "\n=aB3d"
    label = "PGP PRIVATE KEY BLOCK"
    return [
        *made,
        Planted("RSA, with headers", "private-key", _block("RSA PRIVATE KEY", old, headers=headers), old),
        Planted(label, "private-key", _block(label, pgp, headers="Version: GnuPG v2\n\n"), pgp),
    ]


PLANTED: list[Planted] = [*_tokens(), *_carriers(), *_fields(), *_blocks()]

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON twice": lambda text: json.dumps(json.dumps(text))[1:-1],
    "JSON, other signs": lambda text: "".join(
        f"\\u{ord(s):04x}" if s in "<>&'\"=\n" else json.dumps(s)[1:-1] for s in text
    ),
    "JSON, every sign": lambda text: "".join(f"\\u{ord(sign):04X}" for sign in text),
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, every sign": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "a form": quote_plus,
    "a form twice": lambda text: quote_plus(quote_plus(text)),
    "HTML": html.escape,
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "HTML, every sign": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(sign):X};" for sign in text),
    "a form in JSON": lambda text: json.dumps(quote_plus(text))[1:-1],
    "JSON in a form": lambda text: quote_plus(json.dumps(text)),
    "JSON in HTML": lambda text: html.escape(json.dumps(text)),
}

_PIXELS = b64encode(_DICE.randbytes(3_000)).decode()

BENIGN: dict[str, str] = {
    "prose": (
        "The token of a good password is that nobody remembers it. We speak of passwords, tokens, secrets and keys as if "
        "they were things; a key opens a door, a token rides the bus, and a secret is kept by two. Your password: at "
        "least eight characters. Token? Yes, the bearer of bad news. Basic rules apply, and the cookie crumbles."
    ),
    "questions": (
        "Forgot your password? Ask the owner for a link under /reset/ and follow it. The password: it must not be your "
        "name. My secret is patience. A basic authentication, a bearer token, an authorization: none of them was set."
    ),
    "lists": (
        "- password: what you sign in with, and nobody else\n- token: for scripts, shown once\n- secret: none\n"
        "- key: see below\n\n| `password` | the words you chose |\n| `token` | 43 characters |\n"
    ),
    "Markdown with code": (
        "# Signing in\n\n```python\nid = Column(Integer, primary_key=True)\nif token == expected_token:\n    pass\n"
        '```\n\n```sh\nexport SECRET_KEY=…\ncurl -H "Authorization: Bearer $BYLINE_API_TOKEN" http://localhost:8000/v1/posts\n'
        "docker run -e BYLINE_ADMIN_PASSWORD=<your password> -e TOKEN=${TOKEN} byline\n```\n"
    ),
    "TypeScript": (
        "interface Login {\n  username: string;\n  password: string;\n  token?: string;\n}\nconst max_tokens = 4096;\n"
    ),
    "git": (
        "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad\nMerge: 1b438a7 4aaf14a\nDate:   Tue Nov 20 21:24:09 2029 +0100\n\n"
        '    Revert "The API names all faults" (#1203)\n\nindex 8a1218a1..e7de2ab3 100644\n'
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"
    ),
    "names and numbers": (
        "550e8400-e29b-41d4-a716-446655440000, task-550e8400-e29b-41d4-a716-446655440000, ISBN 978-3-16-148410-0, "
        "ISBN 0-306-40615-2, version 3.11.7, 10.0.0.1, ::1, 1.2.3-rc.4+build.5, 2029-11-20T21:24:09.123456Z, +49 30 901820"
    ),
    "slugs and addresses": (
        "https://blog.example.org/posts/how-to-choose-a-password-nobody-guesses-in-2029 /preview/of-coming-attractions "
        "https://example.org:8080/@olive/posts?page=2&tag=secret&sort=title#token http://localhost:8000/setup/ "
        "git@example.org:byline/byline.git mailto:olive@example.org sk-learn-in-ten-minutes-2029 risk_test_configuration"
    ),
    "a picture": f"Look: ![A lighthouse](data:image/png;base64,{_PIXELS}) it stands there.",
    "about keys": (
        "A key begins with `-----BEGIN PRIVATE KEY-----` on the first line, goes on in base64\nfor some lines, and ends "
        "with `-----END PRIVATE KEY-----` on the last.\n\n-----BEGIN PUBLIC KEY-----\n"
        f"{_PIXELS[:64]}\n{_PIXELS[64:128]}\n-----END PUBLIC KEY-----\n"
    ),
    "escapes": (
        'He said: "100 % \\"sure\\"\\n", &amp; wrote C:\\temp\\new, %20 and %2F, \\u00e9, &lt;b&gt;, 50%25, &#233;, '
        "ümläut, 日本語, \U0001f511\ufe0f and a lone \ud800 and a NUL \x00 too."
    ),
    "JSON": json.dumps(
        {
            "kind": "post.published",
            "id": 1203,
            "session": "1203.77",
            "title": "Keys, tokens & passwords",
            "tags": ["token"],
        }
    ),
    "redacted before": "password=[redacted: password]&token=[redacted: github-token] Cookie: [redacted: cookie]",
}
