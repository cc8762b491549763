"""What a training leaves, and what it predicts: on its validation samples and on the test set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.protocols.paradigm import Head
from harness.run.build import make_head
from harness.run.resources import Workshop
from harness.sampling.views import views
from harness.training.loader import TunedBackbone
from harness.training.loop import History
from harness.training.model import Embedding
from harness.training.predictions import Predictions, predict
from harness.training.texts import Texts

if TYPE_CHECKING:
    import torch

    from harness.core.samples import IntArray


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


def on_validation(cell: Cell, trained: Trained, workshop: Workshop) -> tuple[Predictions, IntArray]:
    """Predictions on the validation samples, and their labels.

    Raises CellError if there are none.
    """
    validation = workshop.validation(cell)
    if validation is None:
        raise CellError("a search needs validation samples")
    labels_N = np.array(validation.labels, dtype=np.int64)
    if trained.backbone is not None:
        pictures = workshop.pictures(cell, cell.dataset)
        h_NF = trained.backbone.embed(validation.items, pictures)
    else:
        h_NF = workshop.train_features(cell).of(validation.items)
    head = evaluation_head(cell, trained, workshop, workshop.train_names(cell))
    return predict(_logits(trained.embedding, head, h_NF), labels_N), labels_N


def on_test(
    cell: Cell, trained: Trained, workshop: Workshop, head: Head | None = None
) -> Predictions:
    """Predictions on the test set, in the cell's views; with the head of `evaluation_head`."""
    test = workshop.test(cell)
    head = head or evaluation_head(cell, trained, workshop, test.class_names)
    if trained.backbone is None:
        h_NF = workshop.test_features(cell).of(test.items)
    else:
        pictures = workshop.pictures(cell, cell.test_dataset or cell.dataset)
        h_NF = trained.backbone.embed(test.items, pictures, views(cell.views))
    several = views(cell.views) != (1, 1)
    return predict(_logits(trained.embedding, head, h_NF, views=several), test.labels)


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


def _logits(
    embedding: Embedding, head: Head, h_NF: torch.Tensor, *, views: bool = False
) -> torch.Tensor:
    """logits_NC on the CPU of features as they were kept."""
    import torch

    place = embedding.projection.weight_DF.device
    with torch.no_grad():
        z_ND = embedding(h_NF.to(place), views=views)
        return head.logits(z_ND.to(head.weight().device)).float().cpu()
