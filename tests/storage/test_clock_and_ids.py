"""Moments are integers that sort, and say the same in every form; ids are UUIDs in one form."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import clock
from storage.ids import new_id, parse_id

moments = st.integers(clock.EARLIEST, clock.LATEST)


@given(moments)
def test_a_moment_survives_the_way_to_a_datetime_and_back(at: int) -> None:
    assert clock.from_datetime(clock.to_datetime(at)) == at


@given(moments, moments)
def test_datetimes_sort_as_their_moments_do(one: int, other: int) -> None:
    assert (clock.to_datetime(one) < clock.to_datetime(other)) == (one < other)


@given(moments)
def test_rfc_3339_says_the_same_moment_in_utc(at: int) -> None:
    text = clock.to_rfc3339(at)
    assert text.endswith("Z")
    assert clock.from_datetime(datetime.fromisoformat(text)) == at


def test_rfc_3339_shows_microseconds_only_where_there_are_some() -> None:
    at = clock.from_datetime(datetime(2026, 11, 20, 8, 15, tzinfo=UTC))
    assert clock.to_rfc3339(at) == "2026-11-20T08:15:00Z"
    assert clock.to_rfc3339(at + 1) == "2026-11-20T08:15:00.000001Z"


def test_now_is_in_microseconds() -> None:
    before = clock.from_datetime(datetime.now(UTC))
    now = clock.now()
    after = clock.from_datetime(datetime.now(UTC))
    assert before - 1 <= now <= after + 1  # the two may round differently


def test_a_new_id_is_in_the_one_form() -> None:
    ids = {new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(parse_id(each) == each for each in ids)


def test_an_id_is_known_however_it_is_typed() -> None:
    one = new_id()
    assert {parse_id(form) for form in (one.upper(), one.replace("-", ""), f"{{{one}}}", f"urn:uuid:{one}")} == {one}


@pytest.mark.parametrize(
    "text", ["", "1", "not-an-id", "0" * 31, "0" * 33, "\ud800" * 32, "g" * 32, "../../etc/passwd"]
)
def test_what_is_no_id_is_none(text: str) -> None:
    assert parse_id(text) is None
