"""What the code never does, wherever it is: it is read, not run."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.support import ROOT

SOURCES = sorted(
    [ROOT / "app.py", *(p for f in ("storage", "web", "eventlog", "auth", "blog") for p in (ROOT / f).rglob("*.py"))]
)
EVERYTHING = sorted([*SOURCES, *(p for folder in ("bench", "tests") for p in (ROOT / folder).rglob("*.py"))])
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

# What can speak to another host, and where it is used; the server's own sockets listen.
CONNECTING = {
    "smtplib": {"auth/mailing/delivering.py"},
    "openai": {"blog/conversations/asking_models.py"},
    "redis": {"storage/redis.py", "storage/cache/redis.py", "storage/locks/redis.py"},
    # There, to shut a connection of `openai` down.
    "socket": {"auth/mailing/delivering.py", "blog/conversations/listening.py", *(f"web/server/{n}.py" for n in ("channel", "serving", "supervisor", "worker"))},
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


def test_other_hosts_are_spoken_to_in_few_places_and_at_the_operators_addresses() -> None:
    imported: dict[str, set[str]] = {name: set() for name in CONNECTING}
    addresses = set[tuple[str, str]]()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in {name.split(".")[0] for name in names} & imported.keys():
                imported[name].add(str(path.relative_to(ROOT)))
            if isinstance(node, ast.Call) and dotted(node.func) in ("Model", "connect"):
                addresses.add((dotted(node.func), ast.unparse(node.args[0])))
    assert imported == CONNECTING
    assert addresses == {("Model", "settings.byline_llm_url"), ("connect", "settings.redis_url.get_secret_value()")}


def test_statements_stand_where_statements_belong_and_are_never_put_together_from_texts() -> None:
    written = re.compile(r"\b(?:text|exec_driver_sql)\(\s*(?:f[\"']|[\"'][^\"']*[\"']\s*(?:%|\.format|\+))")
    wrong = [str(p.relative_to(ROOT)) for p in SOURCES if written.search(p.read_text()) and "storage" not in p.parts]
    assert wrong == []


# A comment that keeps a linter or the type checker quiet, and one that names what it silences and says why.
SUPPRESSION = re.compile(r"#\s*(?:(?:ruff|flake8):\s*)?noqa\b|#\s*type:\s*ignore\b|#\s*mypy:", re.IGNORECASE)
EXPLAINED = re.compile(
    r"# noqa: [A-Z]+\d+(?:, [A-Z]+\d+)* - [^\s#]+(?: [^\s#]+)+"
    r"|# type: ignore\[[a-z-]+(?:, [a-z-]+)*\]  # (?!noqa\b)[^\s#]+(?: [^\s#]+)+"  # mypy takes no dash there
)


def unexplained_in(source: str) -> list[str]:
    if not SUPPRESSION.search(source):
        return []
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return [each for each in comments if SUPPRESSION.search(each) and not EXPLAINED.fullmatch(each)]


@pytest.mark.parametrize(
    ("comment", "is_explained"),
    [
        ("# noqa", False), ("# NOQA", False), ("#noqa:E501", False), ("# noqa: E501", False), ("# noqa: E501 - ", False),
        ("# noqa: E501  for a reason", False), ("# noqa: E501 - because", False), ("# noqa - a good reason", False),
        ("# ruff: noqa: E501", False), ("# mypy: ignore-errors", False), ("# type: ignore", False),
        ("# type: ignore[arg-type]", False), ("# type: ignore[arg-type]  # reason", False),
        ("# type: ignore  # a good reason", False), ("# type: ignore[arg-type]  # noqa: E501 - a good reason", False),
        ("# noqa: E501 - a good reason", True), ("# noqa: E501, S101 - a good reason", True),
        ("# type: ignore[arg-type]  # a good reason", True), ("# what is ignored, and of which type", True),
    ],
)  # fmt: skip
def test_a_suppression_is_told_from_one_that_says_why(comment: str, is_explained: bool) -> None:
    assert unexplained_in(f"x = 1  {comment}\n") == ([] if is_explained else [comment])
    assert unexplained_in(f"x = {comment!r}\n") == []


def test_whatever_is_suppressed_says_why() -> None:
    found = {str(path.relative_to(ROOT)): unexplained_in(path.read_text()) for path in EVERYTHING}
    assert {path: comments for path, comments in found.items() if comments} == {}


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
