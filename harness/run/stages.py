"""Trainings in stages: one part of the model after the other, within one budget.

Every stage has an optimiser and a schedule of the learning rate of its own. In a stage `head` the
rows of W are trained, from where the stages before left them: of an online text tower from the
embeddings of its texts as they are then (2SFS, Farina et al. 2025).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.core.cells import Recipe, Stage
from harness.core.errors import CellError
from harness.core.protocols.solver import Problem, Solution, Watch
from harness.core.seeding import stream_seed
from harness.plan.resolve import ResolvedCell
from harness.run.build import BuiltModel
from harness.training.model import Model, count
from harness.training.movement import fingerprint, why_unmoved
from harness.training.schedule import budget
from harness.training.texts import TowerTexts
from harness.training.tower_parts import Tuned
from harness.training.tuned import TunedBackbone

if TYPE_CHECKING:
    import torch


#: Tuned parts beside which no module over time is trained.
ALONE = ("head", "prompt")


@dataclass(frozen=True)
class Staged:
    """A model after the last stage, and what the stages together left to report."""

    model: Model
    solution: Solution
    params: int  # that were trained in any stage
    warnings: tuple[str, ...] = ()  # of stages that trained nothing


def train_in_stages(
    resolved: ResolvedCell,
    built: BuiltModel,
    whole: Problem,
    checkpoint_of: Callable[[int], Any],
    solve: Callable[[Problem], Solution],
) -> Staged:
    """Train the stages of a cell, from the model before the first one.

    `whole` has the recipe and the budget of all; `checkpoint_of` gives the checkpoint of a stage.

    Raises what `solve` raises, and CellError for a part that the model does not have.
    """
    model = built.model
    if not isinstance(model, Model):
        raise CellError("a head on frozen features is trained in one stage")
    total, steps = Solution(), _steps(resolved, whole)
    trained: dict[int, torch.Tensor] = {}
    warnings: list[str] = []
    for number, stage in enumerate(resolved.cell.parts):
        model = stage_model(model, stage, resolved)
        problem = replace(
            whole,
            model=model,
            recipe=_recipe(whole.recipe, stage, steps[number]),
            # Every stage reads the samples in an order of its own.
            seed=whole.seed if number == 0 else stream_seed(whole.seed, "stage", number),
            watch=_numbered(whole.watch, number + 1, len(total.curve)),
            checkpoint=checkpoint_of(number),
            keep_end=number + 1 < len(steps),
        )
        if isinstance(model.source, TunedBackbone):
            model.source.first_epoch = len(total.curve)
        before = fingerprint(model)
        solution = solve(problem)
        unmoved = why_unmoved(before, model, solution.curve)
        warnings += [f"Stage {number + 1} ({stage.tuning}): {text}" for text in unmoved]
        total = _joined(total, solution, number + 1)
        trained |= {id(t): t for t in model.tensors() if t.requires_grad}
    return Staged(model, total, count(trained.values()), tuple(warnings))


def stage_model(model: Model, stage: Stage, resolved: ResolvedCell) -> Model:
    """The model with what a stage trains in it; its tensors are those of the stage before."""
    tuned = Tuned.of(stage, resolved.cell.seed)
    if isinstance(model.source, TunedBackbone):
        model.source.tune(tuned)
    for tensor in model.embedding.new():
        tensor.requires_grad_(stage.tuning not in ALONE)
    model.embedding.projection.tune(stage.tuning)
    if stage.tuning == "head":
        return _with_trained_rows(model, resolved)
    if isinstance(model.texts, TowerTexts):
        model.texts.tune(tuned.of_texts)
    if resolved.cell.schedule is not None:  # the head has a W that is no text
        model.head.train_classifier(trained=resolved.cell.schedule == "trained")
    return model


def _with_trained_rows(model: Model, resolved: ResolvedCell) -> Model:
    """W is trained alone, and no longer made of texts."""
    from torch.nn import functional as F

    head, texts = model.head, model.texts
    if texts is not None:
        w_CD = texts.embed(resolved.setup.trained.names)
        if w_CD is not None:
            # Rows begin at length 1, as those of every classifier do.
            head = head.with_classifier(F.normalize(w_CD, dim=-1))
    head.train_classifier(trained=True)
    return Model(model.source, model.embedding, head, None, model.gather)


def _steps(resolved: ResolvedCell, whole: Problem) -> list[int]:
    """Updates of every stage: its share of the budget, at least 1."""
    samples = len(whole.model.source) * whole.repeats
    length = budget(whole.recipe, math.ceil(samples / whole.recipe.batch))
    total = round(length.fractional * length.steps_of_epoch)
    ends, share = [0], 0.0
    for stage in resolved.cell.parts:
        share += stage.share
        ends.append(max(ends[-1] + 1, round(share * total)))
    return [end - start for start, end in itertools.pairwise(ends)]


def _recipe(recipe: Recipe, stage: Stage, steps: int) -> Recipe:
    """That of a stage; its budget is in steps."""
    own: dict[str, Any] = dict(stage.recipe)
    return replace(recipe, iterations=steps, **own)


def _numbered(watch: Watch, stage: int, epochs: int) -> Watch:
    """Points of the curve go on from those of the stages before."""

    def epoch(point: Mapping[str, Any]) -> object:
        return watch.epoch(_moved(point, stage, epochs))

    return Watch(watch.interrupted, epoch)


def _moved(point: Mapping[str, Any], stage: int, epochs: int) -> dict[str, Any]:
    return {**point, "epoch": point["epoch"] + epochs, "stage": stage}


def _joined(total: Solution, solution: Solution, stage: int) -> Solution:
    epochs = len(total.curve)
    curve = [_moved(point, stage, epochs) for point in solution.curve]
    return Solution([*total.curve, *curve], total.steps + solution.steps)
