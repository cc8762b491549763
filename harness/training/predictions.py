"""Predictions, ranks and probabilities of every test item, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import CellError

if TYPE_CHECKING:
    import torch

    from harness.core.samples import IntArray

ECE_BINS = 15


@dataclass(frozen=True)
class Predictions:
    """Per test item: predicted class, rank of the true class (0 is top), probability of the true
    class, and the largest probability.
    """

    prediction: np.ndarray[Any, np.dtype[np.uint32]]
    rank: np.ndarray[Any, np.dtype[np.uint32]]
    probability: np.ndarray[Any, np.dtype[np.float32]]
    confidence: np.ndarray[Any, np.dtype[np.float32]]

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        return dict(vars(self))


def predict(logits_NC: torch.Tensor, labels_N: IntArray) -> Predictions:
    """Ties go to the class with the lower index, in the prediction and in the rank alike.

    Raises CellError if a logit is not a finite number.
    """
    import torch

    if not torch.isfinite(logits_NC).all():
        raise CellError("the logits of the test set are not finite numbers")
    y_N1 = torch.from_numpy(labels_N)[:, None]
    truth_N1 = logits_NC.gather(1, y_N1)
    before_NC = torch.arange(logits_NC.shape[1])[None] < y_N1
    rank_N = ((logits_NC > truth_N1) | ((logits_NC == truth_N1) & before_NC)).sum(dim=1)
    p_NC = logits_NC.double().softmax(dim=1)
    return Predictions(
        prediction=logits_NC.argmax(dim=1).numpy().astype(np.uint32),
        rank=rank_N.numpy().astype(np.uint32),
        probability=p_NC.gather(1, y_N1)[:, 0].numpy().astype(np.float32),
        confidence=p_NC.amax(dim=1).numpy().astype(np.float32),
    )


def metrics(found: Predictions, labels_N: IntArray) -> dict[str, float]:
    """top1, top5, mean class accuracy, as fractions; nll in nats; ece (Guo et al. 2017)."""
    correct_N = found.rank == 0
    per_class = [correct_N[labels_N == c].mean() for c in np.unique(labels_N)]
    return {
        "top1": float(correct_N.mean()),
        "top5": float((found.rank < 5).mean()),
        "mean_class": float(np.mean(per_class)),
        "nll": float(-np.log(np.maximum(found.probability, 1e-12)).mean()),
        "ece": _calibration_error(found.confidence, correct_N),
    }


def _calibration_error(
    confidence_N: np.ndarray[Any, Any], correct_N: np.ndarray[Any, Any]
) -> float:
    """Mean gap of confidence and accuracy over equal bins, weighted by their items."""
    bins_N = np.minimum((confidence_N * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = [
        (bins_N == b).mean() * abs(confidence_N[bins_N == b].mean() - correct_N[bins_N == b].mean())
        for b in np.unique(bins_N)
    ]
    return float(sum(gaps))
