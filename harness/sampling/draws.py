"""Support, validation and test sets of a plan's cells, each drawn once, at first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from harness.core.protocols.dataset import Dataset
from harness.core.samples import SupportSet, TestSet
from harness.sampling.sets import draw_support, draw_test, draw_validation

Drawn = TypeVar("Drawn", SupportSet, TestSet)
Classes = Sequence[int]


class Draws:
    """Support, validation and test sets, by their arguments. Threads may share it.

    All cells of a plan share one. Planning itself draws nothing.
    """

    def __init__(self) -> None:
        self._sets: dict[Any, SupportSet | TestSet] = {}
        self._datasets: dict[int, Dataset] = {}  # kept alive, so that no id is used twice
        self._lock = threading.Lock()

    def support(
        self,
        dataset: Dataset,
        classes: Classes,
        seed: int | None,
        *,
        shots: int | None,
        fraction: float | None,
        val: int,
        take_all: bool = False,
    ) -> SupportSet:
        """See `draw_support`."""
        return self._once(
            ("support", self._known(dataset), classes, seed, shots, fraction, val, take_all),
            lambda: draw_support(
                dataset, classes, seed, shots=shots, fraction=fraction, val=val, take_all=take_all
            ),
        )

    def validation(
        self, dataset: Dataset, classes: Classes, seed: int | None, val: int
    ) -> SupportSet:
        """See `draw_validation`."""
        return self._once(
            ("validation", self._known(dataset), classes, seed, val),
            lambda: draw_validation(dataset, classes, seed, val),
        )

    def test(self, dataset: Dataset, classes: Classes, *, distractors: bool = False) -> TestSet:
        """See `draw_test`."""
        return self._once(
            ("test", self._known(dataset), classes, distractors),
            lambda: draw_test(dataset, classes, distractors=distractors),
        )

    def _known(self, dataset: Dataset) -> int:
        return id(self._datasets.setdefault(id(dataset), dataset))

    def _once(self, key: Any, draw: Callable[[], Drawn]) -> Drawn:
        with self._lock:  # a draw takes milliseconds, so other threads wait briefly
            if key not in self._sets:
                self._sets[key] = draw()
            return cast(Drawn, self._sets[key])
