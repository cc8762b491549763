"""The files of a checkpoint: the last two states, and one that cannot be read moved aside.

A state is written aside and put in place by renaming, so a killed process leaves a whole one. Only
content that is not whole is thrown away. A file server that does not answer, or a lack of memory,
says nothing about a file.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import OutputError
from harness.core.files import write_atomically

#: Seconds before a file is tried again that the file server did not give.
WAITS = (1.0, 5.0, 15.0)


class Unreadable(Exception):
    """What a file holds is no state of this training: it is cut, damaged or of another format."""


@dataclass(frozen=True)
class CheckpointFiles:
    """`N.pt`, and the state before it in `N.previous.pt`."""

    path: Path

    @property
    def previous(self) -> Path:
        return self.path.with_suffix(".previous.pt")

    @property
    def unreadable(self) -> Path:
        """Where a file goes that cannot be used, for whoever wants to know why."""
        return self.path.with_suffix(".unreadable.pt")

    def write(self, state: dict[str, Any]) -> None:
        """Raises DiskFull or OutputError."""
        import torch

        newest = self.path.with_suffix(".newest.pt")
        write_atomically(newest, lambda f: torch.save(state, f))
        with contextlib.suppress(FileNotFoundError):  # there is none yet
            self.path.replace(self.previous)
        newest.replace(self.path)

    def read(self, use: Callable[[dict[str, Any]], None]) -> dict[str, Any] | None:
        """The last state that can be used; None if there is none. `use` is called with it, and
        raises Unreadable if it does not fit; that is thrown away then, with a warning.

        Raises OutputError if a file cannot be read, and MemoryError.
        """
        for path in (self.path, self.previous):
            try:
                state = self._retried(path)
                if state is not None:
                    use(state)
                    return state
            except Unreadable as error:
                self._throw_away(path, error)
        return None

    def remove(self) -> None:
        for path in (
            self.path,
            self.previous,
            self.unreadable,
            self.path.with_suffix(".newest.pt"),
        ):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # the folder may hold saved weights
            self.path.parent.rmdir()

    def _retried(self, path: Path) -> dict[str, Any] | None:
        for wait in (*WAITS, None):
            try:
                return _state(path)
            except FileNotFoundError:
                return None
            except OSError as error:
                if wait is None:
                    raise OutputError(
                        f"cannot read the checkpoint {path}: {error.strerror or error}; run the "
                        "same command again once it can be read, or delete it to start again"
                    ) from error
                time.sleep(wait)
        raise AssertionError  # the last round returns or raises

    def _throw_away(self, path: Path, error: Exception) -> None:
        path.replace(self.unreadable)
        print(
            f"warning: the checkpoint {path} cannot be used ({error}); it is {self.unreadable} now",
            file=sys.stderr,
        )


def _state(path: Path) -> dict[str, Any]:
    """What a file holds. Raises Unreadable, OSError or MemoryError."""
    import torch

    with path.open("rb") as file:
        # Read whole first: torch has one kind of error for what is damaged and what cannot be read.
        _check(file)
        file.seek(0)
        try:
            state = torch.load(file, weights_only=True, map_location="cpu")
        except (pickle.UnpicklingError, EOFError, KeyError, ValueError) as error:
            raise Unreadable(str(error).splitlines()[0]) from error
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if "memory" in str(error):
                raise MemoryError(f"too little memory to load {path}") from error
            raise OSError(str(error).splitlines()[0]) from error
    if not isinstance(state, dict):
        raise Unreadable("it is no state of a training")
    return state


def _check(file: Any) -> None:
    """Raises Unreadable if what a file holds is not what was written to it."""
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise Unreadable(str(error)) from error
    if damaged is not None:
        raise Unreadable(f"{damaged} is damaged")
