"""One cell's training: its support set, its initial classifier, its model, its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness import plugins
from harness.plan import Planned
from harness.seeding import torch_stream
from harness.store import Store
from harness.training.checkpoint import Checkpoint
from harness.training.loop import History, train
from harness.training.model import CachedFeatures, Model, Projection, Source, TunedBackbone
from harness.types import Cell, Head, HeadInputs, SupportSet
from harness.workshop import Workshop

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Trained:
    """What evaluation needs. Without training: the encoder's own projection, and no head."""

    projection: Projection
    head: Head | None = None  # for the classes trained on
    w_init_CD: torch.Tensor | None = None
    backbone: TunedBackbone | None = None  # where it was tuned
    support: str | None = None
    history: History = field(default_factory=History)
    params: int = 0


def train_cell(
    planned: Planned, workshop: Workshop, store: Store, interrupted: Callable[[], bool]
) -> Trained:
    """Train a cell, or hand on the pretrained encoder where nothing is trained.

    Raises CellError, and KeyboardInterrupt if asked to stop; a tuned backbone then goes on from
    its last epoch when the cell is run again.
    """
    import torch

    cell = planned.cell
    support = workshop.support(cell)
    name = store.write_support(support) if support else None
    start = workshop.projection(cell)
    if support is None or cell.tuning == "none" or cell.recipe is None:
        return Trained(start, support=name)
    names = workshop.train_names(cell)
    head = make_head(cell, len(names), workshop.classifier(cell, names))
    w_init_CD = head.weight().clone()
    source = _source(cell, support, workshop)
    model = Model(source, start.trainable(), head)
    checkpoint = None
    if isinstance(source, TunedBackbone):
        checkpoint = Checkpoint(store.root / "checkpoints" / planned.train_key / "last.pt")
    history = train(
        model,
        torch.tensor(support.labels),
        cell.recipe,
        cell.seed,
        interrupted=interrupted,
        checkpoint=checkpoint,
    )
    return Trained(
        projection=model.projection,
        head=head,
        w_init_CD=w_init_CD,
        backbone=source if isinstance(source, TunedBackbone) else None,
        support=name,
        history=history,
        params=model.trained_parameters(),
    )


def forget_checkpoint(planned: Planned, store: Store) -> None:
    """The Record is written: what the training left to go on from is of no more use."""
    Checkpoint(store.root / "checkpoints" / planned.train_key / "last.pt").remove()


def make_head(cell: Cell, n_classes: int, w_CD: torch.Tensor | None) -> Head:
    """The head of the cell's paradigm around an initial classifier."""
    found, _, options = plugins.options("paradigm", cell.paradigm)
    facts = plugins.encoder_facts(cell.encoder)
    recipe = cell.recipe
    own = plugins.options("classifier", cell.classifier)[2] if cell.classifier else None
    scale = (own and own.scale) or (recipe and recipe.logit_scale) or facts.logit_scale
    head: Head = found.build(
        HeadInputs(
            n_classes=n_classes,
            dim=facts.dim,
            generator=torch_stream(cell.seed, "init"),
            logit_scale=scale,
            w_CD=w_CD,
            normalise=own.normalise if own else True,
            schedule=cell.schedule,
            train_logit_scale=bool(recipe and recipe.train_logit_scale),
            loss=cell.loss,
        ),
        options,
    )
    return head


def _source(cell: Cell, support: SupportSet, workshop: Workshop) -> Source:
    if cell.tuning == "all":
        pictures = workshop.pictures(cell, cell.dataset)
        return TunedBackbone(workshop.image_encoder(cell), pictures, support.items)
    return CachedFeatures(workshop.train_features(cell).of(support.items))
