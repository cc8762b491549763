"""A wish that a run stops soon, from a signal or another process, and when it has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Interruption:
    """Trainings look whether they are asked to stop, between two steps, and save a checkpoint."""

    def __init__(self) -> None:
        self._asked, self._count = threading.Event(), 0
        self._changed = threading.Condition()

    def ask(self) -> None:
        """Ask to stop. It waits for nothing, so a handler of a signal may call it."""
        self._asked.set()

    def is_asked(self) -> bool:
        return self._asked.is_set()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Within it there is something that has to be saved before the process may end."""
        with self._changed:
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def stop(self, seconds: float) -> bool:
        """Ask, and wait until nothing is busy, at most so many seconds; whether that is so."""
        self.ask()
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, seconds)
