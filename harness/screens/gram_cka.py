"""Geometry: linear CKA between the correlations of the rows of W and those of the class means.

With X and Y the rows and the class means, both centred over the classes, CKA is
|Y^T X|_F^2 / (|X^T X|_F |Y^T Y|_F) (Kornblith et al. 2019): 1 where one is the other up to a
rotation and a factor. It does not see whether a row points to its class. With few classes to a
dimension drawn rows have a high CKA too, so that its level says less than its order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.core.protocols.screen import ScreenInputs

if TYPE_CHECKING:
    from harness.core.samples import FloatArray

TITLE, UNIT = "CKA of the Gram matrices", ""


def compute(inputs: ScreenInputs) -> float | None:
    """Of the classes that have samples; None where the rows or the means do not differ."""
    means_KD, rows_KD = inputs.class_means()
    gram_rows_KK, gram_means_KK = (_gram(x) for x in (rows_KD, means_KD))
    norm = np.linalg.norm(gram_rows_KK) * np.linalg.norm(gram_means_KK)
    return float((gram_rows_KK * gram_means_KK).sum() / norm) if norm > 0 else None


def _gram(x_KD: FloatArray) -> FloatArray:
    """(K, K) of rows minus their mean: |Y^T X|_F^2 is the product of two of these, summed."""
    centred_KD = x_KD - x_KD.mean(axis=0)
    return np.asarray(centred_KD @ centred_KD.T)
