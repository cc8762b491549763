"""Cells run in the order of sums that they declare: together with those that declare the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import TINY, run_study

from harness.core.cells import Recipe

DECLARED = [None, True, False]
RECIPE = {"preset": "lit_emoji", "epochs": 1, "deterministic": DECLARED}
TASK = TINY | {"seeds": 1, "classifier": "text", "recipe": RECIPE}


def test_a_key_that_is_not_given_is_no_part_of_a_cell() -> None:
    assert Recipe().plain() == {}
    assert Recipe(deterministic=False).plain() == {"deterministic": False}


@pytest.mark.parametrize("jobs", [1, 2])
def test_strict_cells_of_the_cpu_have_the_same_numbers(tmp_path: Path, jobs: int) -> None:
    ran = run_study(TASK | {"seeds": 2}, tmp_path, jobs=jobs)
    assert {r.status for r in ran.records} == {"done"}
    for seed in (0, 1):
        own = [r for r in ran.records if r.cell["seed"] == seed]
        assert len(own) == 3
        first = own[0]
        for other in own[1:]:
            assert [p["loss"] for p in other.curve] == [p["loss"] for p in first.curve]
            for name, array in ran.store.arrays(first).items():
                np.testing.assert_array_equal(ran.store.arrays(other)[name], array)
    assert not torch.are_deterministic_algorithms_enabled()


def test_on_the_cpu_a_strict_cell_alone_fails(
    tmp_path: Path, unordered: list[tuple[bool, ...]]
) -> None:
    plain, strict, fast = run_study(TASK, tmp_path, jobs=2, failing=True).records
    assert [r.status for r in (plain, strict, fast)] == ["done", "failed", "done"]
    assert strict.error is not None
    assert strict.error["type"] == "CellError"
    assert strict.error["message"].startswith("recipe.deterministic: true: put_ has no kernel")
    assert not any("put_" in text for r in (plain, fast) for text in r.warnings)
    assert {on for on, _ in unordered} == {False, True}
