"""What the pictures show: a small site with everything that a page has to set well."""

import io
from dataclasses import replace
from pathlib import Path

from auth.factors import queries as factors
from auth.factors.model import Totp
from auth.factors.recovery_codes import digest_of, make_codes
from auth.invitations.inviting import invite, withdraw
from auth.invitations.joining import Newcomer, join
from auth.passkeys.model import Passkey
from auth.passkeys.queries import insert_passkey
from auth.permissions import Role
from auth.sessions.moving import note_move
from auth.sessions.own import list_own_sessions
from auth.users.passwords import hash_password
from auth.users.registering import register
from blog.media.storing import store
from blog.series.arranging import add_part, create_series
from blog.site.events import SETTINGS_CHANGED
from eventlog.actors import Nobody
from eventlog.events import LOG_EXPORTED, SERVER_STARTED
from eventlog.ledger.announcing import record_intent
from eventlog.log.appending import append_event
from eventlog.retention.applying import apply_retention
from storage import clock
from tests.blog.media.pictures import picture
from tests.browser.asked import converse
from tests.support import PASSWORD, SECRET, TESTER, Server, Site, make_site
from web.site.model import Registration
from web.site.queries import change_registration, change_site

FLEET = """\
Every morning at *half past four* the harbour wakes before the town does. The boats are in a row, their names
on the bows, and nobody speaks much; there is coffee from a can, and a radio that says what the wind will do.

I went along with the **Seven Sisters**, the oldest of them, built in 1951 and painted six times since. [Her
skipper](https://example.org/skipper) has been on her for 31 years. “You do not choose a boat,” he said, “she chooses
you, and then she costs you money.”

## What we took along

- a can of coffee, and another one
- three nets, of which one was mended
- a list of everything that must not be forgotten:
    1. the list
    2. the *other* list

> The sea does not reward those who are too anxious, too greedy, or too impatient.
>
> Patience, patience, patience, is what the sea teaches.

### The numbers

| Boat          | Built | Crew | Catch, kg |
| ------------- | ----: | :--: | --------: |
| Seven Sisters |  1951 |  4   |     1,204 |
| Albatross     |  1987 |  3   |       980 |
| Good Intent   |  2003 |  2   |        77 |

The list was made with a program[^1] that anybody can read:

```python
def catch(boats: list[Boat]) -> int:
    \"\"\"How much they brought, in kg, and a line that is longer than the measure of the page allows it to be.\"\"\"
    return sum(boat.catch for boat in boats if boat.is_back)  # the others are out
```

Call `catch(boats)` in the evening, not before. ~~In the morning~~ they are all at sea.

---

That is all. The next letter comes when the wind has turned.

[^1]: Written in the evening, on a table that moved.
"""
ARABIC = "في الصباح الباكر يستيقظ الميناء قبل المدينة. القوارب في صف واحد، وأسماؤها على مقدماتها.\n\n- قهوة\n- شباك\n"
GERMAN = (
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz und Donaudampfschifffahrtselektrizitäten. " * 3
)
APP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
UNBROKEN = "https://example.org/" + "a-very-long-address-without-any-place-to-break" * 4


def build(folder: Path) -> Server:
    """The site, running; its people are the cast."""
    site = make_site(folder)
    with site.database.transaction() as db:
        change_site(
            db, name="Harbour Notes", tagline="Letters from a small port", language="en", time_zone="Europe/Berlin"
        )
    _write_log(site)
    _write_posts(site)
    _arrange_series(site)
    _write_history(site)
    _take_pictures(site)
    _sign_in_everywhere(site)
    _invite(site)
    _give_app(site)
    _give_passkeys(site)
    converse(site, FLEET, GERMAN, UNBROKEN)
    site.close()
    # A mail server that is not there.
    mail = {"BYLINE_SMTP_URL": "smtp://localhost:1", "BYLINE_MAIL_FROM": "notes@example.org"}
    return Server(folder, processes=1, SECRET_KEY=SECRET, **mail).start()


