"""The page about security names every requirement that applies, and only tests that are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support import ROOT

PAGE = (ROOT / "docs/security.md").read_text()
# The requirements of ASVS 5.0.0 that apply, in its order.
OWED = """
V1.1.1 V1.1.2 V1.2.1-V1.2.5 V1.2.9 V1.2.10 V1.3.1 V1.3.2 V1.3.4-V1.3.7 V15.3.2 V1.3.12 V1.5.1 V1.5.2
V2.2.1 V2.2.2 V2.3.1 V2.3.3 V2.3.4 V2.4.1
V3.2.1 V3.2.2 V3.3.1-V3.3.5 V3.4.1-V3.4.6 V3.4.8 V3.5.1-V3.5.3 V3.5.6-V3.5.8 V3.7.2
V4.1.1 V4.1.3 V4.1.4 V4.2.1
V5.1.1 V5.2.1-V5.2.6 V5.3.1-V5.3.3 V5.4.1 V5.4.2
V6.1.1 V6.1.3 V6.2.1-V6.2.10 V6.2.12 V6.3.1 V6.3.2 V6.3.4 V6.3.8 V6.4.1-V6.4.3 V6.4.6 V6.5.1-V6.5.5
V7.1.1 V7.1.2 V7.2.1-V7.2.4 V7.3.1 V7.3.2 V7.4.1-V7.4.5 V7.5.1 V7.5.2 V7.6.2
V8.1.1 V8.2.1-V8.2.3 V8.3.1 V8.3.2 V9.1.1-V9.1.3 V9.2.1 V9.2.2
V11.2.1-V11.2.4 V11.4.1 V11.4.2 V11.5.1 V13.2.3 V13.2.6 V13.3.1 V13.4.1 V13.4.2 V13.4.4-V13.4.6
V14.2.1 V14.2.2 V14.2.5 V14.2.7 V14.2.8 V14.3.1-V14.3.3 V15.3.1 V15.3.3-V15.3.5 V15.3.7 V15.4.1-V15.4.3
V16.2.1-V16.2.5 V16.3.1-V16.3.4 V16.4.1 V16.4.2 V16.5.1-V16.5.4
"""

_IDS = re.compile(r"(V\d+\.\d+\.)(\d+)(?:-V\d+\.\d+\.(\d+))?")


def ids_in(text: str) -> list[str]:
    """Each id by itself; `V3.3.1-V3.3.4` is four."""
    found = []
    for chapter, first, last in _IDS.findall(text):
        found += [f"{chapter}{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def rows() -> list[tuple[str, str, str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]
    return [(row[0], row[1], row[2]) for row in cells if len(row) == 3][2:]


@cache
def functions_of(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


def test_ranges_are_read_as_what_they_stand_for() -> None:
    assert ids_in("V1.2.1, V3.3.1-V3.3.3 (L3)") == ["V1.2.1", "V3.3.1", "V3.3.2", "V3.3.3"]


def test_every_requirement_that_applies_has_a_row_and_no_other_has() -> None:
    named = {each for requirement, _how, _tests in rows() for each in ids_in(requirement)}
    assert named == set(ids_in(OWED))
    assert len(rows()) > 40


def test_the_rows_stand_in_the_order_of_the_standard() -> None:
    first = [ids_in(requirement)[0] for requirement, _how, _tests in rows() if ids_in(requirement)]
    chapters = [int(each[1:].split(".")[0]) for each in first]
    assert chapters == sorted(chapters)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_says_how_and_names_tests_that_are_there(row: tuple[str, str, str]) -> None:
    _requirement, how, tests = row
    assert len(how) > 20
    named = re.findall(r"`([^`]+)`", tests)
    assert named or "*Not met*" in how
    for each in named:
        file, _, function = each.partition("::")
        assert (ROOT / file).is_file(), each
        assert function in functions_of(ROOT / file), each


def test_what_is_not_met_says_why() -> None:
    not_met = [how for _requirement, how, _tests in rows() if "*Not met*" in how or "*not met*" in how]
    assert not_met
    for how in not_met:
        after = re.split(r"\*not met\*", how, flags=re.IGNORECASE)[1]
        assert re.search(r"\b(for|since|because|on purpose)\b", after), how
