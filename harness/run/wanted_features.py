"""The items whose features cells need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from harness.core.protocols.dataset import Dataset
from harness.plan.needs import (
    needs_test_features,
    needs_train_features,
    needs_validation_features,
)
from harness.plan.resolve import ResolvedCell, Setup
from harness.run.feature_keys import FeatureKey, support_key, test_key, train_key


@dataclass
class WantedFeatures:
    """The items whose features are needed, and what is needed to compute them."""

    dataset: Dataset
    setup: Setup
    sets: dict[int, Sequence[str]]  # by their id, as a plan draws each once; they may share items


#: What finds the features that cells need; see `wanted_features`.
Wants = Callable[
    [Iterable[ResolvedCell], Callable[[Dataset], Dataset]], dict[FeatureKey, WantedFeatures]
]


@dataclass
class _Wanted:
    """Collects items by the key of their features; `opened` gives the data set to read."""

    opened: Callable[[Dataset], Dataset]
    found: dict[FeatureKey, WantedFeatures] = field(default_factory=dict)

    def need(self, key: FeatureKey, dataset: Dataset, setup: Setup, items: Sequence[str]) -> None:
        new = WantedFeatures(self.opened(dataset), setup, {})
        self.found.setdefault(key, new).sets[id(items)] = items


def wanted_features(
    cells: Iterable[ResolvedCell], opened: Callable[[Dataset], Dataset]
) -> dict[FeatureKey, WantedFeatures]:
    """By FeatureKey; `opened` gives the data set to read in place of one."""
    wanted = _Wanted(opened)
    for resolved in cells:
        setup = resolved.setup
        support, validation, test = resolved.support, resolved.validation, resolved.test
        frozen = needs_test_features(resolved)
        # A tuned backbone reads images, but an initialisation uses pretrained features.
        if support is not None and needs_train_features(resolved):
            wanted.need(support_key(resolved), setup.dataset, setup, support.items)
        if validation is not None and needs_validation_features(resolved):
            wanted.need(train_key(resolved), setup.dataset, setup, validation.items)
        if frozen:
            wanted.need(test_key(resolved), setup.test_dataset, setup, test.items)
    return wanted.found


def wanted_before_training(
    cells: Iterable[ResolvedCell], opened: Callable[[Dataset], Dataset]
) -> dict[FeatureKey, WantedFeatures]:
    """As `wanted_features`, of what a cell may look at before training: its support and validation
    samples, whatever is tuned, and no test sample.
    """
    wanted = _Wanted(opened)
    for resolved in cells:
        setup, support, validation = resolved.setup, resolved.support, resolved.validation
        if support is not None:
            wanted.need(support_key(resolved), setup.dataset, setup, support.items)
        if validation is not None:
            wanted.need(train_key(resolved), setup.dataset, setup, validation.items)
    return wanted.found
