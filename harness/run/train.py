"""Trainings: cells that are solved together, with every configuration of their searches."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from harness.core.errors import CellError
from harness.core.protocols.solver import Problem, Solution
from harness.plan.resolve import ResolvedCell
from harness.run.attempts import Attempt, Training, attempts_of, chunks, configurations
from harness.run.build import (
    BuiltModel,
    build_model,
    pretrained_embedding,
    untrained_backbone,
)
from harness.run.cell_errors import is_of_one_cell
from harness.run.checkpoints import checkpoint_folder
from harness.run.context import RunContext
from harness.run.epochs import epoch_repeats
from harness.run.evaluate import Trained, Trial, measured, on_test, on_validation
from harness.run.methods import fit_method, method_warnings
from harness.run.search import Search, reason_of
from harness.run.stages import train_in_stages
from harness.run.support_rows import trained_labels
from harness.training.agreement import agreement
from harness.training.checkpoint import Checkpoint
from harness.training.determinism import kernel_warnings, named_kernels
from harness.training.device import device
from harness.training.distributed import world
from harness.training.failure import is_out_of_memory
from harness.training.head_diagnostics import head_diagnostics, start_diagnostics
from harness.training.model import Model
from harness.training.movement import fingerprint, why_unmoved
from harness.training.numerics import float32_as
from harness.training.probe import ProbeModel


def train_cells(trainings: Sequence[Training], context: RunContext) -> list[Trained | Exception]:
    """Train cells of one solver together; the result of each, or why it failed. With a search every
    configuration is trained, and the best one on the validation samples is kept.

    Raises errors that are not of one cell alone, and KeyboardInterrupt after an interruption; a
    tuned backbone then continues from its last epoch when the cell is run again.
    """
    searches = {t.resolved.key: Search() for t in trainings}
    attempts = []
    for training in trainings:
        resolved = training.resolved
        if resolved.cell.recipe is None or resolved.support is None:
            with reason_of(searches[resolved.key]):
                _without_training(training, searches[resolved.key], context)
        else:
            attempts += list(attempts_of(training, resolved.cell.recipe))
    for chunk in chunks(attempts):
        unsolved = [a for a in chunk if not _is_over(a, searches)]
        for attempt, outcome in _solve(unsolved, context):
            with reason_of(searches[attempt.resolved.key]):
                _settle(attempt, outcome, searches[attempt.resolved.key], context)
    return [searches[t.resolved.key].outcome(t.resolved.cell) for t in trainings]


def _is_over(attempt: Attempt, searches: dict[str, Search]) -> bool:
    return searches[attempt.resolved.key].problem is not None


def _without_training(training: Training, search: Search, context: RunContext) -> None:
    """Use the pretrained encoder unchanged, or fit a method on its features."""
    resolved, resources = training.resolved, context.resources
    support, group = resolved.support, world()
    with agreement(group):
        name = context.store.write_support(support) if support else None
        if resolved.setup.method is None:
            search.best = Trained(
                pretrained_embedding(resolved, resources),
                support=name,
                backbone=untrained_backbone(resolved, resources),
            )
            return
        warnings = method_warnings(resolved, resources)
    for config in configurations(resolved.cell):
        try:
            with agreement(group):
                fitted = fit_method(resolved, resources, config)
                trained = Trained(
                    method=fitted, support=name, params=fitted.parameters, warnings=warnings
                )
                trial = _trial(resolved, trained, config, context)
            search.offer(trained, trial)
        except CellError as error:
            if resolved.cell.search is None:
                raise
            search.trials.append(Trial(config, error=str(error)))


def _settle(
    attempt: Attempt, outcome: Trained | Exception, search: Search, context: RunContext
) -> None:
    """Store the outcome of an attempt. A diverged one of a search ranks last; the others go on."""
    searched = attempt.resolved.cell.search is not None
    if isinstance(outcome, CellError) and searched:
        search.trials.append(Trial(attempt.config, error=str(outcome)))
        return
    if isinstance(outcome, Exception):
        raise outcome
    try:
        with agreement(world()) if searched else nullcontext(), named_kernels(device()):
            trial = _trial(attempt.resolved, outcome, attempt.config, context)
        search.offer(outcome, trial)
    except CellError as error:  # its predictions are not finite
        if not searched:
            raise
        search.trials.append(Trial(attempt.config, error=str(error)))


def _trial(
    resolved: ResolvedCell, trained: Trained, config: dict[str, Any], context: RunContext
) -> Trial:
    """The result of a configuration on the validation samples, or on the test set with selection:
    test, which the report then states. Without a search nothing is measured.
    """
    if resolved.cell.search is None:
        return Trial(config)
    if resolved.cell.selection == "test":
        predictions = on_test(resolved, trained, context.resources)
        labels_N = resolved.test.labels
    else:
        predictions, labels_N = on_validation(resolved, trained, context.resources)
    by = {name: context.plugins.measures[name] for name in ("top1", "nll")}
    # Groups do not matter for top1 and nll.
    values = measured(predictions, labels_N, labels_N, by)
    return Trial(config, values["top1"], values["nll"])


def _solve(
    attempts: Sequence[Attempt], context: RunContext
) -> Iterator[tuple[Attempt, Trained | Exception]]:
    """Solve attempts together; one by one if any fails, to find out which one failed."""
    if len(attempts) > 1:
        try:
            with agreement(world()):
                solved = _solve_together(attempts, context)
            yield from zip(attempts, solved, strict=True)
            return
        except Exception as error:
            if not (is_of_one_cell(error) or is_out_of_memory(error)):
                raise
    for attempt in attempts:
        try:
            yield attempt, _solve_in_memory(attempt, context)
        except Exception as error:
            if not is_of_one_cell(error):
                raise
            yield attempt, error


def _solve_together(attempts: Sequence[Attempt], context: RunContext) -> list[Trained]:
    with named_kernels(device()) as kernels:
        solved = _solved(attempts, context)
    named = kernel_warnings(kernels)
    return [replace(each, warnings=(*each.warnings, *named)) for each in solved]


def _solved(attempts: Sequence[Attempt], context: RunContext) -> list[Trained]:
    if attempts[0].cell.stages:
        return [_solved_in_stages(attempts[0], context)]
    built = [build_model(a.resolved, a.recipe, context.resources) for a in attempts]
    problems = [_problem(a, b, context) for a, b in zip(attempts, built, strict=True)]
    before = [fingerprint(b.model) for b in built]
    starts = [_at_start(p, convex=_is_convex(a)) for a, p in zip(attempts, problems, strict=True)]
    with float32_as(attempts[0].recipe.precision, device()):  # those solved together have one
        solutions = attempts[0].resolved.setup.solver.plugin.solve(problems)
    for solution, start in zip(solutions, starts, strict=True):
        solution.diagnostics = {**start, **solution.diagnostics}
    parts = zip(attempts, built, solutions, before, strict=True)
    return [
        replace(
            _trained(a, b, s, context),
            warnings=(*b.warnings, *s.warnings, *why_unmoved(sums, b.model, s.curve)),
        )
        for a, b, s, sums in parts
    ]


def _solved_in_stages(attempt: Attempt, context: RunContext) -> Trained:
    built = build_model(attempt.resolved, attempt.recipe, context.resources)

    def checkpoint_of(stage: int) -> Checkpoint | None:
        return _checkpoint(attempt, built, context, f"{attempt.number}-{stage}")

    def solve(problem: Problem) -> Solution:
        with float32_as(attempt.recipe.precision, device()):
            (solution,) = attempt.resolved.setup.solver.plugin.solve([problem])
        return solution

    whole = _problem(attempt, built, context)
    staged = train_in_stages(attempt.resolved, built, whole, checkpoint_of, solve)
    trained = _trained(attempt, built, staged.solution, context)
    return replace(
        trained, head=staged.model.head, params=staged.params, model=staged.model,
        own_rows=staged.model.texts is None, warnings=(*built.warnings, *staged.warnings),
    )  # fmt: skip


def _is_convex(attempt: Attempt) -> bool:
    return attempt.resolved.setup.solver.plugin.CONVEX


def _at_start(problem: Problem, *, convex: bool) -> dict[str, float]:
    """What the gradient of a head at its end is compared with. A convex solver starts nowhere."""
    if convex or not isinstance(problem.model, ProbeModel):
        return {}
    return start_diagnostics(problem.model, problem.labels_N)


def _solve_in_memory(attempt: Attempt, context: RunContext) -> Trained:
    """Train; if a GPU has too little memory, halve the micro-batch until it fits, in all processes.
    The global batch does not change, so the numbers are equal up to the order of sums.
    """
    import torch

    original, recipe, group = attempt.recipe, attempt.recipe, world()
    while True:
        try:
            with agreement(group):
                trained = _solve_together([replace(attempt, recipe=recipe)], context)[0]
            smaller = recipe.micro_batch if recipe != original else None
            return replace(trained, micro_batch=smaller)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            # Without one in the recipe, every process has an equal part of the batch.
            share = math.ceil(recipe.batch / group.size)
            half = min(recipe.micro_batch or share, recipe.batch) // 2
            contrasts_micro_batch = attempt.resolved.cell.gather is False
            if half == 0 or contrasts_micro_batch:
                raise CellError(f"the GPU has too little memory: {error}") from error
            recipe = replace(recipe, micro_batch=half)
        gc.collect()  # what the error's traceback held
        torch.cuda.empty_cache()


def _problem(attempt: Attempt, built: BuiltModel, context: RunContext) -> Problem:
    resolved = attempt.resolved
    return Problem(
        cell=resolved.cell,
        model=built.model,
        labels_N=torch_labels(trained_labels(resolved), built.model),
        recipe=attempt.recipe,
        seed=resolved.cell.seed,
        watch=attempt.watch,
        repeats=epoch_repeats(resolved, attempt.recipe),
        checkpoint=_checkpoint(attempt, built, context, str(attempt.number)),
    )


def _checkpoint(
    attempt: Attempt, built: BuiltModel, context: RunContext, name: str
) -> Checkpoint | None:
    """Of a training of a backbone, which may take long."""
    file = checkpoint_folder(attempt.resolved, context.store) / f"{name}.pt"
    return Checkpoint(file) if built.backbone else None


def _trained(
    attempt: Attempt, built: BuiltModel, solution: Solution, context: RunContext
) -> Trained:
    support, model = attempt.resolved.support, built.model
    if isinstance(model, ProbeModel) and support is not None:
        y_N = torch_labels(trained_labels(attempt.resolved), model)
        found = head_diagnostics(model, y_N, built.w_init_CD)
        # A solver's own certificate is the more exact.
        solution = replace(solution, diagnostics={**found, **solution.diagnostics})
    return Trained(
        embedding=built.embedding,
        head=model.head,
        model=model,
        w_init_CD=built.w_init_CD,
        texts=model.texts,
        backbone=built.backbone,
        support=context.store.write_support(support) if support else None,
        solution=solution,
        params=model.trained_parameters(),
    )


def torch_labels(labels: Sequence[int], model: Model | ProbeModel) -> Any:
    """y_N on the device of the model."""
    import torch

    return torch.tensor(labels, device=model.device)
