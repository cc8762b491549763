"""One cell's training: its support set, its initial classifier, its model, its history."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.assembly import assemble, make_head, pretrained
from harness.errors import CellError
from harness.plan import Planned
from harness.store import Store
from harness.training.checkpoint import Checkpoint
from harness.training.evaluation import metrics, predict
from harness.training.loop import History, Watch, train
from harness.training.model import Embedding
from harness.training.sources import TunedBackbone
from harness.training.texts import Texts
from harness.training.weights import NAME, save_weights
from harness.types import Cell, Head
from harness.workshop import Workshop

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Tried:
    """One configuration of a search: the recipe keys that it sets, and how it did on validation."""

    config: dict[str, Any]
    top1: float = 0.0
    nll: float | None = None
    error: str | None = None

    def rank(self) -> tuple[bool, float, float]:
        """Larger is better; a failed one is below all."""
        return (self.error is None, self.top1, -(self.nll or 0.0))


@dataclass(frozen=True)
class Trained:
    """What evaluation needs. Without training: the encoder's own embedding, and no head."""

    embedding: Embedding
    head: Head | None = None  # for the classes trained on
    w_init_CD: torch.Tensor | None = None
    texts: Texts | None = None  # where rows of W were made of them at every step
    backbone: TunedBackbone | None = None  # where it was tuned
    support: str | None = None
    history: History = field(default_factory=History)
    params: int = 0
    tried: tuple[Tried, ...] = ()
    micro_batch: int | None = None  # where memory asked for a smaller one than the recipe's


def train_cell(planned: Planned, workshop: Workshop, store: Store, watch: Watch) -> Trained:
    """Train a cell, or hand on the pretrained encoder where nothing is trained. With a search,
    every configuration is trained and the one that is best on the validation samples is kept.

    Raises CellError, and KeyboardInterrupt if asked to stop; a tuned backbone then goes on from
    its last epoch when the cell is run again.
    """
    cell = planned.cell
    support = workshop.support(cell)
    if support is None or cell.tuning == "none" or cell.recipe is None:
        name = store.write_support(support) if support else None
        return Trained(pretrained(cell, workshop), support=name)
    if cell.search is None:
        return _train_in_memory(planned, cell, 0, workshop, store, watch)
    best: Trained | None = None
    tried: list[Tried] = []
    for number, config in enumerate(_configurations(cell)):
        recipe = replace(cell.recipe, **config)
        try:
            found = _train_in_memory(
                planned, replace(cell, recipe=recipe), number, workshop, store, watch
            )
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
    validation = workshop.validation(cell)
    if validation is None or trained.head is None:
        raise CellError("a search needs validation samples")
    labels_N = np.array(validation.labels, dtype=np.int64)
    if trained.backbone is not None:
        pictures = workshop.pictures(cell, cell.dataset)
        h_NF = trained.backbone.embed(validation.items, pictures)
    else:
        h_NF = workshop.train_features(cell).of(validation.items)
    head = evaluation_head(cell, trained, workshop, workshop.train_names(cell))
    found = predict(logits(trained.embedding, head, h_NF), labels_N)
    measured = metrics(found, labels_N)
    return Tried(config, measured["top1"], measured["nll"])


def evaluation_head(
    cell: Cell, trained: Trained, workshop: Workshop, names: tuple[str, ...]
) -> Head:
    """The trained head with the classifier of `names`: its own rows for the classes trained on,
    new ones for others (zero-shot, section 4.3), and of trained texts what they have become.
    """
    if trained.head is None:
        return make_head(cell, len(names), workshop.classifier(cell, names))
    w_CD: torch.Tensor | None
    if trained.texts is not None:
        w_CD = trained.texts.embed(names)
        w_CD = workshop.classifier(cell, names) if w_CD is None else w_CD
    elif names == workshop.train_names(cell):
        return trained.head
    else:
        w_CD = workshop.classifier(cell, names)
    if w_CD is None:  # a head of its own says that it cannot be replaced
        w_CD = trained.head.weight()
    return trained.head.with_classifier(w_CD)


def logits(
    embedding: Embedding, head: Head, h_NF: torch.Tensor, *, views: bool = False
) -> torch.Tensor:
    """logits_NC on the CPU of features as they were kept."""
    import torch

    place = embedding.projection.weight_DF.device
    with torch.no_grad():
        z_ND = embedding(h_NF.to(place), views=views)
        return head.logits(z_ND.to(head.weight().device)).float().cpu()


def _train_in_memory(
    planned: Planned,
    cell: Cell,
    number: int,
    workshop: Workshop,
    store: Store,
    watch: Watch,
) -> Trained:
    """Train; where a GPU has too little memory, in micro-batches half as large, and so on. The
    global batch stays, so the numbers do, but for the order of sums.
    """
    import torch

    recipe = cell.recipe
    while recipe is not None:
        try:
            found = _train_once(
                planned, replace(cell, recipe=recipe), number, workshop, store, watch
            )
            smaller = recipe.micro_batch if recipe != cell.recipe else None
            return replace(found, micro_batch=smaller)
        except torch.OutOfMemoryError as error:
            half = min(recipe.micro_batch or recipe.batch, recipe.batch) // 2
            if half == 0 or cell.gather is False:  # the micro-batch is what is contrasted
                raise CellError(f"the GPU has too little memory: {error}") from error
            recipe = replace(recipe, micro_batch=half)
        torch.cuda.empty_cache()
    raise CellError("there is nothing to train on")


def _train_once(
    planned: Planned,
    cell: Cell,
    number: int,
    workshop: Workshop,
    store: Store,
    watch: Watch,
) -> Trained:
    """One training from the pretrained encoder with the recipe of `cell`."""
    import torch

    support = workshop.support(cell)
    if support is None or cell.recipe is None:
        raise CellError("there is nothing to train on")
    made = assemble(cell, workshop)
    model = made.model
    place = _checkpoint_folder(planned, store) / f"{number}.pt"
    labels_N = torch.tensor(support.labels, device=model.embedding.projection.weight_DF.device)
    history = train(
        model,
        labels_N,
        cell.recipe,
        cell.seed,
        watch=watch,
        checkpoint=Checkpoint(place) if made.backbone else None,
    )
    return Trained(
        embedding=model.embedding,
        head=model.head,
        w_init_CD=made.w_init_CD,
        texts=model.texts,
        backbone=made.backbone,
        support=store.write_support(support),
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
    backbone = trained.backbone
    module, new = (backbone.module, backbone.new()) if backbone else (None, [])
    save_weights(_checkpoint_folder(planned, store) / NAME, trained.embedding, module, new)
