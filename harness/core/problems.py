"""All problems of a data set in one error, up to a number of each kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from harness.core.errors import DataError

#: How many problems of a kind are told one by one.
MOST = 20


class DataProblems(DataError):
    """Several problems of one data set: a line each, and how many more there are of a kind."""

    def __init__(self, what: str, count: int, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        listed = "".join(f"\n  {line}" for line in self.lines)
        super().__init__(f"{what}: {count} problems:{listed}")


class Problems:
    """Problems found so far. `what` names the data set in the error."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._kinds: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, kind: str, problem: str) -> None:
        """A problem, as one sentence that names file and line, or class. A kind is what is counted
        together.
        """
        self._counts[kind] = self._counts.get(kind, 0) + 1
        several = self._kinds.setdefault(kind, [])
        if len(several) < MOST:
            several.append(problem)

    def add_error(self, kind: str, error: DataError) -> None:
        """The problem, or the several, that an error tells."""
        for line in error.lines if isinstance(error, DataProblems) else (str(error),):
            self.add(kind, line)

    def lines(self) -> list[str]:
        """The problems in the order in which their kinds were found."""
        lines = []
        for kind, several in self._kinds.items():
            more = self._counts[kind] - len(several)
            lines += [*several, *([f"... and {more} more"] if more else [])]
        return lines

    def error(self) -> DataError | None:
        """The error that tells them all; None without any."""
        count = sum(self._counts.values())
        if count == 1:
            return DataError(self.lines()[0])
        return DataProblems(self.what, count, self.lines()) if count else None

    @contextmanager
    def with_last(self) -> Iterator[None]:
        """An error inside, after which nothing can be read, is told with the problems before it."""
        try:
            yield
        except DataError as error:
            if not self._kinds:
                raise
            self.add_error("last", error)
            raise (self.error() or error) from error

    def refuse(self) -> None:
        """Raises DataError with every problem, if there is any."""
        error = self.error()
        if error is not None:
            raise error


def and_more(items: Iterable[str]) -> str:
    """The first of `items` for a message, and how many more there are."""
    listed = list(items)
    more = f", ... and {len(listed) - MOST} more" if len(listed) > MOST else ""
    return ", ".join(listed[:MOST]) + more
