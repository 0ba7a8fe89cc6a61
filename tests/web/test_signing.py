"""What the site signs it knows again, and nothing else; keys may be changed without signing anybody out."""

import string
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import time_machine

from tests.support import ROOT, SECRET
from web.settings import Settings, SettingsError, load_settings
from web.signing import SECRET_FILE, Keys, load_keys

NEW, OLD, OLDER = "the new key 0123456789 abcdefghijkl", "the old key 0123456789 abcdefghijkl", "the older key " * 3
DAY = 86_400


def read(keys: Keys, signed: str, kind: str = "session") -> str | None:
    found = keys.read(kind, signed, max_age_seconds=DAY)
    return None if found is None else found[0]


# Signatures


def test_what_was_signed_is_read_with_its_moment() -> None:
    with time_machine.travel(1_800_000_000, tick=False):
        signed = Keys(NEW).sign("session", "1.2.three")
        assert Keys(NEW).read("session", signed, max_age_seconds=DAY) == ("1.2.three", 1_800_000_000)


def test_another_kind_of_token_is_not_good_as_this_one() -> None:
    keys = Keys(NEW)
    for kind, other in (("session", "setup"), ("setup", "session"), ("csrf", "session")):
        assert read(keys, keys.sign(kind, "1.2.three"), other) is None
    digest = keys.digest("csrf", "1.2.three")
    assert read(keys, f"1.2.three.{digest}") is None
    assert not keys.matches("csrf", "1.2.three", keys.sign("session", "1.2.three"))
    assert not keys.matches("throttle", "1.2.three", digest)


def test_what_was_recognised_before_grows_old_all_the_same() -> None:
    keys = Keys(NEW)
    with time_machine.travel(1_800_000_000, tick=False) as now:
        signed = keys.sign("session", "1.2.three")
        assert read(keys, signed) == "1.2.three"
        now.shift(DAY + 1)
        assert read(keys, signed) is None


def test_what_is_longer_than_anything_that_is_signed_is_refused_and_not_remembered() -> None:
    keys = Keys(NEW)
    long = keys.sign("session", "x" * 2_000)
    assert read(keys, long) is None
    assert not keys.is_current("session", long)
    assert keys._verified.cache_info().currsize == 0


def test_no_text_verifies_with_a_bit_flipped() -> None:
    keys = Keys(NEW)
    signed = keys.sign("session", "1.2.three")
    digest = keys.digest("csrf", "1.2.three")
    assert read(keys, signed) == "1.2.three"
    assert keys.matches("csrf", "1.2.three", digest)
    for position in range(len(signed)):
        for bit in range(8):
            flipped = signed[:position] + chr(ord(signed[position]) ^ 1 << bit) + signed[position + 1 :]
            assert read(keys, flipped) is None, (position, bit)
            assert not keys.is_current("session", flipped), (position, bit)
    for position in range(len(digest)):
        for bit in range(8):
            flipped = digest[:position] + chr(ord(digest[position]) ^ 1 << bit) + digest[position + 1 :]
            assert not keys.matches("csrf", "1.2.three", flipped), (position, bit)


def test_the_last_character_has_one_form() -> None:
    # Four of its six bits count; the other two are where another text could stand for the same bytes.
    keys = Keys(NEW)
    characters = string.ascii_letters + string.digits + "-_"
    for number in range(40):
        signed, digest = keys.sign("session", str(number)), keys.digest("csrf", str(number))
        assert [each for each in characters if read(keys, signed[:-1] + each) is not None] == [signed[-1]]
        assert [each for each in characters if keys.matches("csrf", str(number), digest[:-1] + each)] == [digest[-1]]


@pytest.mark.parametrize("extra", ["=", "==", "\n", " ", "é", "\ud800", "\x00", "."])
def test_nothing_may_be_added(extra: str) -> None:
    keys = Keys(NEW)
    signed, digest = keys.sign("session", "1.2.three"), keys.digest("csrf", "1.2.three")
    assert read(keys, signed + extra) is None
    assert read(keys, extra + signed) is None
    assert not keys.matches("csrf", "1.2.three", digest + extra)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a.b.c", "\ud800.\ud800.\ud800", "é.é.é", "x" * 100_000, "\x00"]
)
def test_nonsense_is_nothing(text: str) -> None:
    assert read(Keys(NEW), text) is None
    assert not Keys(NEW).matches("csrf", "1.2.three", text)


def test_a_signature_has_an_age() -> None:
    keys = Keys(NEW)
    now = 1_800_000_000
    with time_machine.travel(now, tick=False):
        signed = keys.sign("session", "1.2.three")
    for later, is_good in ((0, True), (DAY, True), (DAY + 1, False)):
        with time_machine.travel(now + later, tick=False):
            assert (read(keys, signed) is not None) == is_good, later


