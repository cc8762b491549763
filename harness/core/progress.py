"""Progress of long work, shown by whoever asked for it.

What opens a data set knows nothing of commands, and its Protocol has no place for progress. So a
command says for the time of its call what shows progress, and the work tells it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from harness.core.hashes import Progress

_shown: ContextVar[Progress | None] = ContextVar("progress", default=None)


@contextmanager
def shown_by(progress: Progress | None) -> Iterator[None]:
    """What is told inside is shown by `progress`; None: by nobody."""
    token = _shown.set(progress)
    try:
        yield
    finally:
        _shown.reset(token)


def tell(done: int, total: int) -> None:
    """So much of the work of one kind is done."""
    progress = _shown.get()
    if progress is not None:
        progress(done, total)
