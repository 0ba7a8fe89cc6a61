"""Statements of every page and every save: written once, and asked below SQLAlchemy, at a third of the cost."""

from enum import Enum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler, SQLiteDialect

from storage.watching import refuse_forbidden

if TYPE_CHECKING:
    from collections.abc import Callable

Row = tuple[Any, ...]
Question = sa.Select[Any] | sa.CompoundSelect[Any]


class _Compiler(SQLiteCompiler):
    """Writes values as `+:name`, which is the same to SQLite, save that it does not look at them to make its plan.

    Otherwise it would prepare a statement anew at each execution, wherever a value stands that a plan could be better
    for, such as a limit: for forty microseconds (sqlite.org/c3ref/prepare.html). What needs a look at the value, an
    index for LIKE or one of some rows only, is not used for these statements.
    """

    def bindparam_string(self, name: str, *arguments: Any, **options: Any) -> str:
        return f"+{super().bindparam_string(name, *arguments, **options)}"


_DIALECT = SQLiteDialect(paramstyle="named")
_DIALECT.statement_compiler = _Compiler


class Prepared:
    """A question in SQL, without lists of values. Values are given by the names of its parameters."""

    def __init__(self, question: Question) -> None:
        compiled = question.compile(dialect=_DIALECT)
        self.text = str(compiled)
        if "POSTCOMPILE" in self.text:
            raise ValueError("A list of values is written into its statement anew each time: it cannot be prepared.")
        # Members of enumerations as they are stored: the driver would look anew each time for what to make of them.
        known = compiled.params.items()
        self._known = {name: value.value if isinstance(value, Enum) else value for name, value in known}
        self._asked_for = frozenset(name for name, parameter in compiled.binds.items() if parameter.required)
        columns = enumerate(question.selected_columns)
        found = ((index, column.type.result_processor(_DIALECT, None)) for index, column in columns)
        self._processors: list[tuple[int, Callable[[Any], Any]]] = [
            (index, process) for index, process in found if process is not None
        ]

    def all(self, db: sa.Connection, **values: Any) -> list[Row]:
        """Every row, in the transaction that is open. Raises the errors of the driver, which `Database` translates."""
        if db.get_execution_options().get("is_watched"):
            refuse_forbidden(self.text)
        driver_connection = db.connection.dbapi_connection
        assert driver_connection is not None
        rows = driver_connection.execute(self.text, self.with_known(values)).fetchall()
        return [self.converted(row) for row in rows] if self._processors else rows

    def first(self, db: sa.Connection, **values: Any) -> Row | None:
        """The first row; None where there is none."""
        rows = self.all(db, **values)
        return rows[0] if rows else None

    def with_known(self, values: dict[str, Any]) -> dict[str, Any]:
        """Those values and the statement's own. Raises TypeError when one is missing that it asks for."""
        if not self._asked_for <= values.keys():
            raise TypeError(f"Not given: {', '.join(sorted(self._asked_for - values.keys()))}.")
        return {**self._known, **values}

    def converted(self, row: Row) -> Row:
        """A row of the driver's with the types of Python."""
        if not self._processors:
            return row
        values = list(row)
        for index, process in self._processors:
            values[index] = process(values[index])
        return tuple(values)
