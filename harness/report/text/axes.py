"""What a reader calls the axes of a study."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.model.labels import JOINT
from harness.report.model.table import Table

#: Those of which the method section lists the values.
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
#: The others, which may be rows or columns too.
_OTHER_TITLES = {
    "support": "Support sets", "support_views": "Views of support samples",
    "feature_precision": "Precision of features", "interpolate": "Interpolation of positions",
    "classes": "Classes", "train_classes": "Trained classes", "selection": "Selected on",
    "recipe.optimiser": "Optimiser", "recipe.lr": "Learning rate",
    "recipe.lr_new": "Learning rate of new tensors", "recipe.weight_decay": "Weight decay",
    "recipe.warmup_epochs": "Epochs of warm-up", "recipe.epochs": "Epochs",
    "recipe.batch": "Batch size", "recipe.decay": "Learning-rate schedule",
    "recipe.dropout": "Dropout", "recipe.precision": "Precision of training",
    "recipe.micro_batch": "Micro-batch size", "recipe.augment": "Augmentation",
    "recipe.logit_scale": "Logit scale", "recipe.train_logit_scale": "Training of the logit scale",
    "recipe.checkpointing": "Activation checkpointing",
    "recipe.evaluation": "Precision of evaluation", "recipe.channels_last": "Channels last",
    "recipe.compile": "Compilation", "recipe.deterministic": "Deterministic kernels",
    "recipe.solver": "Solver", "recipe.l2": "Strength of the penalty",
    "recipe.iterations": "Iterations", "recipe.proximal": "Strength of the proximal term",
    "recipe.proximal_relative": "Proximal term relative to the start",
    "recipe.proximal_per_shot": "Proximal term by shots",
    "recipe.proximal_weights": "Proximal term by class", "recipe.crop": "Crop in training",
    "recipe.repeats": "Repeated frames", "recipe.lr_every": "Iterations per learning rate",
    "recipe.batch_norm": "Batch norm", "recipe.epoch_length": "Length of an epoch",
}  # fmt: skip
#: A longer title says less than the word that stands for it.
_MOST = 60


def axis_title(axis: str) -> str:
    """An axis in words: `Learning rate` for recipe.lr; one without a title by its name."""
    name = axis.rpartition(".")[2].replace("_", " ")
    return AXIS_TITLES.get(axis) or _OTHER_TITLES.get(axis) or name[:1].upper() + name[1:]


def rows_title(table: Table) -> str:
    """What the rows of a table differ in: `Classifier`; `Row` where that has no short name."""
    return _title(table.row_axes, "Row")


def columns_title(table: Table) -> str:
    """What the columns differ in: `Dataset · shots`; `Column` where that has no short name."""
    return _title(table.column_axes, "Column")


def _title(axes: Sequence[str], otherwise: str) -> str:
    names = [axis_title(axis) for axis in axes]
    text = JOINT.join([*names[:1], *(name[:1].lower() + name[1:] for name in names[1:])])
    return text if 0 < len(text) <= _MOST else otherwise