def _write_posts(site: Site) -> None:
    now = clock.now()
    site.post("ada", title="銀河鉄道の夜", slug="ginga", body="カムパネルラが手をあげました。" * 12, tags=["日本語"])
    site.post("alan", title="رسالة من الميناء", slug="arabic", body=ARABIC, lang="ar")
    site.post("alan", title="Donaudampfschifffahrtsgesellschaftskapitän", slug="german", body=GERMAN + UNBROKEN)
    site.post("ada", title="For those who came aboard", slug="aboard", body="Welcome.", visibility="members",
              excerpt="What was said in the cabin stays in the cabin, and with those who have one.")  # fmt: skip
    site.post("ada", title="The fleet goes out at half past four", slug="fleet", body=FLEET, tags=["sea", "boats"])
    site.post("ada", title="About the harbour", slug="harbour", body=FLEET, kind="page")
    for slug in ("merging", "leaving"):
        site.post("ada", title="An unfinished letter", slug=slug, body="Dear reader,\n\nthe wind has", status="draft")
    site.post("ada", title="Ice on the rigging", slug="ice", body="It is cold.", publish_at=now + 30 * clock.DAY)


def _arrange_series(site: Site) -> None:
    """Three of ada's posts, one of them not out yet."""
    ada = site.principal("ada")
    with site.database.transaction() as db:
        series = create_series(db, title="Letters from the harbour", by=ada)
        for slug in ("ginga", "fleet", "ice"):
            add_part(db, series.id, slug=slug, by=ada)
        create_series(db, title=GERMAN[:290], by=ada)


def _write_history(site: Site) -> None:
    """A post that was changed in every way, two that were thrown away, and who their author is."""
    ada = site.client("ada")
    site.post("ada", title="The tide table", slug="tides", body=FLEET, tags=["sea"])
    later = (
        FLEET.replace("half past four", "a quarter to five").replace("- three nets", "- two nets").replace("---", "")
    )
    changes: list[dict[str, str]] = [
        {"title": "The tide table", "body": later + "\n" + UNBROKEN + "\n"},
        {"title": GERMAN[:250], "body": later.replace("## What", "## Everything that"), "tags": "sea, " + "t" * 40},
        {"title": "The tide table", "body": ARABIC + later, "slug": "tide-table", "status": "published"},
    ]
    path = "/posts/tides"
    for version, change in enumerate(changes, start=1):
        path = ada.submit(f"{path}/edit", version=str(version), **change).headers["Location"]
    for slug, title in (("thrown", "Thrown overboard"), ("thrown-too", GERMAN[:280])):
        site.post("ada", title=title, slug=slug, body="Not good enough.")
        assert ada.submit(f"/posts/{slug}/delete", version="1").status_code == 303
    words = {"display_name": "Ada of the Harbour", "biography": FLEET[:240] + "\n\n" + UNBROKEN, "time_zone": ""}
    assert ada.submit("/account/profile", **words).status_code == 303


def _take_pictures(site: Site) -> None:
    """One with its words, one without, one with more than anybody needs; a post shows the first."""
    files, ada = site.app.extensions["media_files"], site.principal("ada")
    described = {"corners.png": "Four corners", "": "", "W" * 100 + ".jpg": GERMAN[:600]}
    for number, (name, alt) in enumerate(described.items()):
        kind = "PNG" if name.endswith("png") else "JPEG"
        size = (700 + number, 500 - 200 * number)
        sent = io.BytesIO(picture(kind, size))
        media, _is_new = store(site.database, files, sent, name=name, alt=alt, by=ada)
        if not number:
            site.post("ada", title="Pictured", slug="pictured", body=f'![Corners]({media.path} "How it looks")')


