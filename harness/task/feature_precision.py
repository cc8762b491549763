"""The precision in which a frozen encoder computes features, and cells that have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.cells import Cell, Choice, tunes_backbone
from harness.core.registry import split_reference

DEFAULT = "float32"
#: Data sets of features that nothing computes.
PRECOMPUTED = "features"


def settled_precision(s: Mapping[str, Any]) -> dict[str, Any]:
    """The field of a cell: its default where it has no meaning, so that such cells are one."""
    applies = _applies(tunes_backbone(s), s["dataset"], s["test_dataset"])
    return {"feature_precision": s["feature_precision"] if applies else DEFAULT}


def precision_of(cell: Cell) -> str | None:
    """None where it has no meaning."""
    applies = _applies(cell.tunes_backbone, cell.dataset, cell.test_dataset)
    return cell.feature_precision if applies else None


def _applies(is_tuned: bool, dataset: Choice, test_dataset: Choice | None) -> bool:
    """Not to a backbone that is tuned: features that its classifier is made of are float32."""
    sets = [choice for choice in (dataset, test_dataset) if choice is not None]
    given = all(split_reference(choice.name)[0] == PRECOMPUTED for choice in sets)
    return not is_tuned and not given
