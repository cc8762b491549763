"""Trainings of cells: their searches, micro-batches under little memory, checkpoints and weights.

test_runner.py holds that cells have the same numbers together and alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import CellError, DataError, DiskFull
from harness.core.protocols.solver import Problem, Watch
from harness.run.attempts import Training
from harness.run.build import build_model
from harness.run.cell_errors import is_of_one_cell
from harness.run.checkpoints import forget_checkpoint
from harness.run.evaluate import Trained
from harness.run.train import train_cells
from harness.solvers import first_order
from harness.training.checkpoint import Checkpoint

from .prepared import Prepared, prepared

SEARCH = {"search": {"recipe.lr": [1e-3, 1e-2], "recipe.epochs": [1, 2]}, "val": 2,
          "selection": "val"}  # fmt: skip


def train_all(p: Prepared, **watch: Any) -> list[Trained | Exception]:
    return train_cells([Training(c, Watch(**watch)) for c in p.cells], p.context)


def train_one(p: Prepared, **watch: Any) -> Trained:
    (outcome,) = train_all(p, **watch)
    assert isinstance(outcome, Trained), outcome
    return outcome


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """What the solver first_order was given."""
    received: list[Problem] = []
    train = first_order.train
    monkeypatch.setattr(first_order, "train", lambda p: (received.append(p), train(p))[1])
    return received


def test_a_training_leaves_what_evaluation_needs(tmp_path: Path, problems: list[Problem]) -> None:
    p = prepared(tmp_path)
    trained = train_one(p)
    (problem,) = problems
    support = p.cell.support
    assert support is not None
    assert problem.labels_N.tolist() == list(support.labels)
    assert (problem.cell, problem.recipe, problem.seed) == (p.cell.cell, p.recipe, 0)
    assert problem.checkpoint is None, "cached features are trained again sooner than saved"
    assert trained.embedding is problem.model.embedding
    assert trained.head is problem.model.head
    assert trained.params == 8 * 12 + 1
    assert trained.solution.steps == 3 * 2
    assert trained.trials == ()
    assert trained.micro_batch is None
    assert (tmp_path / "support" / f"{trained.support}.json").is_file()


def test_without_training_it_is_the_encoder_as_it_is(
    tmp_path: Path, problems: list[Problem]
) -> None:
    trained = train_one(prepared(tmp_path, tuning="none"))
    assert problems == []
    assert trained.embedding is not None
    assert (trained.head, trained.params, trained.solution.steps) == (None, 0, 0)


# --- search --------------------------------------------------------------------------------------


def test_every_configuration_is_trained_and_the_best_kept(
    tmp_path: Path, problems: list[Problem]
) -> None:
    p = prepared(tmp_path, **SEARCH)
    points: list[Any] = []
    trained = train_one(p, epoch=points.append)
    recipes = [(problem.recipe.lr, problem.recipe.epochs) for problem in problems]
    assert recipes == [(1e-3, 1), (1e-3, 2), (1e-2, 1), (1e-2, 2)]
    assert [t.config for t in trained.trials] == [
        {"lr": lr, "epochs": epochs} for lr, epochs in recipes
    ]
    assert [point["training"] for point in points] == [0, 1, 1, 2, 3, 3]
    best = max(range(4), key=lambda n: (trained.trials[n].rank(), -n))
    assert trained.head is problems[best].model.head


def test_the_first_of_equals_is_kept(tmp_path: Path, problems: list[Problem]) -> None:
    p = prepared(tmp_path, **SEARCH | {"search": {"recipe.lr": [0, 1e-30]}})  # both move nothing
    trained = train_one(p)
    assert trained.trials[0].rank() == trained.trials[1].rank()
    assert trained.head is problems[0].model.head


def test_trials_of_a_backbone_have_checkpoints_of_their_own(
    tmp_path: Path, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CHECKPOINT_MINUTES", "0")
    p = prepared(tmp_path, tuning="all", **SEARCH | {"search": {"recipe.lr": [1e-3, 1e-2]}})
    train_one(p)
    folder = tmp_path / "checkpoints" / p.cell.train_key
    paths = [c.path for problem in problems if isinstance(c := problem.checkpoint, Checkpoint)]
    assert paths == [folder / "0.pt", folder / "1.pt"]
    assert {path.name.partition(".")[0] for path in folder.iterdir()} == {"0", "1"}
    forget_checkpoint(p.cell, p.context.store)
    assert not folder.exists()


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "of_one"),
    [(CellError("x"), True), (RuntimeError("x"), True), (DataError("x"), False),
     (DiskFull("x"), False), (MemoryError(), True)],
)  # fmt: skip
def test_whose_fault_an_error_is(error: Exception, of_one: bool) -> None:
    assert is_of_one_cell(error) is of_one


def test_an_error_of_one_cell_is_its_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(problem: Problem) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(first_order, "train", fail)
    (outcome,) = train_all(prepared(tmp_path))
    assert isinstance(outcome, RuntimeError)


@pytest.mark.parametrize("error", [DiskFull("full"), KeyboardInterrupt()])
def test_what_is_no_cells_own_fault_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(problem: Problem) -> None:
        raise error

    monkeypatch.setattr(first_order, "train", fail)
    with pytest.raises(type(error)):
        train_all(prepared(tmp_path))


def test_an_error_of_a_plugin_ends_a_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a CellError is a configuration that lost; a bug in one hides in no other."""

    def fail(problem: Problem) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(first_order, "train", fail)
    (outcome,) = train_all(prepared(tmp_path, **SEARCH))
    assert isinstance(outcome, RuntimeError)


