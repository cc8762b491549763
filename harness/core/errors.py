"""Errors that a user can see.

HarnessError                  one clear message, never a traceback
+-- BadInput                  exit 2: the user can fix it
|   +-- TaskError             a key or value of a task file or override
|   +-- UnknownName           no such dataset, encoder, classifier, task, ...
|   +-- DataError             a dataset that cannot be read as declared
|   +-- EncoderError          weights that are missing or do not fit
|   +-- OutputError           a file or folder that cannot be written
+-- DiskFull                  exit 1: no space left; finished cells are safe
+-- CellError                 a cell that fails; becomes a failed Record (exit 1)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HarnessError(Exception):
    """Base of all errors that are shown to the user as one message."""

    exit_code = 1


class BadInput(HarnessError):
    """Input that the user can fix."""

    exit_code = 2


class TaskError(BadInput):
    """A wrong key or value in a task: names the file, the key, the problem and what is allowed."""

    def __init__(
        self,
        file: str,
        key: str,
        problem: str,
        *,
        allowed: Iterable[str] = (),
        nearest: str | None = None,
    ) -> None:
        self.file, self.key = file, key
        where = f"{file}: {key}: " if key else f"{file}: "
        super().__init__(where + problem + _allowed(allowed) + did_you_mean(nearest))


class UnknownName(BadInput):
    """A name for which there is no file."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        self.nearest = nearest(name, self.known)
        super().__init__(
            f"no {kind} is called '{name}'" + _allowed(self.known) + did_you_mean(self.nearest)
        )


class DataError(BadInput):
    """A dataset that is missing, empty, corrupt or not laid out as declared."""


class EncoderError(BadInput):
    """Weights that are missing or do not fit the architecture."""


class OutputError(BadInput):
    """A folder or file that cannot be written."""


class DiskFull(HarnessError):
    """No space left on the device."""


class CellError(HarnessError):
    """Why one cell failed; the others continue."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name`, or None if nothing is close."""
    close = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(name: str | None) -> str:
    return f". Did you mean '{name}'?" if name else ""


def _allowed(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"; allowed: {listed}" if listed else ""
