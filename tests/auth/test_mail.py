"""Mail: sent after the commit, announced and concluded, and never said to be sent before a server took it."""

import asyncio
import contextlib
import datetime
import email
import email.policy
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from auth.mailing import delivering
from eventlog.ledger.announcing import record_intent
from tests.ports import free_port
from tests.support import PASSWORD, Site, make_site
from web.mail_server import MailServer, parse_address, parse_mail_server
from web.settings import SettingsError, load_settings

FROM = "Notes <notes@example.org>"
TO = "nora@example.net"
INVITATIONS, RESET = "/admin/invitations", "/admin/people/ada/reset"
FIELDS = {"role": "author", "days": "7", "uses": "1", "note": ""}
# Servers that do not answer are waited for as long; the real time is looked at in `test_ten_seconds`.
SHORT = 0.4


class Box:
    """A server's side of it: what came, and what it says."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.when_data_comes: Callable[[SMTP], None] = lambda _server: None

    async def hear_sender(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def hear_address(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.answers.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def take(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.when_data_comes(server)
        if answer := self.answers.get("DATA"):
            return answer
        self.letters.append(envelope)
        return "250 taken"

    def handler(self) -> SimpleNamespace:
        """The same by aiosmtpd's names."""
        return SimpleNamespace(handle_MAIL=self.hear_sender, handle_RCPT=self.hear_address, handle_DATA=self.take)

    def letter(self) -> EmailMessage:
        """The only one that came, as its reader sees it."""
        (envelope,) = self.letters
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message


