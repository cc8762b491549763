"""What a reader calls the axes of a study."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.labels import JOINT
from harness.report.model.table import Table

AXIS_TITLES = {
    "dataset": "Dataset", "regime": "Regime", "shots": "Shots", "fraction": "Fraction",
    "class_seed": "Seed of the class draw", "test_dataset": "Test dataset",
    "test_classes": "Tested classes", "encoder": "Encoder",
    "text_encoder": "Text encoder", "alignment": "Alignment", "prompt": "Prompt",
    "temporal": "Temporal module", "frames": "Frames", "resolution": "Resolution",
    "views": "Views (clips x crops)", "clip_starts": "Starts of clips",
    "crops": "Crops in evaluation", "classifier": "Classifier",
    "schedule": "Schedule of the classifier", "paradigm": "Paradigm",
    "gather": "Gather over processes", "text_tower": "Text tower", "loss": "Loss",
    "method": "Method", "tuning": "Tuned part", "recipe": "Named recipes",
    "init": "Initial weights",
}  # fmt: skip
#: A longer title says less than the word that stands for it.
_MOST = 60


def rows_title(table: Table) -> str:
    """What the rows of a table differ in: `Classifier`; `Row` where that has no short name."""
    return _title(table.row_axes, "Row")


def columns_title(table: Table) -> str:
    """What the columns differ in: `Dataset · shots`; `Column` where that has no short name."""
    return _title(table.column_axes, "Column")


def _title(axes: Sequence[str], otherwise: str) -> str:
    names = [AXIS_TITLES.get(axis, axis) for axis in axes]
    text = JOINT.join([*names[:1], *(name[:1].lower() + name[1:] for name in names[1:])])
    return text if 0 < len(text) <= _MOST else otherwise
