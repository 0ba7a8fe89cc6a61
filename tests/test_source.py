"""What the code never does, wherever it is: it is read, not run."""

import ast
import re
from pathlib import Path

import pytest

from tests.support import ROOT

SOURCES = sorted(
    [ROOT / "app.py", *(p for f in ("storage", "web", "eventlog", "auth", "blog") for p in (ROOT / f).rglob("*.py"))]
)
TEMPLATES = sorted((ROOT / "templates").rglob("*"))

# Code from data; objects from bytes; a shell; a template from a text; chance that can be guessed; broken digests.
NEVER_CALLED = {
    "eval", "exec", "__import__", "os.system", "os.popen", "subprocess.run", "subprocess.Popen", "subprocess.call",
    "pickle.loads", "pickle.load", "marshal.loads", "shelve.open", "yaml.load", "yaml.unsafe_load", "yaml.full_load",
    "render_template_string", "random.random", "random.choice", "random.randint", "uuid.uuid1", "hashlib.md5",
    "hashlib.sha1", "compile_expression", "tarfile.extractall", "shutil.unpack_archive", "urllib.request.urlopen",
}  # fmt: skip
NEVER_IMPORTED = {
    "pickle", "marshal", "shelve", "subprocess", "telnetlib", "ftplib", "xmlrpc", "lxml", "xml.sax", "random",
    "xml.etree.ElementTree", "xml.dom.minidom", "urllib.request", "http.client", "requests", "httpx", "aiohttp",
}  # fmt: skip


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def found_in(source: str) -> set[str]:
    """The calls, imports and arguments in a source that must not be there."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            found |= {name} & NEVER_CALLED
            found |= {f"{name}(shell=…)" for keyword in node.keywords if keyword.arg == "shell"}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & NEVER_IMPORTED
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} & NEVER_IMPORTED
    return found


def test_the_search_finds_what_it_looks_for() -> None:
    bad = "import pickle\nfrom subprocess import run\nrun('x', shell=True)\neval('1')\nyaml.load(x)\n"
    assert found_in(bad) == {"pickle", "subprocess", "run(shell=…)", "eval", "yaml.load"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_runs_unpickles_guesses_or_asks_a_shell(path: Path) -> None:
    assert found_in(path.read_text()) == set()


def test_statements_stand_where_statements_belong_and_are_never_put_together_from_texts() -> None:
    written = re.compile(r"\b(?:text|exec_driver_sql)\(\s*(?:f[\"']|[\"'][^\"']*[\"']\s*(?:%|\.format|\+))")
    wrong = [str(p.relative_to(ROOT)) for p in SOURCES if written.search(p.read_text()) and "storage" not in p.parts]
    assert wrong == []


def test_no_template_leaves_escaping_out_but_for_what_was_sanitised() -> None:
    for path in TEMPLATES:
        if path.is_file():
            text = path.read_text()
            assert "autoescape false" not in text, path
            # `…_html` names what a sanitiser made; everything else is escaped.
            for name in re.findall(r"([\w.\[\]()]+)\s*\|\s*safe\b", text):
                assert name.endswith(("_html", "_html()")), (path, name)
            assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/ld\+json)", text), path
            assert not re.search(r"\son\w+=[\"']", text), path
            assert not re.search(r"\sstyle=[\"']", text), path
