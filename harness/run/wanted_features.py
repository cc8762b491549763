"""The items whose features cells need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

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


def wanted_features(
    cells: Iterable[ResolvedCell], opened: Callable[[Dataset], Dataset]
) -> dict[FeatureKey, WantedFeatures]:
    """By FeatureKey; `opened` gives the data set to read in place of one."""
    wanted: dict[FeatureKey, WantedFeatures] = {}

    def need(key: FeatureKey, dataset: Dataset, setup: Setup, items: Sequence[str]) -> None:
        new = WantedFeatures(opened(dataset), setup, {})
        wanted.setdefault(key, new).sets[id(items)] = items

    for resolved in cells:
        setup = resolved.setup
        support, validation, test = resolved.support, resolved.validation, resolved.test
        frozen = needs_test_features(resolved)
        # A tuned backbone reads images, but an initialisation uses pretrained features.
        if support is not None and needs_train_features(resolved):
            need(support_key(resolved), setup.dataset, setup, support.items)
        if validation is not None and needs_validation_features(resolved):
            need(train_key(resolved), setup.dataset, setup, validation.items)
        if frozen:
            need(test_key(resolved), setup.test_dataset, setup, test.items)
    return wanted
