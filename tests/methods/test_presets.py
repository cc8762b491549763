"""The presets of axes in baselines/: each is a task that can be planned, within the budget."""

from __future__ import annotations

import math

import pytest

from harness.core import registry
from harness.core.protocols.method import BUDGET
from harness.task.grid import expand
from harness.task.method_presets import preset
from harness.task.read import validate

PRESETS = registry.presets("method")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_trains(name: str) -> None:
    data = {
        "name": "m", "dataset": "emoji", "regime": "few_shot", "shots": 2, "seeds": 1,
        "encoder": "embedded/lit-emoji", "method": name,
        "search": "declared", "val": 1, "selection": "val",
    }  # fmt: skip
    (cell,) = expand(validate(data, "m.yaml"), "m.yaml")
    assert cell.recipe is not None
    tried = math.prod(len(values) for _, values in cell.search or ())
    assert 1 <= tried <= BUDGET


@pytest.mark.parametrize("name", PRESETS)
def test_about_says_what_it_is_in_one_line_and_more(name: str) -> None:
    first, _, rest = preset(name).about.partition("\n")
    assert 20 < len(first) <= 100
    assert "arXiv" in rest
    assert name not in registry.names("method")
