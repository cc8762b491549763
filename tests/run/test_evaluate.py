"""What a trained cell predicts: with which rows, in which views, on which samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.core.errors import CellError
from harness.core.protocols.solver import Watch
from harness.run.attempts import Training
from harness.run.evaluate import (
    Trained,
    Trial,
    evaluation_head,
    measured,
    on_test,
    on_validation,
)
from harness.run.initialise import text_classifier
from harness.run.train import train_cells
from harness.training import rows
from harness.training.predictions import predict

from .outside import NAMES
from .prepared import Prepared, prepared


def trained_of(p: Prepared) -> Trained:
    (outcome,) = train_cells([Training(p.cell, Watch())], p.context)
    assert isinstance(outcome, Trained), outcome
    return outcome


def head_of(p: Prepared, trained: Trained) -> Any:
    return evaluation_head(p.cell, trained, p.resources, p.cell.test.class_names)


def test_the_better_trial_is_first_by_accuracy_then_by_loss() -> None:
    trials = [
        Trial({"n": 0}, error="diverged"), Trial({"n": 1}, 0.5, 2.0), Trial({"n": 2}, 0.5, 1.0),
        Trial({"n": 3}, 0.6, 9.0), Trial({"n": 4}),
    ]  # fmt: skip
    ranked = sorted(trials, key=lambda t: t.rank())
    assert [t.config["n"] for t in ranked] == [0, 4, 1, 2, 3]


def test_logits_of_the_test_set_by_hand(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    trained = trained_of(p)
    h_NF = p.resources.test_features(p.cell).of(p.cell.test.items)
    assert trained.embedding is not None
    assert trained.head is not None
    with torch.no_grad():
        logits_NC = trained.head.logits(trained.embedding.projection(h_NF))
    expected = predict(logits_NC, p.cell.test.labels)
    predictions = on_test(p.cell, trained, p.resources)
    assert predictions.prediction.tolist() == expected.prediction.tolist()
    assert predictions.probability.tolist() == expected.probability.tolist()


def test_a_large_test_set_is_predicted_by_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """18 items, five at a time, each with its own label."""
    p = prepared(tmp_path)
    trained = trained_of(p)
    whole = on_test(p.cell, trained, p.resources)
    monkeypatch.setattr(rows, "TOGETHER", 5)
    read: list[int] = []
    gather = rows.StoredRows.gather

    def counted(of: Any, index: Any = None) -> torch.Tensor:
        h_BF = gather(of, index)
        read.append(len(h_BF))
        return h_BF

    monkeypatch.setattr(rows.StoredRows, "gather", counted)
    by_blocks = on_test(p.cell, trained, p.resources)
    assert read == [5, 5, 5, 3]
    assert by_blocks.rank.tolist() == whole.rank.tolist()
    assert by_blocks.probability == pytest.approx(whole.probability, rel=1e-6)


def test_views_are_averaged(tmp_path: Path) -> None:
    """Square pictures have one crop: three of it predict what one predicts."""
    one, three = prepared(tmp_path), prepared(tmp_path, views="1x3")
    assert on_test(three.cell, trained_of(three), three.resources).probability == pytest.approx(
        on_test(one.cell, trained_of(one), one.resources).probability, rel=1e-5
    )


@pytest.mark.parametrize("tuning", ["projection", "all"])
def test_validation_samples_are_those_of_the_cell(tmp_path: Path, tuning: str) -> None:
    search = {"search": {"recipe.lr": [1e-3]}, "val": 2, "selection": "val"}
    p = prepared(tmp_path, tuning=tuning, **search)
    predictions, labels_N = on_validation(p.cell, trained_of(p), p.resources)
    assert p.cell.validation is not None
    assert labels_N.tolist() == list(p.cell.validation.labels)
    assert len(predictions.prediction) == 12
    alone = prepared(tmp_path)
    with pytest.raises(CellError, match="needs validation samples"):
        on_validation(alone.cell, trained_of(alone), alone.resources)


def test_the_classes_trained_on_keep_their_rows(tmp_path: Path) -> None:
    p = prepared(tmp_path, classifier="random", schedule="trained")
    trained = trained_of(p)
    assert head_of(p, trained) is trained.head


ZERO: dict[str, Any] = {
    "regime": "zero_shot", "shots": None, "classes": {"pick": 2, "seed": 0}, "train_classes": {},
}  # fmt: skip


def test_other_classes_get_rows_of_their_own(tmp_path: Path) -> None:
    p = prepared(tmp_path, **ZERO)
    trained = trained_of(p)
    head, names = head_of(p, trained), p.cell.test.class_names
    assert len(head.weight()) == len(names) == 2
    assert not set(names) & set(p.cell.setup.trained.names)
    torch.testing.assert_close(head.weight(), text_classifier(p.cell, names, p.resources))
    assert on_test(p.cell, trained, p.resources).prediction.max() <= 1


def test_a_head_with_rows_of_its_own_cannot_name_other_classes(
    tmp_path: Path, elsewhere: Any
) -> None:
    p = prepared(tmp_path, paradigm="vision_only")
    trained = trained_of(p)
    with pytest.raises(CellError, match="not trained on"):
        evaluation_head(p.cell, trained, p.resources, ("owl", "fox"))


def test_without_training_the_head_is_the_initial_classifier(tmp_path: Path) -> None:
    p = prepared(tmp_path, tuning="none")
    head = head_of(p, trained_of(p))
    expected = torch.nn.functional.normalize(text_classifier(p.cell, NAMES, p.resources), dim=-1)
    torch.testing.assert_close(head.weight(), expected)


def test_measures_are_computed_by_name(tmp_path: Path) -> None:
    class Share:
        def compute(self, predictions: Any, labels_N: Any, groups_N: Any) -> Any:
            return np.float64((predictions.prediction == labels_N).mean() + groups_N.max())

    by: Any = {"mine": Share()}
    predictions = predict(torch.eye(3), np.array([0, 1, 1]))
    values = measured(predictions, np.array([0, 1, 1]), np.array([0, 1, 5]), by)
    assert values == {"mine": pytest.approx(5 + 2 / 3)}
    assert type(values["mine"]) is float
