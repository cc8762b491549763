"""A text file a training, a line an epoch: RUNS/logs/KEY.jsonl."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from harness.core.files import explain_oserror, write_atomically
from harness.core.records import Record
from harness.logs._log import training


def open_log(folder: Path, key: str, cell: Mapping[str, Any]) -> JsonLines:
    """The file is written with the first epoch: where nothing is trained there is none."""
    return JsonLines(folder / f"{key}.jsonl")


class JsonLines:
    """Lines of this training only: those of an earlier one are replaced where it begins anew, and
    no epoch is repeated where it goes on from a checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def epoch(self, point: Mapping[str, Any]) -> None:
        """Raises DiskFull or OutputError."""
        line = json.dumps({name: _finite(value) for name, value in point.items()})
        try:
            if self._file is None:
                self._file = self._begin((training(point), int(point["epoch"])))
            self._file.write(f"{line}\n".encode())
            self._file.flush()
        except OSError as error:
            raise explain_oserror(self._path, error) from error

    def done(self, record: Record, measures: Mapping[str, float]) -> None:
        """Nothing: the Record holds the measures."""

    def close(self) -> None:
        """The lines are written already."""
        if self._file is not None:
            self._file.close()

    def _begin(self, first: tuple[int, int]) -> IO[bytes]:
        """The file with the whole lines that come before `first`, a (training, epoch)."""
        kept = [line for line in _lines(self._path) if _training_and_epoch(line) < first]
        write_atomically(self._path, lambda file: file.writelines(kept))
        return self._path.open("ab")


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True) if path.is_file() else []


def _training_and_epoch(line: bytes) -> tuple[float, float]:
    """(training, epoch) of a line; infinite, so dropped, for one that was cut short."""
    try:
        point = json.loads(line)
        return training(point), float(point["epoch"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return math.inf, math.inf


def _finite(value: Any) -> Any:
    """JSON has no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
