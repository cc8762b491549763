"""The precision of features is an axis where a frozen encoder computes some."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cell_json import cell_from
from harness.task.grid import expand, value_of
from harness.task.read import validate

TASK = {
    "name": "t", "dataset": "emoji", "regime": "few_shot", "shots": 1, "seeds": 1,
    "encoder": "embedded/lit-emoji", "feature_precision": ["float32", "bfloat16"],
}  # fmt: skip


def cells(**changes: Any) -> list[Any]:
    return expand(validate(TASK | changes, "t.yaml"))


@pytest.mark.parametrize("tuning", ["none", "head", "projection"])
def test_it_is_an_axis_of_a_frozen_encoder(tuning: str) -> None:
    full, lower = cells(tuning=tuning)
    assert "feature_precision" not in full.plain()
    assert lower.plain()["feature_precision"] == "bfloat16"
    assert cell_from(lower.plain()) == lower
    assert value_of(lower, "feature_precision") == "bfloat16"


@pytest.mark.parametrize(
    "changes", [{"tuning": "all"}, {"dataset": "features:x.npz", "encoder": "given:x.npz"}]
)
def test_where_it_has_no_meaning_cells_are_one(changes: dict[str, Any]) -> None:
    (cell,) = cells(**changes)
    assert "feature_precision" not in cell.plain()
    assert value_of(cell, "feature_precision") is None