def test_a_clock_that_is_put_right_signs_nobody_out_and_makes_nobody_immortal() -> None:
    keys = Keys(NEW)
    now = 1_800_000_000
    with time_machine.travel(now, tick=False):
        signed = keys.sign("session", "1.2.three")
    for earlier, is_good in ((1, True), (300, True), (301, False), (10 * DAY, False)):
        with time_machine.travel(now - earlier, tick=False):
            assert (read(keys, signed) is not None) == is_good, earlier


# Changing keys


def test_older_keys_verify_and_the_current_one_signs() -> None:
    # Trap 10: itsdangerous signs with the last key of a list.
    rotated = Keys(NEW, (OLDER, OLD))
    for former in (OLD, OLDER, NEW):
        assert read(rotated, Keys(former).sign("session", "1.2.three")) == "1.2.three"
        assert rotated.matches("csrf", "form", Keys(former).digest("csrf", "form"))
    assert read(Keys(NEW), rotated.sign("session", "1.2.three")) == "1.2.three"
    assert rotated.digest("csrf", "form") == Keys(NEW).digest("csrf", "form")
    assert read(Keys(OLD), rotated.sign("session", "1.2.three")) is None


def test_what_an_older_key_signed_is_known_to_be_due() -> None:
    rotated = Keys(NEW, (OLD,))
    assert rotated.is_current("session", rotated.sign("session", "1.2.three"))
    assert not rotated.is_current("session", Keys(OLD).sign("session", "1.2.three"))


def test_a_key_that_was_dropped_does_not_verify() -> None:
    assert read(Keys(NEW), Keys(OLD).sign("session", "1.2.three")) is None
    assert not Keys(NEW).matches("csrf", "form", Keys(OLD).digest("csrf", "form"))


def test_the_keys_of_the_settings_are_used(tmp_path: Path) -> None:
    environment = {"BYLINE_INSTANCE": str(tmp_path), "SECRET_KEY": SECRET, "SECRET_KEY_FALLBACKS": f"{OLD},{OLDER}"}
    keys = load_keys(load_settings(environment))
    assert read(Keys(SECRET), keys.sign("session", "text")) == "text"
    assert {read(keys, Keys(each.strip()).sign("session", "text")) for each in (OLD, OLDER)} == {"text"}
    assert list(tmp_path.iterdir()) == []


# The generated secret


def test_a_secret_is_generated_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = load_settings({"BYLINE_INSTANCE": str(tmp_path)})
    signed = load_keys(settings).sign("session", "text")
    file = tmp_path / SECRET_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_bytes()) >= 43  # 256 bits in base 64
    assert read(load_keys(settings), signed) == "text"
    assert [path.name for path in tmp_path.iterdir()] == [SECRET_FILE]


def test_another_folder_gets_another_secret(tmp_path: Path) -> None:
    secrets = set()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        load_keys(load_settings({"BYLINE_INSTANCE": str(tmp_path / name)}))
        secrets.add((tmp_path / name / SECRET_FILE).read_text())
    assert len(secrets) == 2


def test_twenty_processes_that_generate_it_at_once_agree(tmp_path: Path) -> None:
    program = (
        "import os, sys; from web.settings import load_settings; from web.signing import load_keys\n"
        "settings = load_settings({'BYLINE_INSTANCE': sys.argv[1]}); start, go = os.pipe()\n"
        "for _ in range(20):\n"
        "    if os.fork() == 0:\n"
        "        os.close(go); os.read(start, 1); os.write(1, load_keys(settings).digest('a', 'b').encode() + b'\\n')\n"
        "        os._exit(0)\n"
        "os.close(go); [os.wait() for _ in range(20)]"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert len(done.stdout.split()) == 20
    assert len(set(done.stdout.split())) == 1
    assert [path.name for path in tmp_path.iterdir()] == [SECRET_FILE]


def test_threads_that_generate_it_at_once_agree(tmp_path: Path) -> None:
    settings = load_settings({"BYLINE_INSTANCE": str(tmp_path)})
    with ThreadPoolExecutor(8) as pool:
        digests = {each.result(10) for each in [pool.submit(_digest, settings) for _ in range(40)]}
    assert len(digests) == 1


def _digest(settings: Settings) -> str:
    return load_keys(settings).digest("a", "b")


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 64])
def test_a_secret_file_that_cannot_have_been_ours_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / SECRET_FILE
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"{file} .* SECRET_KEY") as refused:
        load_keys(load_settings({"BYLINE_INSTANCE": str(tmp_path)}))
    assert "short" not in str(refused.value).replace("too short", "")
    assert file.read_bytes() == content


def test_a_secret_that_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).mkdir()
    with pytest.raises(SettingsError, match=r"secret_key cannot be read: Is a directory"):
        load_keys(load_settings({"BYLINE_INSTANCE": str(tmp_path)}))
