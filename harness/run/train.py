"""One cell's training: its support set, its initial classifier, its model, its history."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core.cells import Cell, Recipe
from harness.core.errors import CellError
from harness.core.store import Store
from harness.plan.plan import Planned
from harness.run.build import assemble, pretrained
from harness.run.evaluate import Trained, Tried, on_test, on_validation
from harness.run.resources import Workshop
from harness.training.checkpoint import Checkpoint
from harness.training.loop import Watch, train
from harness.training.predictions import metrics
from harness.training.weights import NAME, save_weights


@dataclass(frozen=True)
class Bench:
    """What a training works with."""

    workshop: Workshop
    store: Store
    watch: Watch


def train_cell(planned: Planned, bench: Bench) -> Trained:
    """Train a cell, or hand on the pretrained encoder where nothing is trained. With a search,
    every configuration is trained and the one that is best on the validation samples is kept.

    Raises CellError, and KeyboardInterrupt if asked to stop; a tuned backbone then goes on from
    its last epoch when the cell is run again.
    """
    cell, workshop = planned.cell, bench.workshop
    support = workshop.support(cell)
    if support is None or cell.tuning == "none" or cell.recipe is None:
        name = bench.store.write_support(support) if support else None
        return Trained(pretrained(cell, workshop), support=name)
    if cell.search is None:
        return _train_in_memory(planned, cell.recipe, bench)
    best: Trained | None = None
    tried: list[Tried] = []
    for number, config in enumerate(_configurations(cell)):
        own = replace(bench, watch=bench.watch.of_training(number))
        try:
            found = _train_in_memory(planned, replace(cell.recipe, **config), own, number)
            score = _validate(cell, found, config, workshop)
        except CellError as error:  # one that diverges loses; the others go on
            tried.append(Tried(config, error=str(error)))
            continue
        if best is None or score.rank() > max(t.rank() for t in tried):
            best = found
        tried.append(score)
    if best is None:
        raise CellError(f"every configuration of the search failed: {tried[0].error}")
    return replace(best, tried=tuple(tried))


def _configurations(cell: Cell) -> list[dict[str, Any]]:
    """Every combination of the searched values."""
    spaces = dict(cell.search or ())
    return [dict(zip(spaces, v, strict=True)) for v in itertools.product(*spaces.values())]


def _validate(cell: Cell, trained: Trained, config: dict[str, Any], workshop: Workshop) -> Tried:
    """How a configuration does on the validation samples; on the test set where the task says so
    twice (the report then does as well).
    """
    if cell.selection == "test":
        found, labels_N = on_test(cell, trained, workshop), workshop.test(cell).labels
    else:
        found, labels_N = on_validation(cell, trained, workshop)
    measured = metrics(found, labels_N)
    return Tried(config, measured["top1"], measured["nll"])


def _train_in_memory(planned: Planned, recipe: Recipe, bench: Bench, number: int = 0) -> Trained:
    """Train; where a GPU has too little memory, in micro-batches half as large, and so on. The
    global batch stays, so the numbers do, but for the order of sums.
    """
    import torch

    asked = recipe
    while True:
        try:
            found = _train_once(planned, recipe, bench, number)
            smaller = recipe.micro_batch if recipe != asked else None
            return replace(found, micro_batch=smaller)
        except torch.OutOfMemoryError as error:
            half = min(recipe.micro_batch or recipe.batch, recipe.batch) // 2
            if half == 0 or planned.cell.gather is False:  # the micro-batch is what is contrasted
                raise CellError(f"the GPU has too little memory: {error}") from error
            recipe = replace(recipe, micro_batch=half)
        torch.cuda.empty_cache()


def _train_once(planned: Planned, recipe: Recipe, bench: Bench, number: int) -> Trained:
    """One training from the pretrained encoder; `number` tells those of a search apart."""
    import torch

    cell = replace(planned.cell, recipe=recipe)
    support = bench.workshop.support(cell)
    if support is None:
        raise CellError("there is nothing to train on")
    made = assemble(cell, bench.workshop)
    model = made.model
    place = _checkpoint_folder(planned, bench.store) / f"{number}.pt"
    history = train(
        model,
        torch.tensor(support.labels, device=model.embedding.projection.weight_DF.device),
        recipe,
        cell.seed,
        watch=bench.watch,
        checkpoint=Checkpoint(place) if made.backbone else None,
    )
    return Trained(
        embedding=model.embedding,
        head=model.head,
        w_init_CD=made.w_init_CD,
        texts=model.texts,
        backbone=made.backbone,
        support=bench.store.write_support(support),
        history=history,
        params=model.trained_parameters(),
    )


def _checkpoint_folder(planned: Planned, store: Store) -> Path:
    return store.root / "checkpoints" / planned.train_key


def forget_checkpoint(planned: Planned, store: Store) -> None:
    """The Record is written: what the training left to go on from is of no more use."""
    for path in _checkpoint_folder(planned, store).glob("*.pt"):
        Checkpoint(path).remove()


def keep_weights(planned: Planned, trained: Trained, store: Store) -> None:
    """`save: last`: what `init:` can begin from."""
    place = _checkpoint_folder(planned, store) / NAME
    save_weights(place, trained.embedding, trained.backbone)
