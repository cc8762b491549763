"""Progress of long work, shown by whoever asked for it.

What opens a data set knows nothing of commands, and its Protocol has no place for progress. So a
command says for the time of its call what shows progress, and the work tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
#: Called with (what is counted, how many are done, how many there are).
Shown = Callable[[str, int, int], object]

_shown: ContextVar[Shown | None] = ContextVar("progress", default=None)


@contextmanager
def shown_by(progress: Shown | None) -> Iterator[None]:
    """What is told inside is shown by `progress`; None: by nobody."""
    token = _shown.set(progress)
    try:
        yield
    finally:
        _shown.reset(token)


def tell(what: str, done: int, total: int) -> None:
    """So many of the `what` (folders, files) are done."""
    progress = _shown.get()
    if progress is not None:
        progress(what, done, total)


def counted(what: str, items: Sequence[Item]) -> Iterator[Item]:
    """The items, which are counted while they are taken: about a thousand times in all."""
    step = max(1, len(items) // 1000)
    for done, item in enumerate(items):
        if done % step == 0:
            tell(what, done, len(items))
        yield item
    tell(what, len(items), len(items))
