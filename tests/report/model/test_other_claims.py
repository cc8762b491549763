"""The claims of a report that are about something else than accuracy."""

from __future__ import annotations

from typing import Any

from harness.core.cells import Cell
from harness.report.model.other_claims import other_claims
from harness.report.model.table import build_table

from ..studies import few_shot

LOSS = {"text": "x", "a": "vision_only", "b": "text", "direction": ">", "measure": "loss"}
ACCURACY = {"text": "y", "a": "text", "b": "random", "direction": ">"}


def curve(cell: Cell) -> list[float]:
    return [2.0 + 0.01 * (cell.seed or 0), 1.0] if cell.classifier is None else [1.5, 1.0]


def measures(*claims: dict[str, Any]) -> list[tuple[str, int]]:
    results = few_shot(task={"shots": 1, "claims": list(claims)}, curve=curve)
    return [(j.claim.measure, j.m) for j in other_claims(results, build_table(results))]


def test_they_are_corrected_among_themselves() -> None:
    assert measures(ACCURACY, LOSS) == [("loss", 1)]
    assert measures(LOSS, LOSS | {"b": "random"}, ACCURACY) == [("loss", 2), ("loss", 2)]
    assert measures(ACCURACY) == []
    assert measures() == []
