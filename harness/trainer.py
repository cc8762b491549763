"""One cell's training: its support set, its initial classifier, its model, its history."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import plugins
from harness.errors import CellError
from harness.plan import Planned
from harness.seeding import torch_stream
from harness.store import Store
from harness.training.checkpoint import Checkpoint
from harness.training.evaluation import metrics, predict
from harness.training.loop import History, train
from harness.training.model import CachedFeatures, Model, Projection, Source, TunedBackbone
from harness.training.weights import NAME, save_weights
from harness.types import Cell, Head, HeadInputs, SupportSet
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
    """What evaluation needs. Without training: the encoder's own projection, and no head."""

    projection: Projection
    head: Head | None = None  # for the classes trained on
    w_init_CD: torch.Tensor | None = None
    backbone: TunedBackbone | None = None  # where it was tuned
    support: str | None = None
    history: History = field(default_factory=History)
    params: int = 0
    tried: tuple[Tried, ...] = ()


def train_cell(
    planned: Planned, workshop: Workshop, store: Store, interrupted: Callable[[], bool]
) -> Trained:
    """Train a cell, or hand on the pretrained encoder where nothing is trained. With a search,
    every configuration is trained and the one that is best on the validation samples is kept.

    Raises CellError, and KeyboardInterrupt if asked to stop; a tuned backbone then goes on from
    its last epoch when the cell is run again.
    """
    cell = planned.cell
    support = workshop.support(cell)
    if support is None or cell.tuning == "none" or cell.recipe is None:
        name = store.write_support(support) if support else None
        return Trained(workshop.projection(cell), support=name)
    if cell.search is None:
        return _train_once(planned, cell, 0, workshop, store, interrupted)
    best: Trained | None = None
    tried: list[Tried] = []
    for number, config in enumerate(_configurations(cell)):
        recipe = replace(cell.recipe, **config)
        try:
            found = _train_once(
                planned, replace(cell, recipe=recipe), number, workshop, store, interrupted
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
    import numpy as np
    import torch

    validation = workshop.validation(cell)
    if validation is None or trained.head is None:
        raise CellError("a search needs validation samples")
    labels_N = np.array(validation.labels, dtype=np.int64)
    if trained.backbone is not None:
        pictures = workshop.pictures(cell, cell.dataset)
        h_NF = trained.backbone.embed(validation.items, pictures)
    else:
        h_NF = workshop.train_features(cell).of(validation.items)
    with torch.no_grad():
        found = predict(trained.head.logits(trained.projection(h_NF)), labels_N)
    measured = metrics(found, labels_N)
    return Tried(config, measured["top1"], measured["nll"])


def _train_once(
    planned: Planned,
    cell: Cell,
    number: int,
    workshop: Workshop,
    store: Store,
    interrupted: Callable[[], bool],
) -> Trained:
    """One training from the pretrained encoder with the recipe of `cell`."""
    import torch

    support = workshop.support(cell)
    if support is None or cell.recipe is None:
        raise CellError("there is nothing to train on")
    names = workshop.train_names(cell)
    head = make_head(cell, len(names), workshop.classifier(cell, names))
    w_init_CD = head.weight().clone()
    source = _source(cell, support, workshop)
    model = Model(source, workshop.projection(cell).trainable(), head)
    tuned = source if isinstance(source, TunedBackbone) else None
    place = _checkpoint_folder(planned, store) / f"{number}.pt"
    history = train(
        model,
        torch.tensor(support.labels),
        cell.recipe,
        cell.seed,
        interrupted=interrupted,
        checkpoint=Checkpoint(place) if tuned else None,
    )
    return Trained(
        projection=model.projection,
        head=head,
        w_init_CD=w_init_CD,
        backbone=tuned,
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
    module = trained.backbone.module if trained.backbone else None
    save_weights(_checkpoint_folder(planned, store) / NAME, trained.projection, module)


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
