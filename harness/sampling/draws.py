"""Support, validation and test sets of a plan's cells, each drawn once, at first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from harness.core.protocols.dataset import Dataset
from harness.core.samples import SupportSet, TestSet
from harness.sampling.coop import coop_sets
from harness.sampling.listed import list_path, listed_support
from harness.sampling.sets import draw_support, draw_test, draw_validation
from harness.sampling.validation import official_validation

Drawn = TypeVar("Drawn")
Classes = Sequence[int]


class Draws:
    """Support, validation and test sets, by their arguments. Threads may share it.

    All cells of a plan share one. Planning itself draws nothing.
    """

    def __init__(self) -> None:
        self._sets: dict[Any, Any] = {}
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

    def coop(
        self, dataset: Dataset, classes: Classes, seed: int, shots: int
    ) -> tuple[SupportSet, SupportSet]:
        """See `coop_sets`."""
        return self._once(
            ("coop", self._known(dataset), classes, seed, shots),
            lambda: coop_sets(dataset, classes, seed, shots),
        )

    def listed(
        self, dataset: Dataset, classes: Classes, seed: int | None, shots: int, pattern: str
    ) -> SupportSet:
        """See `listed_support`; `pattern` is its path, perhaps with {shots} and {seed}."""
        path = list_path(pattern, shots, seed)
        return self._once(
            ("listed", self._known(dataset), classes, seed, shots, path),
            lambda: listed_support(dataset, classes, path, shots, seed),
        )

    def official_validation(
        self, dataset: Dataset, classes: Classes, seed: int | None, per_class: int | None
    ) -> SupportSet:
        """See `official_validation`."""
        return self._once(
            ("official", self._known(dataset), classes, seed, per_class),
            lambda: official_validation(dataset, classes, seed, per_class),
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
