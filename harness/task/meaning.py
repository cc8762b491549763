"""Null where an axis has no meaning for a row, so that rows that differ in it alone are one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.core.cells import Cell, Choice, HeadSpec, LoraSpec, parts_of
from harness.core.protocols.classifier import SAVED, Classifier
from harness.core.protocols.method import Method
from harness.core.protocols.paradigm import Paradigm
from harness.task.classifiers import classifier_prompt, reads_validation
from harness.task.inputs import materials_of_head, method_options, method_space, uses
from harness.task.schema import DECLARED
from harness.task.solver_keys import is_convex
from harness.task.tuning import tuning_fields

#: Frames of a clip, if the task does not set it (section 4.2).
FRAMES = 8
#: The classifier whose rows are text embeddings of the classes.
TEXT = "text"


def null_what_has_no_meaning(s: dict[str, Any]) -> None:
    """Change the settings of a row in place."""
    if s["regime"] != "few_shot":
        s["shots"], s["few"] = None, "refuse"
    if s["regime"] != "fraction":
        s["fraction"] = None
    if s["method"] is not None:
        s |= tuning_fields("none")  # the encoder stays as it is
    _null_of_the_classes(s)
    if s["classes"].pick is None:
        s["class_seed"] = None  # nothing is drawn
    if s["views"].startswith("1x"):
        s["clip_starts"] = None  # one clip begins at the first segment
    if s["temporal"] == Choice("none"):
        s["temporal"] = s["frames"] = None
    elif s["frames"] is None:
        s["frames"] = FRAMES
    if s["method"] is None:
        _null_of_the_head(s)
    else:
        _null_of_the_method(s)
    s["interpolate"] = None if s["tuning"] == "none" else _between(s["interpolate"])


def _between(share: float | None) -> float | None:
    """After training (1) is where every cell is evaluated that says nothing else."""
    return None if share is None or share == 1 else float(share)


def interpolation_of(cell: Cell) -> float | None:
    """Where a cell is evaluated between its weights before (0) and after training (1); None where
    there are none before, or no training.
    """
    if cell.recipe is None or is_convex(cell.recipe):
        return None
    return 1.0 if cell.interpolate is None else cell.interpolate


def _null_of_the_classes(s: dict[str, Any]) -> None:
    """Which classes are trained on, and which are tested."""
    if s["regime"] != "zero_shot":
        if s["test_dataset"] == s["dataset"]:
            s["test_dataset"] = None  # the dataset itself, tested on `classes`
    elif s["train_classes"] is None or (s["tuning"] == "none" and s["method"] is None):
        s |= tuning_fields("none") | {"train_classes": None}  # nothing is trained on
    if s["train_classes"] is None and (s["test_dataset"] is None or s["regime"] == "zero_shot"):
        s["exclude_shared"] = False  # what is tested is what is trained on, or nothing is


def _null_of_the_head(s: dict[str, Any]) -> None:
    head_uses = materials_of_head(s["paradigm"], s["tuning"])
    if "classifier" not in head_uses:
        s["schedule"] = None
        # A head that draws its own rows can begin from those of a saved one.
        if head_uses or SAVED not in uses(Classifier, s["classifier"]):
            s["classifier"] = None
    elif s["classifier"] is None:
        s["classifier"] = Choice("text" if uses(Paradigm, s["paradigm"]) else "random")
    if s["head"] is not None:
        _null_of_a_frozen_encoder(s)
    if not head_uses:
        s["prompt"] = None
    if s["paradigm"].name != "matching":
        s["gather"] = s["loss"] = None
    _null_of_the_towers(s)
    # Sentences of its own take the place of the prompt.
    s["prompt"] = classifier_prompt(s["classifier"]) or s["prompt"]
    if not _uses_text(s):
        s["text_encoder"] = s["alignment"] = None
        if s["prompt"] is not None:
            s["prompt"] = Choice("class_name")  # the texts are not used, whatever the prompt is
    # A trained head searches keys of the recipe only; what it tries is declared by presets alone.
    spaces = () if s["search"] == DECLARED else s["search"] or ()
    s["search"] = tuple(k for k in spaces if not k[0].startswith("method.")) or None
    if s["tuning"] == "none":
        s["schedule"] = s["search"] = None
    if s["search"] is None:
        s["selection"] = "last"
        if not reads_validation(s["classifier"]):
            s["val"] = None


def _null_of_the_towers(s: dict[str, Any]) -> None:
    """Whether texts are encoded anew by a text tower that is trained, and which towers have
    adapters. Where W is no text, or the tower stays as it is, `online` has no meaning.
    """
    matching = s["paradigm"].name == "matching"
    trains_texts = any(stage.tunes_texts for stage in parts_of(s))
    reads_texts = matching or (s["classifier"] is not None and s["classifier"].name == TEXT)
    if s["text_tower"] == "online" and not (trains_texts and reads_texts):
        s["text_tower"] = "offline"
    if s["text_tower"] == "offline":
        if not matching:
            s["text_tower"] = None
        s["lora"] = _without_texts(s["lora"])
        if s["stages"] is not None:
            stages = (replace(stage, lora=_without_texts(stage.lora)) for stage in s["stages"])
            s["stages"] = tuple(stages)


def _without_texts(lora: LoraSpec | None) -> LoraSpec | None:
    """Adapters of the image tower alone, if it has any."""
    with_image = lora is not None and "image" in lora.towers
    return replace(lora, towers=("image",)) if lora is not None and with_image else lora


def _null_of_a_frozen_encoder(s: dict[str, Any]) -> None:
    """A head on frozen features: W is always trained, and a cosine head reads the embedding."""
    s["schedule"] = None
    if uses(Paradigm, s["paradigm"]):
        s["head"] = HeadSpec(start_norm=s["head"].start_norm)


def _null_of_the_method(s: dict[str, Any]) -> None:
    """A method takes the place of paradigm, recipe, and of a classifier that it does not use."""
    for name in ("paradigm", "schedule", "gather", "text_tower", "loss"):
        s[name] = None
    method_uses = uses(Method, s["method"])
    if "classifier" not in method_uses:
        s["classifier"] = None
    elif s["classifier"] is None:
        s["classifier"] = Choice("text")
    s["prompt"] = classifier_prompt(s["classifier"]) or s["prompt"]
    if "text" not in method_uses | uses(Classifier, s["classifier"]):
        s["text_encoder"] = s["alignment"] = s["prompt"] = None
    s["search"] = _spaces(s["method"], s["search"]) or None
    if s["search"] is None:
        s["selection"] = "last"
        if "validation" not in method_uses and not reads_validation(s["classifier"]):
            s["val"] = None


def _spaces(method: Choice, search: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """What is searched of a method: of the task's spaces, or of those that it declares, without
    options that the task sets.
    """
    if search == DECLARED:
        declared = method_space(method).items()
        given = dict(method.options)
        return tuple((f"method.{k}", tuple(v)) for k, v in declared if k not in given)
    options = {f"method.{name}" for name in method_options(method)}
    return tuple(space for space in search or () if space[0] in options)


def _uses_text(s: Mapping[str, Any]) -> bool:
    """Whether a text encoder has a meaning for the cell."""
    of_head = materials_of_head(s["paradigm"], s["tuning"])
    return "text" in of_head | uses(Classifier, s["classifier"])
