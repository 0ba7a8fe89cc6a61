"""What makes hundreds of applications in one process quick: what each would make anew is made once for all of them.

Importing this does it, for this process alone: servers of their own are as ever.
"""

from functools import wraps
from typing import Any
from unittest.mock import patch

from argon2 import PasswordHasher
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from auth.users import passwords
from storage import engine

# Most tests are about something else than how long a hash takes.
REAL_HASHER, REAL_NOBODYS_HASH = passwords._hasher, passwords._NOBODYS_HASH
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
patch.multiple(passwords, _hasher=QUICK_HASHER, _NOBODYS_HASH=QUICK_HASHER.hash("nobody's")).start()


class _Templates(BytecodeCache):
    """Compiled templates."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


templates = _Templates()

# Compiled statements: their key holds the dialect, and all of these are of one kind.
_statements = LRUCache[Any, Any](5000)
_create_engine = engine._create_engine


@wraps(_create_engine)
def _create_quick_engine(*args: Any, **kwargs: Any) -> Any:
    made = _create_engine(*args, **kwargs)
    made._compiled_cache = _statements
    return made


patch.object(SQLiteDialect_pysqlite, "__eq__", lambda one, other: type(one) is type(other)).start()
patch.object(SQLiteDialect_pysqlite, "__hash__", lambda one: hash(type(one))).start()
patch.object(engine, "_create_engine", _create_quick_engine).start()

# Compiled builders of addresses, which are half of what an application costs.
_builders: dict[Any, Any] = {}
_compile_builder = Rule._compile_builder


def _builder_of(rule: Rule, append_unknown: bool = True) -> Any:
    assert not rule.defaults, "what a builder is made of would not be all in its key"
    key = (rule.rule, tuple(rule._trace), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


patch.object(Rule, "_compile_builder", _builder_of).start()
