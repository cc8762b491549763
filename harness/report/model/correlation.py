"""Inter-class correlation: cosine similarities between the class weights of a classifier.

The quantity of the paper's Figures 1 and A.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: (C, C) cosine similarities.
CosineMap = np.ndarray[Any, np.dtype[np.float64]]
#: Float16 weights are exact to about this much: a map that varies less is constant.
_ROUNDING = 0.005


def cosines(w_CD: np.ndarray[Any, Any], classes: int) -> CosineMap:
    """(c, c) cosines between the first `classes` rows of `w_CD`; zero for a row of zeros."""
    w_cD = np.asarray(w_CD[:classes], dtype=np.float64)
    norm_c1 = np.linalg.norm(w_cD, axis=1, keepdims=True)
    w_cD = w_cD / np.where(norm_c1 > 0, norm_c1, 1.0)
    return np.asarray(w_cD @ w_cD.T)


def pearson(a_CC: CosineMap, b_CC: CosineMap) -> float | None:
    """Pearson correlation of two maps over their pairs of classes; None if one is constant.

    Weights are stored as float16, so the off-diagonal of orthogonal rows is rounding error and not
    variation.
    """
    above = np.triu_indices(len(a_CC), k=1)
    a, b = a_CC[above], b_CC[above]
    if len(a) < 2 or min(np.ptp(a), np.ptp(b)) < _ROUNDING:
        return None
    return float(np.corrcoef(a, b)[0, 1])
