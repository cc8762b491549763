import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, log_loss, top_k_accuracy_score

from harness.core.errors import CellError
from harness.training.predictions import metrics, predict

N, C = 300, 12


@pytest.fixture
def scored() -> tuple[torch.Tensor, np.ndarray]:  # type: ignore[type-arg]
    g = torch.Generator().manual_seed(0)
    y_N = torch.randint(0, C, (N,), generator=g)
    logits_NC = torch.randn(N, C, generator=g)
    logits_NC[torch.arange(N), y_N] += 1
    return logits_NC, y_N.numpy()


def test_metrics_are_those_of_scikit_learn(scored) -> None:  # type: ignore[no-untyped-def]
    logits_NC, y_N = scored
    p_NC = logits_NC.double().softmax(dim=1).numpy()
    found = metrics(predict(logits_NC, y_N), y_N)
    everyone = range(C)
    assert found["top1"] == pytest.approx(top_k_accuracy_score(y_N, p_NC, k=1, labels=everyone))
    assert found["top5"] == pytest.approx(top_k_accuracy_score(y_N, p_NC, k=5, labels=everyone))
    assert found["mean_class"] == pytest.approx(balanced_accuracy_score(y_N, p_NC.argmax(1)))
    assert found["nll"] == pytest.approx(log_loss(y_N, p_NC, labels=everyone), rel=1e-5)


def test_calibration_error_by_hand() -> None:
    """Two items at confidence 0.9, one right; two at 0.6, both right."""
    logits = torch.log(torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]]))
    found = metrics(predict(logits, np.array([0, 1, 0, 0])), np.array([0, 1, 0, 0]))
    assert found["ece"] == pytest.approx(0.5 * 0.4 + 0.5 * 0.4, abs=1e-6)


def test_a_tie_counts_as_the_prediction_does() -> None:
    found = predict(torch.zeros(3, 4), np.array([0, 1, 3]))
    assert found.rank.tolist() == [0, 1, 3]
    assert ((found.rank == 0) == (found.prediction == [0, 1, 3])).all()


def test_a_logit_that_is_not_finite_is_the_cells_reason() -> None:
    with pytest.raises(CellError, match="not finite"):
        predict(torch.tensor([[float("nan"), 0.0]]), np.array([0]))
