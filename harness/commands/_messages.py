"""Messages of commands on standard error, and the log of a runs folder that keeps them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from pathlib import Path

    from harness.study import Study


def say(*words: object) -> None:
    """Messages go to standard error; standard output is for results."""
    print(*words, file=sys.stderr)


def say_of_index(reports: Path) -> None:
    """Say so if the reports have no index because their README.md is someone else's."""
    from harness.report.render.write import not_ours

    if (why := not_ours(reports)) is not None:
        say(f"note: {why}")


class _Both:
    """A stream that is also written to a log, without progress bars."""

    def __init__(self, stream: TextIO, log: TextIO) -> None:
        self._stream, self._log = stream, log

    def write(self, text: str) -> int:
        if "\x1b" not in text:
            self._log.write(text)
            self._log.flush()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def logged(study: Study) -> Iterator[None]:
    """Copy standard error to RUNS/logs/<task>.log.

    Raises OutputError if it cannot be written.
    """
    from harness.core.files import explain_oserror

    path = study.store.root / "logs" / f"{study.task.name}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log = path.open("a", encoding="utf-8")
    except OSError as error:
        raise explain_oserror(path, error) from error
    with log, redirect_stderr(cast(TextIO, _Both(sys.stderr, log))):
        log.write(f"--- {datetime.now(UTC).isoformat(timespec='seconds')} {study.command}\n")
        yield
