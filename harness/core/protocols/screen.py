"""Screens: numbers of a classifier before training, by which candidates are ranked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.core.protocols.plugin import Plugin

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray


def unit_rows(x_ND: FloatArray) -> FloatArray:
    """Rows of length 1; a row of zeros stays one."""
    norm_N1 = np.linalg.norm(x_ND, axis=1, keepdims=True)
    return np.asarray(x_ND / np.where(norm_N1 > 0, norm_N1, 1.0))


@dataclass(frozen=True)
class ScreenInputs:
    """A classifier before training, and the samples that it is measured on: those that a cell may
    train on or validate with, and never its test samples.

    `b_C` is the bias of a linear head, which counts rows by their length; None for a cosine head.
    """

    w_CD: FloatArray
    z_ND: FloatArray
    labels_N: IntArray
    b_C: FloatArray | None = None

    def cosines(self) -> FloatArray:
        """(N, C): of every sample with every row of W."""
        return np.asarray(unit_rows(self.z_ND) @ unit_rows(self.w_CD).T)

    def logits(self) -> FloatArray:
        """(N, C), but for the logit scale, which changes no order."""
        if self.b_C is None:
            return self.cosines()
        return np.asarray(self.z_ND @ self.w_CD.T + self.b_C)

    def class_means(self) -> tuple[FloatArray, FloatArray]:
        """(K, D) mean embeddings, of samples of length 1, of the K classes that have samples; and
        their rows of W, brought to length 1.
        """
        known_K, index_N = np.unique(self.labels_N, return_inverse=True)
        sum_KD = np.zeros((len(known_K), self.z_ND.shape[1]))
        np.add.at(sum_KD, index_N, unit_rows(self.z_ND))
        return sum_KD / np.bincount(index_N)[:, None], unit_rows(self.w_CD)[known_K]


@dataclass(frozen=True)
class Screened:
    """What was measured of a cell before training: values by the name of the screen (None where it
    is not defined), on so many samples of the support set or the validation set.

    `own` says that W was made of the very samples on which it is measured, so that its values are
    better than others' for that reason alone. `why` says why nothing was measured.
    """

    values: Mapping[str, float | None]
    samples: str = ""  # support | validation; empty where nothing was measured
    n: int = 0
    own: bool = False
    why: str = ""


class Screen(Plugin, Protocol):
    """A number of a classifier before training; higher promises a higher accuracy after it."""

    @property
    @abstractmethod
    def TITLE(self) -> str:  # noqa: N802 - a constant of the plugin
        """What reports call it, as in 'Zero-shot accuracy'."""
        ...

    @property
    @abstractmethod
    def UNIT(self) -> str:  # noqa: N802 - a constant of the plugin
        """'fraction' (reports print points, 0 to 100), or '' for a number without a unit."""
        ...

    @abstractmethod
    def compute(self, inputs: ScreenInputs) -> float | None:
        """The number; None where it is not defined."""
        ...
