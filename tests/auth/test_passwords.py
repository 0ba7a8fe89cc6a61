"""Passwords: equal work for everybody, not too much of it at once, and hashes that keep up."""

import threading

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from auth.signin import queries, signing_in, throttling
from auth.users import passwords
from tests.quick import QUICK_HASHER, REAL_HASHER, REAL_NOBODYS_HASH
from tests.support import PASSWORD, SECRET, Site
from web.signing import Keys


@pytest.fixture(autouse=True)
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", REAL_HASHER)
    monkeypatch.setattr(passwords, "_NOBODYS_HASH", REAL_NOBODYS_HASH)


@pytest.mark.parametrize("name", ["alan", "nobody", "bob"])
def test_one_hash_is_computed_whoever_asks(site: Site, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    computed: list[str] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, h, p: computed.append(h) or verify(self, h, p))
    site.client().submit("/login", username=name, password="wrong")
    assert len(computed) == 1


def test_where_there_is_no_account_the_hash_that_is_computed_costs_the_same() -> None:
    assert REAL_HASHER.check_needs_rehash(REAL_NOBODYS_HASH) is False
    with pytest.raises(VerifyMismatchError):
        REAL_HASHER.verify(REAL_NOBODYS_HASH, PASSWORD)


def test_at_most_two_hashes_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = passwords.hash_password(PASSWORD)
    running, most, lock = 0, 0, threading.Lock()
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, hashed: str, password: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return verify(self, hashed, password)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    threads = [threading.Thread(target=passwords.is_password_right, args=(stored, PASSWORD)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_password_typed_on_another_keyboard_is_the_same() -> None:
    assert passwords.is_password_right(passwords.hash_password("caf\u00e9 gr\u00fcn"), "cafe\u0301 gru\u0308n")


def test_an_older_hash_is_renewed_at_the_next_sign_in(site: Site) -> None:
    weak = QUICK_HASHER.hash(PASSWORD)
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET password_hash = ? WHERE username = 'alan'", (weak,))
    assert site.client().submit("/login", username="alan", password=PASSWORD).status_code == 303
    with site.database.reading() as db:
        stored = db.exec_driver_sql("SELECT password_hash FROM users WHERE username = 'alan'").scalar_one()
    assert stored != weak
    assert not passwords.needs_rehash(stored)
    assert site.client().submit("/login", username="alan", password=PASSWORD).status_code == 303


def test_a_block_that_comes_while_the_password_is_checked_counts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    right = passwords.is_password_right

    def block_meanwhile(stored: str | None, password: str) -> bool:
        with site.database.transaction() as db:
            db.exec_driver_sql("UPDATE users SET blocked_at = 1 WHERE username = 'alan'")
        return right(stored, password)

    monkeypatch.setattr(signing_in, "is_password_right", block_meanwhile)
    assert site.client().submit("/login", username="alan", password=PASSWORD).status_code == 401
    assert site.rows("sessions") == 0


def test_the_counters_are_bounded_and_the_oldest_go_first(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "_MOST_COUNTERS", 20)
    keys = Keys(SECRET)
    for number in range(30):
        with site.database.transaction() as db:
            throttling.count_attempt(db, keys, username=f"name{number}", address=f"192.0.2.{number}")
    assert site.rows("signin_counters") <= 20 + 3


def test_a_blocked_owner_does_not_count_as_one_who_runs_the_place(site: Site) -> None:
    olive = site.client("olive")
    olive.submit("/admin/people/edith/role", page="/admin", role="owner")
    olive.submit("/admin/people/edith/block", page="/admin")
    assert olive.submit("/admin/people/olive/role", page="/admin", role="reader").status_code == 409
    assert olive.submit("/admin/people/edith/role", page="/admin", role="reader").status_code == 303
