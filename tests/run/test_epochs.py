"""How long an epoch is in few-shot."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import plan_of

from harness.run.epochs import epoch_repeats

TASK: dict[str, Any] = {
    "name": "epochs", "dataset": "emoji", "classes": {"pick": 6, "seed": 0, "from": "development"},
    "encoder": "embedded/lit-emoji", "seeds": 1,
}  # fmt: skip


@pytest.mark.parametrize("shots", [1, 2, 3, 5])
def test_a_few_shot_epoch_may_be_as_long_as_a_full_one(tmp_path: Any, shots: int) -> None:
    """floor(N / (K C)): of the 6 classes of 5 samples each, N is 30."""
    full = plan_of(
        TASK, tmp_path, regime="few_shot", shots=shots, recipe={"epoch_length": "full"}
    ).cells[0]
    assert full.cell.recipe is not None
    assert epoch_repeats(full, full.cell.recipe) == 30 // (6 * shots)
    own = plan_of(TASK, tmp_path, regime="few_shot", shots=shots).cells[0]
    assert own.cell.recipe is not None
    assert epoch_repeats(own, own.cell.recipe) == 1
    assert own.key != full.key


def test_other_regimes_have_one_length(tmp_path: Any) -> None:
    (resolved,) = plan_of(TASK, tmp_path, regime="full", recipe={"epoch_length": "full"}).cells
    assert resolved.cell.recipe is not None
    assert resolved.cell.recipe.epoch_length is None
    assert epoch_repeats(resolved, resolved.cell.recipe) == 1
