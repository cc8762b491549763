"""Prediction, rank and probability of every test item, from its logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.core.errors import CellError
from harness.core.protocols.measure import Predictions

if TYPE_CHECKING:
    import torch

    from harness.core.samples import IntArray


#: Samples whose probabilities, in double precision, are in memory together.
_TOGETHER = 8192


def predict(logits_NC: torch.Tensor, labels_N: IntArray) -> Predictions:
    """Predictions from logits. Ties go to the class with the lower index, in prediction and rank.

    Raises CellError if a logit is not finite.
    """
    ends = range(_TOGETHER, max(len(labels_N), 1) + _TOGETHER, _TOGETHER)
    parts = [slice(end - _TOGETHER, end) for end in ends]
    return joined([_predict(logits_NC[part], labels_N[part]) for part in parts])


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of parts of one test set, in order."""
    fields = ("prediction", "rank", "probability", "confidence")
    return Predictions(**{f: np.concatenate([getattr(p, f) for p in parts]) for f in fields})


def _predict(logits_NC: torch.Tensor, labels_N: IntArray) -> Predictions:
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
