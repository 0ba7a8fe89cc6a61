"""What a limit is stands in one place, however many floors speak of it."""

import ast

from tests.support import ROOT


def test_the_longest_text_is_said_once() -> None:
    places = [
        f"{path.relative_to(ROOT)}"
        for path in sorted((ROOT / "blog").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign) and any(ast.unparse(each) == "LONGEST_BODY_BYTES" for each in node.targets)
    ]
    assert places == ["blog/rendering/bounds.py"]
