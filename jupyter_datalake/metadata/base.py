"""What every table class shares: the connection, the clock of the transaction, row helpers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Insert, Table, and_, collate, literal, select

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

MAX_VARIABLES = 500
"""Values in one IN list; well below every database's limit, above which nothing is gained."""
SIMILAR_AMONG = 1000
"""So many names are compared with one that is not there, to say which may have been meant."""
_LENGTHS = (1, 10, 100, MAX_VARIABLES)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TableGroup:
    """The statements about one noun, inside one transaction.

    Parameters
    ----------
    connection
        Of the transaction this object lives in.
    now_ns
        When the transaction began; every row it writes carries the same time.
    """

    def __init__(self, connection: Connection, now_ns: int) -> None:
        self._connection = connection
        self._now_ns = now_ns

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an insert that can say `on_conflict_do_nothing` on this database."""
        # Only the dialect in use: the other one's drivers would cost each command a moment.
        if self._connection.dialect.name == "postgresql":
            from sqlalchemy.dialects import postgresql  # noqa: PLC0415

            return postgresql.insert(table)
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert(table)

    def _some(self, column: ColumnElement[str]) -> Sequence[str]:
        """Return values of a column, of many the first ones."""
        statement = select(column).order_by(column).limit(SIMILAR_AMONG)
        return self._connection.execute(statement).scalars().all()

    def _text(self, value: str) -> ColumnElement[str]:
        """Return a value that can stand beside a text column in a recursive query.

        Postgres asks for the collation that `metadata.migrating` gives to every column.
        """
        bound = literal(value)
        return collate(bound, "C") if self._connection.dialect.name == "postgresql" else bound

    def _insert_missing(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert the rows whose key is not there yet; repeating it changes nothing."""
        if rows:
            statement: Insert = self._insert(table).on_conflict_do_nothing()
            self._connection.execute(statement, rows)

    def _execute_rows(
        self, statement: Insert, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Insert rows of numbers, text and bytes, given in the order of the table's columns.

        Past SQLAlchemy's work on each row, which costs more than the row itself. The statement
        has no other parameters.
        """
        compiled = statement.compile(dialect=self._connection.dialect, column_keys=list(columns))
        parameters: list[Any] = list(rows)
        if not compiled.positional:
            parameters = [dict(zip(columns, row, strict=True)) for row in rows]
        self._connection.exec_driver_sql(compiled.string, parameters)

    def _rows_where_in(self, query: str, values: Iterable[bytes]) -> Iterator[Sequence[Any]]:
        """Yield the rows of a query that ends with ``IN``, for values of any number.

        Past SQLAlchemy's work on each value, which costs several times the look-up itself. Lists
        are filled up with their last value to one of few lengths, so that a database meets few
        statements and knows them again.
        """
        mark = "?" if self._connection.dialect.paramstyle == "qmark" else "%s"
        for batch in batched(values):
            length = next(one for one in _LENGTHS if one >= len(batch))
            filled = batch + batch[-1:] * (length - len(batch))
            marks = ", ".join([mark] * length)
            yield from self._connection.exec_driver_sql(f"{query} ({marks})", tuple(filled))


def begins_with(ids: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """Return the condition that a hexadecimal id begins so, which its index answers."""
    return and_(ids >= prefix, ids < prefix + "g")


def batched(items: Iterable[T], size: int = MAX_VARIABLES) -> Iterator[list[T]]:
    """Yield `items` in lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def time_of(ns: int) -> datetime:
    """Return the UTC time of stored nanoseconds, to the microsecond."""
    return datetime.fromtimestamp(ns // 1000 / 1e6, UTC)


def ns_of(moment: datetime) -> int:
    """Return the stored nanoseconds of a time, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def optional_time(ns: int | None) -> datetime | None:
    """Return the UTC time of stored nanoseconds, or None."""
    return None if ns is None else time_of(ns)