# --- memory --------------------------------------------------------------------------------------


@pytest.fixture
def small_gpu(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """A GPU that holds two samples; the micro-batches that were tried."""
    tried: list[int | None] = []
    train = first_order.train

    def limited(problem: Problem) -> Any:
        tried.append(problem.recipe.micro_batch)
        if (problem.recipe.micro_batch or problem.recipe.batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train(problem)

    monkeypatch.setattr(first_order, "train", limited)
    return tried


def test_micro_batches_are_halved_until_they_fit(
    tmp_path: Path, small_gpu: list[int | None]
) -> None:
    trained = train_one(prepared(tmp_path))
    assert small_gpu == [None, 4, 2]
    assert trained.micro_batch == 2


def test_a_micro_batch_of_the_recipe_that_fits_is_not_noted(
    tmp_path: Path, small_gpu: list[int | None]
) -> None:
    recipe = {"epochs": 1, "batch": 8, "micro_batch": 2}
    assert train_one(prepared(tmp_path, recipe=recipe)).micro_batch is None
    assert small_gpu == [2]


def test_where_micro_batches_are_the_loss_they_stay(
    tmp_path: Path, small_gpu: list[int | None]
) -> None:
    """Without the gather each micro-batch is contrasted by itself."""
    recipe = {"epochs": 1, "batch": 8, "micro_batch": 4}
    p = prepared(tmp_path, paradigm="matching", gather=False, recipe=recipe)
    (outcome,) = train_all(p)
    assert isinstance(outcome, CellError)
    assert "too little memory" in str(outcome)
    assert small_gpu == [4]


def test_checkpoints_of_a_finished_training_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CHECKPOINT_MINUTES", "0")
    p = prepared(tmp_path, tuning="all")
    train_one(p)
    folder = tmp_path / "checkpoints" / p.cell.train_key
    assert {path.name for path in folder.iterdir()} == {"0.pt", "0.previous.pt"}
    forget_checkpoint(p.cell, p.context.store)
    assert not folder.exists()


# --- heads on frozen features --------------------------------------------------------------------


@pytest.mark.real_cpu("the features are multiplied by a matrix of this test, on the CPU")
def test_heads_trained_by_steps_have_the_gradient_at_their_start(tmp_path: Path) -> None:
    """That of a linear head from zeros, by hand: all probabilities are 1/C."""
    p = prepared(tmp_path, tuning={"head": {"bias": False}}, paradigm="vision_only",
                 classifier="zeros")  # fmt: skip
    support = p.cell.support
    assert support is not None
    built = build_model(p.cell, p.recipe, p.resources)
    z_ND = built.model.source.features(torch.arange(len(support.labels)))
    own_NC = torch.nn.functional.one_hot(torch.tensor(support.labels)).float()
    residual_NC = torch.full_like(own_NC, 1 / own_NC.shape[1]) - own_NC
    expected = float((residual_NC.T @ z_ND / len(z_ND)).norm())
    found = train_one(p).solution.diagnostics
    assert found["gradient_norm_start"] == pytest.approx(expected, rel=1e-5)
    assert found["gradient_norm"] < found["gradient_norm_start"]


@pytest.mark.parametrize(
    "changes", [{}, {"tuning": "head", "paradigm": "vision_only", "recipe": {"l2": 0.1}}]
)
def test_other_trainings_have_none(tmp_path: Path, changes: dict[str, Any]) -> None:
    trained = train_one(prepared(tmp_path, **changes))
    assert "gradient_norm_start" not in trained.solution.diagnostics
