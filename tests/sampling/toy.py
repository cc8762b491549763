"""A small dataset in memory for tests of sampling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.core.conform import conform
from harness.core.protocols.dataset import Dataset
from harness.core.samples import Items


def items(prefix: str, per_class: int, n_classes: int) -> Items:
    """Items of every class, each in a group of its own."""
    labels = np.repeat(np.arange(n_classes), per_class)
    return Items(
        tuple(f"{prefix}{i}" for i in range(len(labels))), labels, np.arange(len(labels)) + 100
    )


@dataclass
class Toy:
    """Ten classes, eight training and two test samples each."""

    classes: tuple[str, ...] = tuple(f"class {i}" for i in range(10))
    train: Items = field(default_factory=lambda: items("train", 8, 10))
    test: Items = field(default_factory=lambda: items("test", 2, 10))
    manifest: str = "toy"
    pictures: dict[str, Any] = field(default_factory=dict)
    val: Items | None = None

    def part(self, name: str) -> range:
        return {"all": range(len(self.classes)), "rear": range(5, 10), "none": range(0)}[name]

    def image(self, item: str) -> Any:
        return self.pictures[item]


def toy(**changes: Any) -> Dataset:
    """Toy with some fields replaced, as a catalogue hands datasets on."""
    return conform(Dataset, Toy(**changes), "the dataset 'toy'")
