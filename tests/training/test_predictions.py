"""Predictions, ranks and probabilities from logits; tests/measures/ holds what is made of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import top_k_accuracy_score

from harness.core.errors import CellError
from harness.training import predictions
from harness.training.predictions import predict

N, C = 300, 12


def test_ranks_are_those_of_scikit_learn() -> None:
    generator = torch.Generator().manual_seed(0)
    y_N = torch.randint(0, C, (N,), generator=generator)
    logits_NC = torch.randn(N, C, generator=generator)
    found = predict(logits_NC, y_N.numpy())
    for k in (1, 2, 5):
        accuracy = top_k_accuracy_score(y_N, logits_NC, k=k, labels=range(C))
        assert (found.rank < k).mean() == pytest.approx(accuracy)
    assert ((found.rank == 0) == (found.prediction == y_N.numpy())).all()


def test_probabilities_are_the_softmax() -> None:
    logits = torch.log(torch.tensor([[0.9, 0.1], [0.6, 0.4]]))
    found = predict(logits, np.array([0, 1]))
    assert found.probability == pytest.approx([0.9, 0.4])
    assert found.confidence == pytest.approx([0.9, 0.6])
    assert found.prediction.tolist() == [0, 0]


def test_arrays_have_the_types_that_records_keep() -> None:
    arrays = predict(torch.zeros(2, 3), np.array([0, 1])).arrays()
    assert {name: str(a.dtype) for name, a in arrays.items()} == {
        "prediction": "uint32", "rank": "uint32", "probability": "float32", "confidence": "float32",
    }  # fmt: skip


def test_a_tie_counts_as_the_prediction_does() -> None:
    found = predict(torch.zeros(3, 4), np.array([0, 1, 3]))
    assert found.rank.tolist() == [0, 1, 3]
    assert ((found.rank == 0) == (found.prediction == [0, 1, 3])).all()


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_logit_that_is_not_finite_is_the_cells_reason(value: str) -> None:
    with pytest.raises(CellError, match="not finite"):
        predict(torch.tensor([[float(value), 0.0]]), np.array([0]))


def test_they_do_not_depend_on_how_many_are_computed_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = torch.Generator().manual_seed(0)
    logits_NC = torch.randn(N, C, generator=generator)
    y_N = torch.randint(0, C, (N,), generator=generator).numpy()
    whole = predict(logits_NC, y_N).arrays()
    monkeypatch.setattr(predictions, "_TOGETHER", 7)
    by_parts = predict(logits_NC, y_N).arrays()
    for name, array in whole.items():
        assert by_parts[name].tolist() == array.tolist()
