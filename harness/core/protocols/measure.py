"""Measures: one number of the predictions on a test set."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from harness.core.protocols.plugin import Plugin

if TYPE_CHECKING:
    import numpy as np

    from harness.core.samples import IntArray


@dataclass(frozen=True)
class Predictions:
    """Per test item: the predicted class, the rank of the true class (0 is top), the probability
    of the true class, and the largest probability. All (N,).
    """

    prediction: np.ndarray[Any, np.dtype[np.uint32]]
    rank: np.ndarray[Any, np.dtype[np.uint32]]
    probability: np.ndarray[Any, np.dtype[np.float32]]
    confidence: np.ndarray[Any, np.dtype[np.float32]]

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """As a Record keeps them."""
        return dict(vars(self))


class Measure(Plugin, Protocol):
    """A number that says how well a test set was predicted."""

    @property
    @abstractmethod
    def TITLE(self) -> str:  # noqa: N802 - a constant of the plugin
        """What reports call it, as in 'Top-5 accuracy'."""
        ...

    @property
    @abstractmethod
    def UNIT(self) -> str:  # noqa: N802 - a constant of the plugin
        """'fraction' (reports print points, 0 to 100), or a unit such as 'nats'; '' for none."""
        ...

    @property
    @abstractmethod
    def BETTER(self) -> Literal["higher", "lower"]:  # noqa: N802 - a constant of the plugin
        """Which way is better."""
        ...

    @abstractmethod
    def compute(self, predictions: Predictions, labels_N: IntArray, groups_N: IntArray) -> float:
        """The number. `labels_N` are the true classes; items of one group were sampled together."""
        ...