def _sign_in_everywhere(site: Site) -> None:
    """Rita has devices, of which one was carried elsewhere and one is a program's; and had another."""
    devices = [
        ("Firefox/140.0 (X11; Linux x86_64)", "203.0.113.7"),
        ("SamsungBrowser/28.0 (Linux; Android 15)", "2001:db8:1234:5678::9"),
        ("curl/8.14.1", "203.0.113.7"),
        ("Mozilla/5.0 (iPad) Safari/604.1", "198.51.100.80"),
    ]
    for agent, address in devices:
        browser = site.client()
        browser.environ_base |= {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address}
        assert browser.submit("/login", username="rita", password=PASSWORD, remember="y").status_code == 303
    assert browser.submit("/logout", page="/account").status_code == 303
    rita = site.principal("rita")
    with site.database.transaction() as db:
        first, *_ = list_own_sessions(db, by=rita, limit=1)
        note_move(db, by=replace(rita, session_id=first.id), address="192.0.2.1")


def _give_app(site: Site) -> None:
    """Tilda is asked for codes, and has few recovery codes left."""
    with site.database.transaction() as db:
        hashed, at = hash_password(PASSWORD), clock.now()
        tilda = register(db, "tilda", role=Role.READER, password_hash=hashed, by=TESTER, display_name="Tilda")
        factors.insert_totp(db, Totp(tilda, APP_SECRET, -1, at))
        factors.replace_recovery_codes(db, tilda, map(digest_of, make_codes()[:2]), at=at)


def _give_passkeys(site: Site) -> None:
    """Ada has two, of which one has a name that fills the line and was made for another address."""
    ada, now = site.principal("ada"), clock.now()
    assert ada.user_id is not None
    named = {"Firefox on Linux": "localhost", GERMAN[:90]: "former.example.org"}
    with site.database.transaction() as db:
        for number, (name, host) in enumerate(named.items()):
            passkey = Passkey(
                f"passkey-{number}", f"id{number}", "handle", host, "usb", name, now, now if number else None
            )
            insert_passkey(db, passkey, user_id=ada.user_id, public_key=b"", sign_count=0)


def _write_log(site: Site) -> None:
    """A month of events, some of them of people who wish us no good, and operations that nobody concluded."""
    for back in range(29, 0, -1):
        with site.database.transaction() as db:
            for number in range(back * 7 % 11 + (40 if back == 12 else 0)):
                append_event(db, SERVER_STARTED, by=Nobody(f"server.{back}", "(server)"), payload={"epoch": number})
            db.exec_driver_sql(
                f"UPDATE events SET occurred_at = occurred_at - {back * clock.DAY} "
                f"WHERE kind = 'server.started' AND session_id = 'server.{back}'"
            )
    apply_retention(site.database, 2)
    hostile = Nobody("x" * 300, "<b>" + "W" * 200)
    payload = {
        "<script>alert(1)</script>" + "n" * 80: UNBROKEN,
        "\u202ename": GERMAN,
        "list": [1, {"a": None}],
        "empty": "",
    }
    with site.database.transaction() as db:
        append_event(db, SETTINGS_CHANGED, by=hostile, subject="post:" + "y" * 300, payload=payload)
        append_event(db, LOG_EXPORTED, by=Nobody("command.1", "(command line)"), payload={"count": 1204})
    record_intent(site.database, "log.export", by=TESTER, call_id="one", payload={"path": "/backups/" + "z" * 200})
    record_intent(site.database, "letter.send" + "W" * 100, by=hostile, call_id="two", payload=payload)
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE intents SET recorded_at = recorded_at - {clock.HOUR} WHERE call_id = 'one'")


def _invite(site: Site) -> None:
    """An open site, and an invitation in every state."""
    olive = site.principal("olive")
    notes = ["", "The crew of the Seven Sisters", GERMAN[:100], "Withdrawn", "Expired"]
    with site.database.transaction() as db:
        change_registration(db, Registration.OPEN)
        made = [invite(db, role="author", days=7, uses=n or 100, note=note, by=olive) for n, note in enumerate(notes)]
        withdraw(db, made[3].id, by=olive)
        for name in ("nora", "nina"):
            join(db, made[2].token, Newcomer(name, name.title(), hash_password(PASSWORD)))
        join(db, made[0].token, Newcomer("nell", GERMAN[:80], hash_password(PASSWORD)))
        db.exec_driver_sql(
            f"UPDATE invitations SET expires_at = created_at + {clock.HOUR - clock.DAY} WHERE uses_left = 4"
        )
