"""Records: what they say of a done cell and of a failed one, and what each training costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import run_study

from harness.core.errors import CellError, DiskFull
from harness.core.protocols.solver import Solution, Watch
from harness.core.records import as_json
from harness.run import recording
from harness.run.attempts import Training
from harness.run.evaluate import Trained, Trial
from harness.run.recording import Outcome, make_record
from harness.run.train import train_cells

from .outside import D, task
from .prepared import Prepared, prepared


def outcome_of(p: Prepared, number: int = 0) -> Outcome:
    (trained,) = train_cells([Training(p.cells[number], Watch())], p.context)
    assert isinstance(trained, Trained), trained
    return Outcome(trained, None, 1.5, 1)


def test_a_done_record(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    outcome = outcome_of(p)
    record, arrays, measures = make_record(p.cell, outcome, p.context)
    assert (record.status, record.error) == ("done", None)
    assert (record.key, record.train_key) == (p.cell.key, p.cell.train_key)
    assert record.cell == p.cell.cell.plain()
    assert record.n == len(p.cell.test.items)
    assert record.test == p.cell.test.sha256[:16]
    assert record.support == outcome.trained.support  # type: ignore[union-attr]
    assert record.diagnostics == {"classes": 6, "support_size": 12, "steps": 6, "twins": 0}
    assert [point["epoch"] for point in record.curve] == [1, 2, 3]
    assert arrays is not None
    assert set(arrays) == {
        "prediction", "rank", "probability", "confidence", "w_init", "w_final",
    }  # fmt: skip
    assert arrays["w_init"].shape == (6, D)
    assert arrays["w_init"].dtype == np.float16
    labels_N = p.cell.test.labels
    assert record.top1 == measures["top1"] == (arrays["prediction"] == labels_N).mean()
    assert record.top5 == (arrays["rank"] < 5).mean()
    assert record.nll == pytest.approx(-np.log(arrays["probability"].astype(float)).mean())
    assert record.measures.keys() | {"top1", "top5", "mean_class", "nll", "ece"} == measures.keys()
    json.dumps(as_json(record), allow_nan=False)


def test_the_weights_of_other_classes_have_no_state_before_training(tmp_path: Path) -> None:
    p = prepared(
        tmp_path, regime="zero_shot", shots=None, classes={"pick": 2, "seed": 0}, train_classes={}
    )
    _, arrays, _ = make_record(p.cell, outcome_of(p), p.context)
    assert arrays is not None
    assert arrays["w_final"].shape == (2, D)
    assert (arrays["w_init"] == arrays["w_final"]).all()


def test_a_trained_classifier_has_moved(tmp_path: Path) -> None:
    p = prepared(tmp_path, schedule="trained")
    _, arrays, _ = make_record(p.cell, outcome_of(p), p.context)
    assert arrays is not None
    assert (arrays["w_init"] != arrays["w_final"]).any()


def test_leaked_items_are_counted(tmp_path: Path) -> None:
    from dataclasses import replace

    from harness.run.leakage import Leakage

    p = prepared(tmp_path)
    context = replace(p.context, leakage=Leakage({p.cell.key: 4}))
    record, _, _ = make_record(p.cell, outcome_of(p), context)
    assert record.diagnostics["twins"] == 4


@pytest.mark.parametrize("selection", ["val", "test"])
def test_a_search_is_recorded_with_what_it_was_chosen_on(tmp_path: Path, selection: str) -> None:
    from dataclasses import replace

    p = prepared(
        tmp_path, search={"recipe.lr": [1e-3, 1e-2]}, selection=selection,
        **({"val": 2} if selection == "val" else {"allow_test_selection": True}),
    )  # fmt: skip
    outcome = outcome_of(p)
    assert outcome.trained is not None
    trials = (Trial({"lr": 1}, 0.5, 2.0), Trial({"lr": 2}, error="no"), Trial({"lr": 3}, 0.5, 2.0))
    solution = Solution([], 5, {"gradient_norm": 0.1})
    trained = replace(outcome.trained, trials=trials, solution=solution, micro_batch=4)
    record, _, _ = make_record(p.cell, replace(outcome, trained=trained), p.context)
    top1, nll = f"{selection}_top1", f"{selection}_nll"
    assert record.diagnostics == {
        "classes": 6, "support_size": 12, "steps": 5, "twins": 0, "micro_batch": 4,
        "gradient_norm": 0.1, "chosen": {"lr": 1},
        "search": [
            {"config": {"lr": 1}, top1: 0.5, nll: 2.0},
            {"config": {"lr": 2}, top1: 0.0, nll: None, "error": "no"},
            {"config": {"lr": 3}, top1: 0.5, nll: 2.0},
        ],
    }  # fmt: skip


# --- cost ----------------------------------------------------------------------------------------


def test_a_training_is_paid_by_its_first_cell(tmp_path: Path) -> None:
    ran = run_study(task(classifier="text", seeds=1, views=["1x1", "1x3"]), tmp_path)
    first, second = ran.records
    assert (first.cost["trainings"], second.cost["trainings"]) == (1, 0)
    outcome = Outcome(None, None, 3.0, 1)
    assert (outcome.paid().seconds, outcome.paid().trainings) == (0.0, 0)


def test_seconds_are_those_of_training_and_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([10.0, 10.5])
    p = prepared(tmp_path)
    outcome = outcome_of(p)
    monkeypatch.setattr(recording.time, "perf_counter", lambda: next(clock))
    record, _, _ = make_record(p.cell, outcome, p.context)
    assert record.cost["wall_s"] == 1.5 + 0.5


# --- failures ------------------------------------------------------------------------------------


def test_a_failed_record_has_its_reason(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    try:
        raise CellError("the loss is not finite")
    except CellError as error:
        problem = error
    record, arrays, measures = make_record(p.cell, Outcome(None, problem, 1.0, 0), p.context)
    assert record.status == "failed"
    assert record.error is not None
    assert record.error["type"] == "CellError"
    assert record.error["message"] == "the loss is not finite"
    assert record.error["traceback"].startswith("Traceback")
    assert (arrays, measures) == (None, {})
    assert (record.top1, record.n, record.curve) == (None, None, ())
    assert record.cell == p.cell.cell.plain()
    assert record.cost["params"] is None
    assert record.environment["versions"]["python"]


def test_an_evaluation_that_fails_is_the_cells_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = prepared(tmp_path)
    outcome = outcome_of(p)
    assert outcome.trained is not None
    assert outcome.trained.embedding is not None
    with torch.no_grad():
        outcome.trained.embedding.projection.weight_DF.fill_(float("nan"))
    record, arrays, _ = make_record(p.cell, outcome, p.context)
    assert record.status == "failed"
    assert "not finite" in (record.error or {})["message"]
    assert arrays is None

    def full(*_: Any) -> None:
        raise DiskFull("full")

    monkeypatch.setattr(type(p.context.store), "write_test", full)
    with pytest.raises(DiskFull):
        make_record(p.cell, outcome_of(p), p.context)
