"""Methods: what they are fitted to, their Records, searches over their options, and when a cell of
one is infeasible. The methods come from outside the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Ran, plan_of, run_study

from harness.core.errors import CellError, TaskError
from harness.run.methods import FittedMethod, fit_method, method_validation
from harness.run.resources import Resources
from harness.training.predictions import predict

from .outside import KEPT, NAMES, RIDGE, ROWS, VIEWS, D, ImageTower, RidgeOptions, task
from .prepared import prepare

RIDGE_NAME, KEPT_NAME = "run.outside:RIDGE", "run.outside:KEPT"
ROWS_NAME, VIEWS_NAME = "run.outside:ROWS", "run.outside:VIEWS"
FITTED = task(method=RIDGE_NAME)
C = len(NAMES)


@pytest.fixture(autouse=True)
def inputs() -> Iterator[list[Any]]:
    """What KEPT was fitted to. ROWS and VIEWS begin anew as well."""
    for method in (KEPT, ROWS, VIEWS):
        method.inputs.clear()
    yield KEPT.inputs
    for method in (KEPT, ROWS, VIEWS):
        method.inputs.clear()


def embedded(ran: Ran, items: Any) -> torch.Tensor:
    """z_ND by the tower itself, picture by picture."""
    tower, data = ImageTower(), ran.plan.cells[0].setup.dataset
    with torch.no_grad():
        h_NF = tower.features(torch.stack([tower.preprocess(data.image(i), 16) for i in items]))
        weight_DF, _ = tower.projection()
        z_ND: torch.Tensor = h_NF @ weight_DF.T
    return z_ND


# --- Records -------------------------------------------------------------------------------------


def test_the_record_of_a_method(tmp_path: Path) -> None:
    """A method takes the place of paradigm, classifier, tuning and recipe."""
    ran = run_study(FITTED, tmp_path)
    assert [r.cell for r in ran.records] == [
        {
            "dataset": "run.outside:COLOURS", "regime": "few_shot", "encoder": "run.outside:TOWERS",
            "shots": 2, "paradigm": None, "method": RIDGE_NAME, "tuning": "none", "seed": seed,
        }
        for seed in (0, 1)
    ]  # fmt: skip
    for record in ran.records:
        assert record.diagnostics == {
            "classes": C, "support_size": 2 * C, "steps": 0, "twins": 0
        }  # fmt: skip
        assert record.cost["params"] == C * D
        assert record.cost["trainings"] == 1
        assert record.curve == []
        assert record.support is not None
        assert record.n == 3 * C
        arrays = ran.store.arrays(record)
        assert (arrays["w_init"] == arrays["w_final"]).all()
    assert ran.records[0].science_hash != ran.records[1].science_hash


def test_numbers_are_those_of_the_method_by_hand(tmp_path: Path) -> None:
    ran = run_study(FITTED, tmp_path, seeds=1, method={"name": RIDGE_NAME, "strength": 0.3})
    (record,), (resolved,) = ran.records, ran.plan.cells
    assert resolved.support is not None
    z_ND, y_N = embedded(ran, resolved.support.items), torch.tensor(resolved.support.labels)
    onehot_NC = torch.eye(C)[y_N]
    w_CD = torch.linalg.solve(z_ND.T @ z_ND + 0.3 * torch.eye(D), z_ND.T @ onehot_NC).T
    logits_NC = embedded(ran, resolved.test.items) @ w_CD.T
    expected = predict(logits_NC, resolved.test.labels)
    arrays = ran.store.arrays(record)
    assert arrays["prediction"].tolist() == expected.prediction.tolist()
    assert arrays["probability"] == pytest.approx(expected.probability, rel=1e-4)
    assert arrays["w_final"] == pytest.approx(w_CD.numpy(), abs=1e-2)
    assert record.top1 == (expected.rank == 0).mean() > 0.5


@pytest.mark.parametrize("regime", ["few_shot", "full"])
def test_methods_run_on_a_support_set_and_on_all(tmp_path: Path, regime: str) -> None:
    shots = 2 if regime == "few_shot" else None
    ran = run_study(FITTED, tmp_path, regime=regime, shots=shots)
    assert [r.cell.get("seed") for r in ran.records] == ([0, 1] if shots else [None])
    sizes = {r.diagnostics["support_size"] for r in ran.records}
    assert sizes == {2 * C if shots else 6 * C}


def test_a_method_without_a_plain_classifier_has_no_weights(tmp_path: Path) -> None:
    ran = run_study(task(method=KEPT_NAME, val=2, seeds=1), tmp_path)
    (record,) = ran.records
    assert set(ran.store.arrays(record)) == {"prediction", "rank", "probability", "confidence"}
    assert record.cost["params"] == 0


def test_methods_and_classifiers_share_a_table(tmp_path: Path) -> None:
    ran = run_study(task(method=[None, RIDGE_NAME], classifier="text"), tmp_path)
    kinds = {(r.cell.get("method"), r.cell.get("classifier")) for r in ran.records}
    assert kinds == {(None, "text"), (RIDGE_NAME, None)}
    sets = {seed: {r.support for r in ran.records if r.cell["seed"] == seed} for seed in (0, 1)}
    assert all(len(names) == 1 for names in sets.values()), "fitted to the same support sets"


def test_a_method_begins_from_saved_weights(tmp_path: Path) -> None:
    trained = run_study(task(classifier="text", seeds=1, save="last"), tmp_path)
    init = f"small#{trained.records[0].train_key}"
    (plain,) = run_study(FITTED, tmp_path, seeds=1).records
    (begun,) = run_study(FITTED, tmp_path, seeds=1, init=init).records
    assert begun.cell == {**plain.cell, "init": init}
    assert begun.nll != plain.nll


# --- materials -----------------------------------------------------------------------------------


def test_a_method_gets_what_it_uses(tmp_path: Path, inputs: list[Any]) -> None:
    ran = run_study(task(method=KEPT_NAME, val=2), tmp_path)
    assert len(inputs) == 2
    for resolved, got in zip(ran.plan.cells, inputs, strict=True):
        support, validation = resolved.support, resolved.validation
        assert support is not None
        assert validation is not None
        z_ND, y_N = got.support()
        assert y_N.tolist() == list(support.labels)
        torch.testing.assert_close(z_ND, embedded(ran, support.items))
        z_MD, y_M = got.validation()
        assert y_M.tolist() == list(validation.labels)
        torch.testing.assert_close(z_MD, embedded(ran, validation.items))
        assert len(z_MD) == 2 * C
        assert got.text().shape == (C, D)
        assert (got.n_classes, got.dim, got.logit_scale) == (C, D, 10.0)
    seeds = {got.generator.initial_seed() for got in inputs}
    assert len(seeds) == 2


def test_what_a_method_does_not_use_it_does_not_get(tmp_path: Path) -> None:
    (record, _) = run_study(task(method="run.outside:GREEDY"), tmp_path, failing=True).records
    assert record.status == "failed"
    assert record.error is not None
    assert record.error["type"] == "LookupError"
    assert "USES of this method does not name 'text'" in record.error["message"]


def test_the_classifier_is_an_axis_of_a_method_that_uses_it(tmp_path: Path) -> None:
    """Rows of length 1 unless it says otherwise; its logit scale; a seed where it draws."""
    long = {"name": "text", "normalise": False, "scale": 3.0}
    study = task(method=ROWS_NAME, classifier=["text", long, "random", "prototype"])
    ran = run_study(study, tmp_path)
    seeds = {str(c.cell.classifier): c.cell.seed for c in ran.plan.cells}
    assert [str(c.cell.classifier) for c in ran.plan.cells].count("random") == 2
    assert list(seeds.values()) == [None, None, 1, 1]
    text, raw, random, prototype = ROWS.inputs[0], ROWS.inputs[1], ROWS.inputs[2], ROWS.inputs[-1]
    lengths_C = text.classifier().norm(dim=1)
    torch.testing.assert_close(lengths_C, torch.ones(C))
    torch.testing.assert_close(
        torch.nn.functional.normalize(raw.classifier(), dim=1), text.classifier()
    )
    assert (raw.classifier().norm(dim=1) - 1).abs().max() > 1e-3
    assert (text.logit_scale, raw.logit_scale, random.logit_scale) == (10.0, 3.0, 10.0)
    means_CD = mean_rows(ran, ran.plan.cells[-1])
    torch.testing.assert_close(prototype.classifier(), means_CD, atol=1e-5, rtol=1e-5)
    assert ran.plan.cells[2].cell.prompt is None


def test_without_a_classifier_a_method_gets_the_texts(tmp_path: Path) -> None:
    ran = run_study(task(method=ROWS_NAME, classifier=None), tmp_path)
    (got,), (resolved,) = ROWS.inputs, ran.plan.cells
    assert str(resolved.cell.classifier) == "text"
    with pytest.raises(LookupError, match="does not name 'support'"):
        got.support()


def mean_rows(ran: Ran, resolved: Any) -> torch.Tensor:
    z_ND = torch.nn.functional.normalize(embedded(ran, resolved.support.items), dim=1)
    y_N = torch.tensor(resolved.support.labels)
    means_CD = torch.stack([z_ND[y_N == c].mean(dim=0) for c in range(C)])
    return torch.nn.functional.normalize(means_CD, dim=1)


@pytest.mark.parametrize("use", ["cycle", "mean", "pool"])
def test_views_of_pictures(tmp_path: Path, use: str) -> None:
    """All views of every picture, whatever the support set is made of."""
    views = {"n": 3, "scale": [0.5, 1.0], "flip": False, "use": use}
    ran = run_study(task(method=VIEWS_NAME, support_views=views, seeds=1), tmp_path)
    (resolved,), (got,) = ran.plan.cells, VIEWS.inputs
    assert resolved.support is not None
    assert resolved.cell.support_views is not None
    assert resolved.cell.support_views.name == use
    z_NVD, y_N = got.views()
    assert z_NVD.shape == (2 * C, 3, D)
    assert y_N.tolist() == list(resolved.support.labels)
    assert not torch.equal(z_NVD[:, 0], z_NVD[:, 1])
    z_MD, y_M = got.support()
    if use == "pool":
        torch.testing.assert_close(z_MD, z_NVD.transpose(0, 1).flatten(0, 1))
        assert y_M.tolist() == y_N.tolist() * 3
    else:
        torch.testing.assert_close(z_MD, z_NVD.mean(dim=1))


def test_without_views_the_picture_is_the_view(tmp_path: Path) -> None:
    ran = run_study(task(method=VIEWS_NAME, seeds=1), tmp_path)
    (resolved,), (got,) = ran.plan.cells, VIEWS.inputs
    z_NVD, _ = got.views()
    assert resolved.support is not None
    torch.testing.assert_close(z_NVD[:, 0], embedded(ran, resolved.support.items))


def test_what_a_method_says_of_its_fit_is_in_the_record(tmp_path: Path) -> None:
    (record,) = run_study(task(method=VIEWS_NAME, seeds=1), tmp_path).records
    assert record.diagnostics["kept"] == 2 * C


def test_validation_samples_alone_need_no_search(tmp_path: Path, inputs: list[Any]) -> None:
    """A method may choose by itself; they are then left out of the support set of all rows."""
    plan = plan_of(task(method=[KEPT_NAME, RIDGE_NAME], val=2), tmp_path)
    assert [(str(c.cell.method), c.cell.val) for c in plan.cells] == [
        (KEPT_NAME, 2), (KEPT_NAME, 2), (RIDGE_NAME, None), (RIDGE_NAME, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("run.outside:FLAT", "logits of the shape (18,)"),
        ("run.outside:NAN", "not finite numbers"),
    ],
)
def test_logits_that_are_none_fail_the_cell(tmp_path: Path, method: str, words: str) -> None:
    (record,) = run_study(task(method=method, seeds=1), tmp_path, failing=True).records
    assert record.error is not None
    assert record.error["type"] == "CellError"
    assert words in record.error["message"]


# --- search --------------------------------------------------------------------------------------

SEARCH = {
    "search": {"method.strength": [1e6, 0.1, 0.2]}, "val": 2, "selection": "val", "seeds": 1,
}  # fmt: skip


def test_options_are_searched_on_validation_samples(tmp_path: Path) -> None:
    ran = run_study(FITTED | SEARCH, tmp_path)
    (record,), (resolved,) = ran.records, ran.plan.cells
    trials = record.diagnostics["search"]
    assert [t["config"] for t in trials] == [{"method.strength": s} for s in (1e6, 0.1, 0.2)]
    best = max(trials, key=lambda t: (t["val_top1"], -t["val_nll"]))
    assert record.diagnostics["chosen"] == best["config"]
    assert record.cost["params"] == C * D

    # The trial by hand, and the test accuracy of what was chosen.
    resources = Resources()
    prepare(resources, [resolved])
    for trial in trials:
        fitted = fit_method(resolved, resources, trial["config"])
        predictions, labels_M = method_validation(fitted, resolved, resources)
        assert trial["val_top1"] == (predictions.prediction == labels_M).mean()
    chosen = run_study(
        FITTED, tmp_path, seeds=1, val=None,
        method={"name": RIDGE_NAME, "strength": best["config"]["method.strength"]},
    ).records[0]  # fmt: skip
    assert record.diagnostics["support_size"] == chosen.diagnostics["support_size"]
    assert record.support == chosen.support, "validation samples are the last of a permutation"
    assert record.top1 == chosen.top1
    assert record.nll == pytest.approx(chosen.nll)


def test_options_that_do_not_go_together_lose_the_search(tmp_path: Path) -> None:
    search = SEARCH | {"search": {"method.strength": [0.1, 1.0], "method.lr": [0.5]}}
    (record,) = run_study(FITTED | search, tmp_path).records
    refused, kept = record.diagnostics["search"]
    assert "lr must not be above strength" in refused["error"]
    assert "error" not in kept
    assert record.diagnostics["chosen"] == {"method.strength": 1.0, "method.lr": 0.5}


def test_a_search_whose_options_are_all_refused_fails_the_cell(tmp_path: Path) -> None:
    search = SEARCH | {"search": {"method.strength": [0.1, 0.2], "method.lr": [0.5]}}
    (record,) = run_study(FITTED | search, tmp_path, failing=True).records
    assert record.error is not None
    assert "every configuration of the search failed" in record.error["message"]
    assert "lr must not be above strength" in record.error["message"]


def test_each_row_searches_what_it_has(tmp_path: Path) -> None:
    """Recipe keys belong to what trains, options to methods, also where their names are equal."""
    both = {"recipe.lr": [1e-3, 1e-2], "method.strength": [0.1, 1.0]}
    ran = run_study(
        FITTED | SEARCH | {"search": both}, tmp_path, method=[None, RIDGE_NAME], classifier="text",
        recipe={"epochs": 2, "warmup_epochs": 0, "batch": 8},
    )  # fmt: skip
    trained, fitted = ran.records
    assert [t["config"] for t in trained.diagnostics["search"]] == [{"lr": 1e-3}, {"lr": 1e-2}]
    assert [t["config"] for t in fitted.diagnostics["search"]] == [
        {"method.strength": 0.1}, {"method.strength": 1.0}
    ]  # fmt: skip


# --- infeasible ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shots": 1}, "one shot is too few"),
        (
            {"regime": "zero_shot", "shots": None, "classifier": "text"},
            "there are no training samples in zero-shot",
        ),
        (
            {"regime": "zero_shot", "shots": None, "classes": {"pick": 2}, "train_classes": {}},
            "training samples of the test classes",
        ),
        ({"method": KEPT_NAME, "val": 5}, "5"),
        ({"method": KEPT_NAME, "val": 2, "encoder": "run.outside:BLIND"}, "no text tower"),
    ],
)
def test_infeasible_cells_have_their_reason(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    feasible = {"method": [None, changes.get("method", RIDGE_NAME)]}
    if "encoder" in changes:
        feasible |= {"paradigm": "vision_only"}
    plan = plan_of(FITTED | {"classifier": "text"} | changes | feasible, tmp_path)
    assert plan.cells, "other rows can run"
    reasons = [r for cell, r in plan.infeasible if cell.method is not None]
    assert reasons
    assert all(words in reason for reason in reasons), reasons


def test_a_method_that_needs_validation_samples_says_so(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"val: is missing: run.outside:KEPT .*validation samples"):
        plan_of(task(method=KEPT_NAME), tmp_path)


def test_a_method_asks_for_nothing_unknown(tmp_path: Path, elsewhere: Any) -> None:
    name = elsewhere("odd", USES=("texts",), fit=RIDGE.fit, logits=RIDGE.logits)
    with pytest.raises(TaskError, match=r"method: .*USES names 'texts'.*Did you mean 'text'"):
        plan_of(task(method=name), tmp_path)


# --- a fitted method by itself -------------------------------------------------------------------


def test_a_fitted_method_refuses_logits_of_another_length() -> None:
    fitted = FittedMethod(RIDGE, torch.eye(3))  # type: ignore[arg-type]
    assert fitted.parameters == 9
    assert fitted.weight() is not None
    labels_N = np.array([0, 1])
    assert fitted.predict(torch.eye(3)[:2], labels_N).prediction.tolist() == [0, 1]

    class Short(type(RIDGE)):  # type: ignore[misc]
        def logits(self, z_ND: torch.Tensor, state: Any) -> torch.Tensor:
            return z_ND[:1]

    with pytest.raises(CellError, match="the shape"):
        FittedMethod(Short(), None).predict(torch.eye(3)[:2], labels_N)  # type: ignore[arg-type]
    assert RidgeOptions().strength == 1