@contextlib.contextmanager
def serving(box: Box, **options: Any) -> Iterator[int]:
    port = free_port()
    controller = Controller(box.handler(), hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def mail(box: Box, tmp_path: Path) -> Iterator[Site]:
    """A site whose server takes mail, until `box` says otherwise."""
    with serving(box) as port, mailing(tmp_path, f"smtp://localhost:{port}") as site:
        yield site


@contextlib.contextmanager
def mailing(folder: Path, url: str) -> Iterator[Site]:
    site = make_site(folder / "instance", BYLINE_SMTP_URL=url, BYLINE_MAIL_FROM=FROM)
    try:
        yield site
    finally:
        site.close()


def ask(site: Site, path: str = INVITATIONS, *, to: str = TO) -> TestResponse:
    fields = FIELDS if path == INVITATIONS else {}
    return site.client("olive").submit(path, **fields, send_to=to)


def shown_link(page: TestResponse) -> str:
    found = re.search(r'id="link" value="(http://localhost:8000/(?:join|reset)/[\w-]{43})"', page.text)
    assert found is not None
    return found[1]


def intents(site: Site) -> list[Any]:
    with site.database.reading() as db:
        query = "SELECT operation, payload, outcome, note, actor FROM intents WHERE operation = 'mail.send'"
        return list(db.exec_driver_sql(query))


def everything_kept(site: Site) -> str:
    with site.database.reading() as db:
        tables = ("events", "intents", "invitations", "reset_links")
        return repr([list(db.exec_driver_sql(f"SELECT * FROM {table}")) for table in tables])


# Taken


@pytest.mark.parametrize("path", [INVITATIONS, RESET])
def test_the_server_takes_it_and_the_page_says_so(mail: Site, box: Box, path: str) -> None:
    with capture_logs() as lines:
        page = ask(mail, path)
    assert page.status_code == 200
    assert "Sent: the mail server has taken it for" in page.text
    letter, link = box.letter(), shown_link(page)
    assert (letter["From"], letter["To"]) == (FROM, TO)
    assert (box.letters[0].mail_from, box.letters[0].rcpt_tos) == ("notes@example.org", [TO])
    assert letter["Subject"] == ("An invitation to Byline" if path == INVITATIONS else "A new password for Byline")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@example.org>")
    assert letter.get_content_type() == "text/plain"
    assert link in letter.get_content().splitlines()
    assert [(row.operation, row.outcome, row.note, row.actor) for row in intents(mail)] == [
        ("mail.send", "done", None, "olive")
    ]
    for secret in (TO, link.rpartition("/")[2]):
        assert secret not in everything_kept(mail) + repr(lines)


def test_the_link_in_it_works(mail: Site, box: Box) -> None:
    ask(mail)
    found = re.search(r"http://localhost:8000(/join/\S+)", box.letter().get_content())
    assert found is not None
    fields = {"username": "nora", "display_name": "", "password": PASSWORD}
    assert mail.client().submit(found[1], **fields).status_code == 303


def test_what_it_speaks_of_is_committed_and_nobody_waits_for_it(mail: Site, box: Box) -> None:
    seen: list[int] = []

    def look(_server: SMTP) -> None:
        with mail.database.transaction(wait_seconds=0) as db:
            seen.append(db.exec_driver_sql("SELECT count(*) FROM invitations").scalar_one())
            seen.append(db.exec_driver_sql("SELECT count(*) FROM intents WHERE outcome IS NULL").scalar_one())

    box.when_data_comes = look
    assert "Sent:" in ask(mail).text
    assert seen == [1, 1]


def test_no_address_is_no_mail(mail: Site, box: Box) -> None:
    for to in ("", "   "):
        page = ask(mail, to=to)
        assert shown_link(page)
        assert "mail server" not in page.text
    assert (box.letters, intents(mail)) == ([], [])


def test_a_name_of_the_site_in_any_script_is_carried(mail: Site, box: Box) -> None:
    with mail.database.transaction() as db:
        db.exec_driver_sql("UPDATE site SET name = 'Hafen, <Post> 港の便り'")
    assert "Sent:" in ask(mail).text
    assert box.letter()["Subject"] == "An invitation to Hafen, <Post> 港の便り"
    assert "港の便り" in box.letter().get_content()


def test_a_user_and_a_password_are_shown_to_the_server(box: Box, tmp_path: Path) -> None:
    seen = []

    def check(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss/word")

    with (
        serving(box, authenticator=check, auth_require_tls=False) as port,
        mailing(tmp_path, f"smtp://mailer%40example.org:p%40ss%2Fword@127.0.0.1:{port}") as site,
    ):
        assert "Sent:" in ask(site).text
    assert seen == [(b"mailer@example.org", b"p@ss/word")]


# Not taken


def failure_of(page: TestResponse) -> str:
    """What the page says; the link is on it, and good."""
    assert page.status_code == 200
    assert shown_link(page)
    assert "Sent:" not in page.text
    assert "hand it over in another way" in page.text
    found = re.search(r'<p class="error">(.*?)</p>', page.text)
    assert found is not None
    return found[1]


def outcomes(site: Site) -> list[tuple[str, str]]:
    return [(row.outcome, row.note) for row in intents(site)]


def test_a_refused_address_is_said_with_the_servers_words(mail: Site, box: Box) -> None:
    box.answers["RCPT"] = f"550 5.1.1 <b>{TO}</b>: no such user here"
    page = ask(mail)
    assert "refused the address (550)" in failure_of(page)
    assert f"&lt;b&gt;{TO}&lt;/b&gt;: no such user here" in page.text
    assert outcomes(mail) == [("failed", "MailRefused: The mail server refused the address (550).")]
    assert TO not in everything_kept(mail)
    assert box.letters == []
    assert mail.client().get(shown_link(page).removeprefix("http://localhost:8000")).status_code == 200


@pytest.mark.parametrize(
    ("verb", "answer", "sentence"),
    [
        ("MAIL", "550 not you", "refused the sender, BYLINE_MAIL_FROM (550)"),
        ("RCPT", "451 later", "refused the address (451)"),
        ("DATA", "554 spam " + "x" * 400, "refused it (554)"),
    ],
)
def test_other_refusals_are_said_too(mail: Site, box: Box, verb: str, answer: str, sentence: str) -> None:
    box.answers[verb] = answer
    assert sentence in failure_of(ask(mail, RESET))
    assert [outcome for outcome, _note in outcomes(mail)] == ["failed"]


def test_a_wrong_password_is_said_and_is_nowhere(box: Box, tmp_path: Path) -> None:
    def check(*_arguments: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with (
        serving(box, authenticator=check, auth_require_tls=False) as port,
        mailing(tmp_path, f"smtp://mailer:a-wrong-one@127.0.0.1:{port}") as site,
        capture_logs() as lines,
    ):
        page = ask(site)
        assert "refused the user and password in BYLINE_SMTP_URL (535)" in failure_of(page)
        assert "a-wrong-one" not in page.text + everything_kept(site) + repr(lines)


def test_nothing_is_tried_again(mail: Site, box: Box) -> None:
    calls, jobs = [], mail.rows("jobs")
    box.answers["DATA"] = "451 try again later"
    box.when_data_comes = lambda _server: calls.append(1)
    failure_of(ask(mail))
    assert mail.rows("jobs") == jobs
    assert calls == [1]


def test_closing_in_the_middle_is_no_success(mail: Site, box: Box) -> None:
    def hang_up(server: SMTP) -> None:
        assert isinstance(server.transport, asyncio.WriteTransport)
        server.transport.abort()

    box.when_data_comes = hang_up
    assert "closed the connection before it had taken the mail" in failure_of(ask(mail))
    assert [outcome for outcome, _note in outcomes(mail)] == ["failed"]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with mailing(tmp_path, f"smtp://127.0.0.1:{free_port()}") as site:
        assert "cannot be reached" in failure_of(ask(site))
        assert outcomes(site) == [("failed", "MailRefused: The mail server cannot be reached.")]


def test_a_name_that_nobody_has(tmp_path: Path) -> None:
    with mailing(tmp_path, "smtps://mail.invalid") as site:
        assert "cannot be reached" in failure_of(ask(site))


@contextlib.contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does what it likes with the one connection that it takes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(timeout=10)


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(1000):
        pass


def speak_slowly(connection: socket.socket) -> None:
    """Never long enough silent for the socket's own time-out."""
    connection.sendall(b"220 here\r\n")
    stop = threading.Event()
    while not stop.wait(SHORT / 4):
        connection.sendall(b"250-and more\r\n")


def say_something_else(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")
    say_nothing(connection)


def hang_up_at_once(connection: socket.socket) -> None:
    """Not even a greeting."""


@pytest.mark.parametrize(
    ("talk", "sentence"),
    [
        (say_nothing, "did not take it within"),
        (speak_slowly, "did not take it within"),
        (say_something_else, "The mail server"),
        (hang_up_at_once, "closed the connection"),
    ],
)
def test_servers_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, talk: Callable[[socket.socket], None], sentence: str
) -> None:
    monkeypatch.setattr(delivering, "TIME_OUT_SECONDS", SHORT)
    with listening(talk) as port, mailing(tmp_path, f"smtp://127.0.0.1:{port}") as site:
        assert sentence in failure_of(ask(site))
        assert [outcome for outcome, _note in outcomes(site)] == ["failed"]


def test_ten_seconds() -> None:
    assert delivering.TIME_OUT_SECONDS == 10


def test_an_earlier_mail_of_unknown_end_stops_the_next_one_and_not_the_link(mail: Site, box: Box) -> None:
    client = mail.client("olive")
    with mail.database.reading() as db:
        session = db.exec_driver_sql("SELECT id FROM sessions").scalar_one()
    assert session
    crashed = mail.principal("olive")
    record_intent(mail.database, "mail.send", by=crashed, call_id="crashed", payload={"about": "invitation:x"})
    with mail.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE intents SET session_id = '{session}'")
    page = client.submit(INVITATIONS, **FIELDS, send_to=TO)
    assert "An earlier mail of yours has not ended yet" in failure_of(page)
    assert box.letters == []


# Addresses

HOSTILE = [
    "nora@example.net\r\nBcc: all@example.net", "nora@example.net\nX: y", "nora@example.net\rX: y", "nora",
    "nora@", "@example.net", "nora@example.net, ada@example.net", "nora@example.net;ada@example.net",
    "Nora <nora@example.net>", "no ra@example.net", "nora@exa mple.net", "nora@@example.net", "nora@-example.net",
    "nora@example..net", "nóra@example.net", "nora@example.net>\r\nDATA", '"nora"@example.net', "nora@[127.0.0.1]",
    "x" * 65 + "@example.net", "nora@" + "x" * 64 + ".net", "n@" + "example." * 40 + "net", "nora@example.net\x00",
    "nora@\ud800.net",
]  # fmt: skip


@pytest.mark.parametrize("path", [INVITATIONS, RESET])
def test_what_is_no_address_is_a_fault_and_nothing_is_made_or_sent(mail: Site, box: Box, path: str) -> None:
    olive = mail.client("olive")
    token = olive.form_token(path)
    for to in HOSTILE[:-1]:  # the last one cannot be sent at all
        fields = {"csrf_token": token, "send_to": to} | (FIELDS if path == INVITATIONS else {})
        answer = olive.post(path, data=fields)
        assert answer.status_code == 422, to
        assert 'id="field-send_to-error"' in answer.text, to
    assert (box.letters, intents(mail), mail.rows("invitations"), mail.rows("reset_links")) == ([], [], 0, 0)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda to: ascii(to)[:24])
def test_none_of_them_is_an_address(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(("text", "address"), [
    (" nora@example.net ", "nora@example.net"), ("nora@localhost", "nora@localhost"),
    ("n.o+r_a'!#@a.b-c.example", "n.o+r_a'!#@a.b-c.example"), ("nora@häfen.example", "nora@xn--hfen-loa.example"),
])  # fmt: skip
def test_these_are(text: str, address: str) -> None:
    assert parse_address(text) == address


# On the way


def certificate(folder: Path) -> Path:
    """A certificate for `localhost`, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("mail.test")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "localhost.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
def context(pem: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    return made


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine, as far as the site can tell."""
    find = socket.getaddrinfo

    def redirected(host: Any, *arguments: Any, **options: Any) -> Any:
        return find("127.0.0.1" if host == "mail.test" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", redirected)


@pytest.mark.parametrize("is_trusted", [True, False])
def test_smtps_trusts_whom_the_machine_trusts(
    box: Box, tmp_path: Path, pem: Path, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with listening_with_tls(box, context) as port, mailing(tmp_path, f"smtps://localhost:{port}") as site:
        page = ask(site)
    if is_trusted:
        assert "Sent:" in page.text
        assert len(box.letters) == 1
    else:
        assert "certificate of the mail server cannot be trusted" in failure_of(page)
        assert box.letters == []


@contextlib.contextmanager
def listening_with_tls(box: Box, context: ssl.SSLContext) -> Iterator[int]:
    """As `serving`; aiosmtpd's own look whether it has started needs a certificate that is trusted, so this one looks."""

    class Encrypted(Controller):
        def _trigger_server(self) -> None:
            trusting = ssl.create_default_context()
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            with (
                socket.create_connection((self.hostname, self.port), 5) as connection,
                trusting.wrap_socket(connection) as wrapped,
            ):
                wrapped.recv(1000)

    port = free_port()
    controller = Encrypted(box.handler(), hostname="127.0.0.1", port=port, ssl_context=context)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def test_to_another_machine_it_goes_encrypted(
    box: Box, tmp_path: Path, pem: Path, context: ssl.SSLContext, elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with (
        serving(box, tls_context=context, require_starttls=True) as port,
        mailing(tmp_path, f"smtp://mail.test:{port}") as site,
    ):
        assert "Sent:" in ask(site).text
    assert len(box.letters) == 1


def test_to_another_machine_that_offers_no_encryption_nothing_goes(box: Box, tmp_path: Path, elsewhere: None) -> None:
    with serving(box) as port, mailing(tmp_path, f"smtp://mail.test:{port}") as site:
        assert "offers no encryption (STARTTLS)" in failure_of(ask(site))
    assert box.letters == []


def test_on_this_machine_encryption_is_used_where_it_is_offered_whatever_the_certificate(
    box: Box, tmp_path: Path, context: ssl.SSLContext
) -> None:
    with (
        serving(box, tls_context=context, require_starttls=True) as port,
        mailing(tmp_path, f"smtp://127.0.0.1:{port}") as site,
    ):
        assert "Sent:" in ask(site).text
    assert len(box.letters) == 1


# Settings


def test_without_them_nothing_speaks_of_mail(site: Site) -> None:
    olive = site.client("olive")
    pages = [olive.get(path).text for path in (INVITATIONS, RESET, "/admin", "/admin/settings", "/login")]
    pages += [ask(site).text, ask(site, RESET).text]
    for page in pages:
        assert not re.search(r"\be?-?mail\b|send_to|Sent", page, re.IGNORECASE)
    assert intents(site) == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", MailServer("mail.example.org", 587, False, "", "")),
        ("smtps://mail.example.org/", MailServer("mail.example.org", 465, True, "", "")),
        ("smtp://a:b%2F%23@[::1]:25", MailServer("::1", 25, False, "a", "b/#")),
    ],
)
def test_a_url_of_a_server(url: str, server: MailServer) -> None:
    assert parse_mail_server(url) == server


@pytest.mark.parametrize("url", [
    "mail.example.org", "http://user:hidden@mail.example.org", "smtp://", "smtp://user:hid/den@mail.example.org",
    "smtp://user:hid#den@mail.example.org", "smtp://user@mail.example.org", "smtp://:hidden@mail.example.org",
    "smtp://mail.example.org:99999", "smtp://mail.example.org:0", "smtp://mail.example.org/path",
    "smtp://user:hidden@mail.example.org?x=y", "smtp://user:hidd%0d%0aen@mail.example.org",
    "smtp://user:hiddén@mail.example.org",
])  # fmt: skip
def test_what_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"BYLINE_SMTP_URL": url, "BYLINE_MAIL_FROM": FROM})
    assert "BYLINE_SMTP_URL: " in str(refused.value)
    assert "hid" not in str(refused.value)


@pytest.mark.parametrize("sender", ["notes", "a@b.example, c@d.example", "Notes <>", "a@b.example\nBcc: c@d.example"])
def test_a_sender_that_is_none_is_refused(sender: str) -> None:
    with pytest.raises(SettingsError, match=r"BYLINE_MAIL_FROM: must look like"):
        load_settings({"BYLINE_SMTP_URL": "smtp://localhost", "BYLINE_MAIL_FROM": sender})


@pytest.mark.parametrize("given", [{"BYLINE_SMTP_URL": "smtp://localhost"}, {"BYLINE_MAIL_FROM": FROM}])
def test_one_without_the_other_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="belong together"):
        load_settings(given)


def test_the_url_may_stand_in_a_file_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text("smtps://user:hidden@mail.example.org\n")
    settings = load_settings({"BYLINE_SMTP_URL_FILE": str(file), "BYLINE_MAIL_FROM": "notes@example.org"})
    assert settings.mail_server == MailServer("mail.example.org", 465, True, "user", "hidden")
    assert "hidden" not in repr(settings) + repr(settings.mail_server)
