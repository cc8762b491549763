"""How long cells take: guessed, then learned from the Records of earlier runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core.cells import Cell, Choice, Recipe
from harness.core.hardware import Hardware
from harness.core.records import Record
from harness.core.store import Store
from harness.plan.estimate import GUESSED_SECONDS, Estimate, guess, learned
from harness.plan.resolve import ResolvedCell
from harness.plan.speeds import Speeds
from harness.plan.trainings import backbone_seconds
from plan.conftest import AddDataset


def cell(shots: int = 1, encoder: str = "e", seed: int = 0) -> Cell:
    recipe = Recipe(epochs=60)
    return Cell(Choice("emoji"), "few_shot", Choice(encoder), shots=shots, recipe=recipe, seed=seed)


def remember(store: Store, cell: Cell, seconds: float, status: str = "done") -> None:
    key = f"{abs(hash((cell, status))):016x}"[:16]
    store.write(Record(key, cell.plain(), status, cost={"wall_s": seconds}))


def test_costs_are_learned_from_records(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert learned(store)(cell()) == guess(cell())
    for seed, seconds in enumerate((10.0, 14.0)):
        remember(store, cell(seed=seed), seconds)
    remember(store, cell(seed=7), 1e6, status="failed")
    cost = learned(store)
    assert cost(cell(seed=9)) == pytest.approx(12.0), "the mean of similar cells"
    assert cost(cell(4)) == pytest.approx(12.0 - guess(cell()) + guess(cell(4)))
    assert cost(cell(encoder="other")) == guess(cell())
    remember(store, cell(4), 12.0 + 30.0)
    rate = 30.0 / (guess(cell(4)) - guess(cell()))
    slope = learned(store)(cell(16)) - learned(store)(cell(8))
    assert slope == pytest.approx(rate * (guess(cell(16)) - guess(cell(8))), rel=1e-6)


def test_a_guess_that_was_too_long(tmp_path: Path) -> None:
    store = Store(tmp_path)
    remember(store, cell(16), guess(cell(16)) / 10)
    assert learned(store)(cell(8)) == pytest.approx(guess(cell(8)) / 10)


def test_records_that_cannot_be_read_teach_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    remember(store, cell(), 12.0)
    (path,) = tmp_path.glob("cells/*/*.json")
    good: dict[str, Any] = json.loads(path.read_text())
    bad: list[Any] = [
        [], {}, good | {"cost": {}}, good | {"cell": {"dataset": 3}}, good | {"cell": None},
        good | {"cell": good["cell"] | {"tuning": "some"}}, good | {"cost": {"wall_s": "x"}},
    ]  # fmt: skip
    for n, content in enumerate(bad):
        (path.parent / f"{n}.json").write_text(json.dumps(content))
    (path.parent / "cut.json").write_text("{")
    assert learned(store)(cell(seed=9)) == 12.0


# --- all the work ---------------------------------------------------------------------------------


def planned(task: dict[str, Any], tmp_path: Path, **changes: Any) -> list[ResolvedCell]:
    return plan_of(task, tmp_path / "runs", **changes).cells


def test_the_sum_over_cells_is_all_the_work(
    task: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, add_dataset: AddDataset
) -> None:
    """Features and texts are shared out among the cells that need them."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    cells = planned(
        task, tmp_path, dataset=[add_dataset("one"), add_dataset("two", manifest="two")],
        shots=[1, 2], paradigm=["vision_text", "vision_only"], tuning=["projection", "all"],
    )  # fmt: skip
    hardware = Hardware("cpu")
    estimate = Estimate(cells, learned(Store(tmp_path / "runs")), hardware)
    work = estimate.work
    assert min(work.features, work.texts, work.training, work.evaluation) > 0
    total = work.features + work.texts + work.training + work.evaluation
    assert sum(estimate(c.cell) for c in cells) == pytest.approx(total)
    backbone = backbone_seconds(cells, Speeds(), hardware)
    assert {cell.tuning for cell in backbone} == {"all"}
    guessed = sum(guess(c.cell) for c in cells if c.cell not in backbone)
    counted = sum(each.training + each.evaluation for each in backbone.values())
    assert guessed + counted == pytest.approx(work.training + work.evaluation)
    assert work.line().startswith(f"{work.features:.0f} s features of {work.images:,} images, ")


def test_training_and_evaluation_are_learned_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    curve = ({"epoch": 1, "seconds": 5.0}, {"epoch": 2, "seconds": 4.0})
    store.write(Record("a" * 16, cell().plain(), "done", cost={"wall_s": 12.0}, curve=curve))
    found = learned(store)
    assert found(cell(seed=3)) == 12.0
    assert found.evaluating(cell(seed=3)) == pytest.approx(3.0)
    assert learned(Store(tmp_path / "none")).evaluating(cell()) == GUESSED_SECONDS["none"]


def test_an_epoch_of_full_length_is_guessed_as_long_as_it_is(tmp_path: Path) -> None:
    """5 samples a class, of which one is a shot: an epoch reads it five times."""
    task = {
        "name": "t", "dataset": "emoji", "regime": "few_shot", "shots": 1, "seeds": 1,
        "classes": {"pick": 5, "from": "development"}, "encoder": "embedded/lit-emoji",
        "classifier": "text", "recipe": {"epochs": 60},
    }  # fmt: skip
    nothing = learned(Store(tmp_path / "none"))
    seconds = []
    for length in (None, "full"):
        plan = plan_of(task | {"recipe": {"epochs": 60, "epoch_length": length}}, tmp_path)
        work = Estimate(plan.cells, nothing, Hardware("cpu")).work
        seconds.append(work.training + work.evaluation)
    assert seconds[1] == pytest.approx(5 * seconds[0])
    full = plan.cells[0].cell
    remember(store := Store(tmp_path / "runs"), full, 7.0)
    assert learned(store)(full, 5) == 7.0, "what was measured is not multiplied"
