"""Packs, what they may take, and cells as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.cells import Cell, Choice, Recipe, cell_from
from harness.core.records import Record
from harness.core.store import Store
from harness.plan.batches import packs
from harness.plan.estimate import guess, learned
from harness.plan.plan import Planned
from harness.task import library
from harness.task.grid import expand
from harness.task.read import read_task


def cell(shots: int = 1, encoder: str = "e", epochs: int = 60, seed: int = 0) -> Cell:
    recipe = Recipe(epochs=epochs)
    return Cell(Choice("emoji"), "few_shot", Choice(encoder), shots=shots, recipe=recipe, seed=seed)


def planned(cell: Cell, train_key: str = "") -> Planned:
    return Planned(cell, f"k{hash(cell)}", train_key or f"t{hash(cell)}")


def remember(store: Store, cell: Cell, seconds: float, status: str = "done") -> None:
    key = f"{abs(hash((cell, status))):016x}"[:16]
    store.write(Record(key, cell.plain(), status, cost={"wall_s": seconds}))


@pytest.mark.parametrize("name", sorted(library.tasks()))
def test_every_cell_comes_back_from_json(name: str) -> None:
    for cell in expand(read_task(library.tasks()[name])):
        assert cell_from(json.loads(json.dumps(cell.plain()))) == cell


def test_options_and_searches_come_back_from_json() -> None:
    made = Cell(
        Choice("hf:x", (("columns", ("a", "b")), ("config", None))), "full", Choice("e"),
        classifier=Choice("lda", (("shrinkage", 0.1),)), recipe=Recipe(lr=1e-7),
        search=(("recipe.lr", (1e-3, 1e-4)),), seed=3,
    )  # fmt: skip
    assert cell_from(json.loads(json.dumps(made.plain()))) == made
    with pytest.raises(TypeError):
        cell_from({"datasets": "emoji"})


def test_packs_are_balanced() -> None:
    """Ten long cells and ten short ones: each pack gets its share of both."""
    cells = [planned(cell(16 if n % 2 else 1, seed=n)) for n in range(20)]
    made = packs(cells, 4, seconds=1e9)
    assert len(made) == 4
    assert made[0].seconds < 1.3 * made[-1].seconds
    assert sum(p.seconds for p in made) == pytest.approx(sum(guess(p.cell) for p in cells))


def test_a_pack_shares_its_features_and_a_training_stays_whole() -> None:
    cells = [planned(cell(encoder=e, seed=n), f"{e}{n // 2}") for e in "ab" for n in range(8)]
    made = packs(cells, 3, seconds=1e9)
    for pack in made:
        assert len({p.cell.encoder for p in pack.cells}) == 1
    for name in {p.train_key for p in cells}:
        assert sum(any(p.train_key == name for p in pack.cells) for pack in made) == 1


def test_costs_are_learned_from_records(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert learned(store)(cell()) == guess(cell())
    for seed, seconds in enumerate((10.0, 14.0)):
        remember(store, cell(seed=seed), seconds)
    remember(store, cell(seed=7), 1e6, status="failed")
    cost = learned(store)
    assert cost(cell(seed=9)) == pytest.approx(12.0), "the mean of cells that are alike"
    assert cost(cell(4)) == pytest.approx(12.0 - guess(cell()) + guess(cell(4)))
    assert cost(cell(encoder="other")) == guess(cell())
    remember(store, cell(4), 12.0 + 30.0)
    rate = 30.0 / (guess(cell(4)) - guess(cell()))
    slope = learned(store)(cell(16)) - learned(store)(cell(8))
    assert slope == pytest.approx(rate * (guess(cell(16)) - guess(cell(8))), rel=1e-6)


def test_a_guess_that_was_too_much(tmp_path: Path) -> None:
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
