"""Where the processes of a training wait for each other without an exchange.

An exchange gives up after some time. Work before the first step (hashes, texts, features) has no
such limit: a process that waits goes on doing so as long as the others show signs of life, and
fails soon once one of them has ended or shows none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from harness.core.errors import HarnessError

#: Seconds between two signs of life, and between two looks at what is waited for.
PULSE, LOOK = 2.0, 0.2
#: Seconds without a sign of life after which a process counts as dead.
SILENCE = 120.0


class Meeting:
    """The meeting point of this process, with a thread that gives its signs of life.

    Every process makes the same calls in the same order.
    """

    def __init__(self, rank: int, size: int, address: str, port: int | None) -> None:
        """At `port` of process 0, which makes one: None."""
        from torch._C._distributed_c10d import TCPStore

        self._rank, self._size, self._count = rank, size, 0
        patience = timedelta(seconds=SILENCE)
        is_first = rank == 0
        self._store = TCPStore(
            address, port or 0, is_master=is_first, timeout=patience, wait_for_workers=False
        )
        self.port = int(self._store.port)
        self._over = threading.Event()
        # A connection of its own: the other may be waiting for an answer.
        own = TCPStore(address, self.port, timeout=patience, wait_for_workers=False)
        own.set(_alive(rank), "0")
        self._thread = threading.Thread(target=self._show_life, args=(own,), daemon=True)
        self._thread.start()

    def first(self) -> _Turn:
        """`arrive` and `wait` of what process 0 does before the others."""
        self._count += 1
        return _Turn(self, self._count)

    def wait_for_all(self) -> None:
        """Until every process has come here. Raises HarnessError if one of them has ended."""
        turn = self.first()
        turn.arrive()
        turn.wait(range(self._size))

    def close(self, reason: str | None = None) -> None:
        """No more signs of life; with the reason, if this process has failed."""
        self._over.set()
        self._thread.join()
        if reason is not None:
            with suppress(Exception):  # the store may have gone with process 0
                self._store.set(_ended(self._rank), reason)

    def arrive(self, number: int) -> None:
        self._store.set(_here(number, self._rank), "")

    def wait(self, number: int, ranks: Sequence[int]) -> None:
        """Raises HarnessError if a process has ended, or shows no sign of life."""
        watched = _Signs(self._rank, self._size)
        left = list(ranks)
        try:
            while left:
                left = [r for r in left if not self._store.check([_here(number, r)])]
                if left:
                    watched.look(self._store)
                    time.sleep(LOOK)
        except RuntimeError as error:  # of the connection to process 0
            raise HarnessError("process 0 of this training has ended; see its messages") from error

    def _show_life(self, store: Any) -> None:
        number = 0
        while not self._over.wait(PULSE):
            number += 1
            try:
                store.set(_alive(self._rank), str(number))
            except RuntimeError:  # process 0 has ended; whoever waits will see it
                return


class _Turn:
    """One of the places at which processes meet."""

    def __init__(self, meeting: Meeting, number: int) -> None:
        self._meeting, self._number = meeting, number

    def arrive(self) -> None:
        """Let those go on who wait for this process."""
        self._meeting.arrive(self._number)

    def wait(self, ranks: Sequence[int] = (0,)) -> None:
        """Until these processes have arrived."""
        self._meeting.wait(self._number, ranks)


class _Signs:
    """When the signs of life of the others were last seen to change."""

    def __init__(self, rank: int, size: int) -> None:
        self._others = [other for other in range(size) if other != rank]
        self._seen: dict[int, tuple[bytes, float]] = {}
        self._next = 0.0

    def look(self, store: Any) -> None:
        """Raises HarnessError for one that has ended or shows none."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + PULSE
        signs = store.multi_get([_alive(other) for other in self._others])
        for other, sign in zip(self._others, signs, strict=True):
            before = self._seen.get(other)
            if before is None or before[0] != sign:
                self._seen[other] = (sign, now)
            elif now - before[1] > SILENCE:
                raise HarnessError(
                    f"process {other} of this training has shown no sign of life for "
                    f"{SILENCE:.0f} s"
                )
            if store.check([_ended(other)]):
                reason = store.get(_ended(other)).decode()
                raise HarnessError(f"process {other} of this training has failed: {reason}")


def _alive(rank: int) -> str:
    return f"alive/{rank}"


def _ended(rank: int) -> str:
    return f"ended/{rank}"


def _here(number: int, rank: int) -> str:
    return f"here/{number}/{rank}"
