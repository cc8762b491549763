"""Other classes are tested than those trained on: which rows of W name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import run_study

from harness.core.protocols.solver import Watch
from harness.run.attempts import Training
from harness.run.evaluate import Trained, on_test
from harness.run.initialise import text_classifier
from harness.run.methods import fit_method
from harness.run.recording import Outcome, make_record
from harness.run.train import train_cells

from .outside import NAMES, task
from .prepared import Prepared, prepared

#: Tested class of SHIFTED -> the number of the colour.
COLOUR_OF = (2, 3, 0)
HALF: dict[str, Any] = {"train_classes": {"from": "front"}, "test_classes": ["base", "new"]}


def trained_of(p: Prepared) -> Trained:
    (outcome,) = train_cells([Training(p.cells[0], Watch())], p.context)
    assert isinstance(outcome, Trained), outcome
    return outcome


def logits_of(p: Prepared, trained: Trained) -> torch.Tensor:
    """(N, C) of the test set, by the trained head for the classes trained on."""
    assert trained.embedding is not None
    assert trained.head is not None
    h_NF = p.resources.test_features(p.cells[0]).of(p.cells[0].test.items)
    with torch.no_grad():
        return trained.head.logits(trained.embedding(h_NF))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"classifier": "random"},
        {"classifier": "prototype", "tuning": "head"},
        {"paradigm": "vision_only"},
        {"paradigm": "vision_only", "tuning": "head", "classifier": "text"},
        {"schedule": "trained"},
    ],
    ids=str,
)
def test_a_subset_is_tested_with_the_trained_rows(tmp_path: Path, changes: dict[str, Any]) -> None:
    """The same model on all six colours, of whose logits those of three are kept by hand."""
    whole = prepared(tmp_path, **changes)
    trained = trained_of(whole)
    logits_NC = logits_of(whole, trained)
    rows = {item: logits_NC[i] for i, item in enumerate(whole.cell.test.items)}

    few = prepared(tmp_path, test_dataset="run.outside:SHIFTED", **changes)
    assert few.cell.setup.rows == COLOUR_OF
    assert few.cell.train_key == whole.cell.train_key
    predictions = on_test(few.cell, trained_of(few), few.resources)
    kept_NC = torch.stack([rows[item][list(COLOUR_OF)] for item in few.cell.test.items])
    assert predictions.prediction.tolist() == kept_NC.argmax(dim=1).tolist()
    label_N = torch.tensor(few.cell.test.labels)
    probability_N = kept_NC.softmax(dim=1)[torch.arange(len(label_N)), label_N]
    assert np.allclose(predictions.probability, probability_N, atol=1e-6)
    assert {NAMES[COLOUR_OF[label]] for label in label_N} == {"blue", "cyan", "red"}


def test_an_untrained_classifier_of_samples_keeps_its_rows(tmp_path: Path) -> None:
    changes = {"classifier": "prototype", "tuning": "none"}
    ran = run_study(task(**changes, seeds=1, test_dataset=[None, "run.outside:SHIFTED"]), tmp_path)
    whole, few = (ran.store.arrays(record) for record in ran.records)
    assert few["w_final"].tolist() == whole["w_final"][list(COLOUR_OF)].tolist()


def test_the_record_has_the_rows_of_the_tested_classes(tmp_path: Path) -> None:
    few = prepared(tmp_path, test_dataset="run.outside:SHIFTED", schedule="trained")
    trained = trained_of(few)
    record, arrays, _ = make_record(few.cell, Outcome(trained, None, 0.0, 1), few.context)
    assert record.status == "done", record.error
    assert arrays is not None
    assert trained.head is not None
    assert trained.w_init_CD is not None
    for name, w_CD in (("w_init", trained.w_init_CD), ("w_final", trained.head.weight())):
        assert arrays[name].tolist() == w_CD[list(COLOUR_OF)].numpy().astype("float16").tolist()
    assert record.n == len(few.cell.test.items)


def test_new_classes_have_the_rows_of_their_texts(tmp_path: Path) -> None:
    """Trained on three colours; the other three by cosines with their own texts."""
    p = prepared(tmp_path, **HALF)
    base, new = p.cells
    assert base.train_key == new.train_key
    assert base.key != new.key
    trained = trained_of(p)
    assert trained.embedding is not None
    assert trained.head is not None
    w_CD = text_classifier(new, NAMES[3:], p.resources)
    h_NF = p.resources.test_features(new).of(new.test.items)
    with torch.no_grad():
        z_ND = trained.embedding(h_NF)
    cosine_NC = torch.cosine_similarity(z_ND[:, None], w_CD[None], dim=2)
    predictions = on_test(new, trained, p.resources)
    assert predictions.prediction.tolist() == cosine_NC.argmax(dim=1).tolist()
    assert base.test.class_names + new.test.class_names == NAMES


def test_base_and_new_train_once(tmp_path: Path) -> None:
    done = run_study(task(classifier="text", seeds=2, **HALF), tmp_path).records
    assert [r.cell["test_classes"] for r in done] == ["base", "base", "new", "new"]
    assert sum(r.cost["trainings"] for r in done) == 2
    assert len({r.support for r in done}) == 2  # one a seed
    assert len({r.test for r in done}) == 2


def test_a_method_names_a_subset_of_its_classes(tmp_path: Path) -> None:
    few = prepared(
        tmp_path, method="run.outside:RIDGE", test_dataset="run.outside:SHIFTED", classifier=None
    )
    fitted = fit_method(few.cell, few.resources)
    assert fitted.state.shape[0] == len(NAMES)
    z_ND = few.resources.encoder(few.cell).projection(
        few.resources.test_features(few.cell).of(few.cell.test.items)
    )
    expected_NC = (z_ND @ fitted.state.T)[:, list(COLOUR_OF)]
    predictions = on_test(few.cell, trained_of(few), few.resources)
    assert predictions.prediction.tolist() == expected_NC.argmax(dim=1).tolist()
