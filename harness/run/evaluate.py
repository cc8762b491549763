"""Predictions of a trained cell on its validation samples and on the test set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import CellError
from harness.core.protocols.measure import Measure, Predictions
from harness.core.protocols.paradigm import Head
from harness.core.protocols.solver import ChangingTexts, Solution, TrainableModel
from harness.plan.resolve import ResolvedCell
from harness.run.build import build_head
from harness.run.equal_texts import text_warnings
from harness.run.initialise import initial_classifier
from harness.run.methods import FittedMethod, method_of, method_test, method_validation
from harness.run.resources import Resources
from harness.sampling.views import Views, views_of
from harness.training.model import Embedding
from harness.training.predictions import joined, predict
from harness.training.probe import FrozenFeatures
from harness.training.tuned import TunedBackbone

if TYPE_CHECKING:
    import torch

    from harness.core.samples import IntArray


@dataclass(frozen=True)
class Trial:
    """One configuration of a search, and its result on the validation samples."""

    config: dict[str, Any]
    top1: float = 0.0
    nll: float | None = None
    error: str | None = None

    def rank(self) -> tuple[bool, float, float]:
        """Larger is better; a failed trial ranks last."""
        return (self.error is None, self.top1, -(self.nll or 0.0))


@dataclass(frozen=True)
class Trained:
    """A trained cell. Without training: the pretrained embedding, and no head."""

    embedding: Embedding | FrozenFeatures | None = None  # None for a method
    head: Head | None = None  # for the training classes
    model: TrainableModel | None = None  # all that was trained
    w_init_CD: torch.Tensor | None = None
    texts: ChangingTexts | None = None  # if rows of W were recomputed from texts at every step
    own_rows: bool = False  # if W was trained after that: `texts` has those of other classes
    backbone: TunedBackbone | None = None  # if it was tuned
    method: FittedMethod | None = None
    support: str | None = None
    solution: Solution = field(default_factory=Solution)
    params: int = 0
    trials: tuple[Trial, ...] = ()
    micro_batch: int | None = None  # if memory required a smaller one than the recipe's
    warnings: tuple[str, ...] = ()  # see Record.warnings

    @property
    def chosen(self) -> dict[str, Any]:
        """The best configuration of a search, the first of equals; none without a search."""
        return max(self.trials, key=lambda t: t.rank()).config if self.trials else {}


def on_validation(
    resolved: ResolvedCell, trained: Trained, resources: Resources
) -> tuple[Predictions, IntArray]:
    """Predictions on the validation samples, and their labels.

    Raises CellError if there are none.
    """
    if trained.method is not None:
        return method_validation(trained.method, resolved, resources)
    validation = resolved.validation
    if validation is None:
        raise CellError("a search needs validation samples")
    labels_N = np.array(validation.labels, dtype=np.int64)
    if trained.backbone is not None:
        pictures, view = resources.pictures(resolved), Views(geometry=resolved.cell.crops)
        h_N = trained.backbone.embed(validation.items, pictures, view)
    else:
        h_N = resources.train_features(resolved).of(validation.items)
    head = evaluation_head(resolved, trained, resources, resolved.setup.trained.names)
    return predict(_logits(trained, head, h_N), labels_N), labels_N


def on_test(
    resolved: ResolvedCell, trained: Trained, resources: Resources, head: Head | None = None
) -> Predictions:
    """Predictions on the test set, in the cell's views; with the head of `evaluation_head`."""
    if trained.method is not None:
        method = method_of(trained.method, resolved, resources)
        return method_test(method, resolved, resources)
    test, view = resolved.test, views_of(resolved.cell)
    head = head or evaluation_head(resolved, trained, resources, resolved.setup.row_names)
    blocks: Iterable[torch.Tensor]
    if trained.backbone is None:
        blocks = resources.test_features(resolved).rows_of(test.items).blocks()
    else:
        pictures = resources.pictures(resolved, test=True)
        blocks = [trained.backbone.embed(test.items, pictures, view)]
    parts, start = [], 0
    for h_B in blocks:  # the logits of a large test set take more memory than its features
        logits_BC = _logits(trained, head, h_B, several_views=view.count > 1)
        y_B = test.labels[start : start + len(h_B)]
        parts.append(predict(of_tested(resolved, logits_BC), y_B))
        start += len(h_B)
    return joined(parts)


def of_tested(resolved: ResolvedCell, logits_NC: torch.Tensor) -> torch.Tensor:
    """The logits of the tested classes, where W has rows for more: the accuracy is that over the
    tested classes alone.
    """
    rows = resolved.setup.rows
    return logits_NC if rows is None else logits_NC[:, list(rows)]


def evaluation_head(
    resolved: ResolvedCell, trained: Trained, resources: Resources, names: tuple[str, ...]
) -> Head:
    """The trained head with the classifier of `names`: the trained rows for the training classes,
    new rows for other classes (section 4.3), and embeddings of trained texts where texts were
    trained.
    """
    if trained.head is None:
        w_CD = initial_classifier(resolved, names, resources)
        return build_head(resolved, resolved.cell.recipe, len(names), w_CD, resources)
    same = names == resolved.setup.trained.names
    if trained.texts is not None and not (trained.own_rows and same):
        w_CD = trained.texts.embed(names)
        w_CD = initial_classifier(resolved, names, resources) if w_CD is None else w_CD
        w_CD = _with_own_rows(resolved, trained, names, w_CD)
    elif same:
        return trained.head
    else:
        w_CD = initial_classifier(resolved, names, resources)
    if w_CD is None:  # a head with its own rows raises that it cannot be replaced
        w_CD = trained.head.weight()
    return trained.head.with_classifier(w_CD)


def _with_own_rows(
    resolved: ResolvedCell, trained: Trained, names: tuple[str, ...], w_CD: torch.Tensor | None
) -> torch.Tensor | None:
    """Rows that were trained after the texts take the place of these, for their classes."""
    from torch.nn import functional as F

    if w_CD is None or trained.head is None or not trained.own_rows:
        return w_CD
    numbers = {name: c for c, name in enumerate(resolved.setup.trained.names)}
    own_CD = trained.head.weight().to(w_CD.device)
    w_CD = F.normalize(w_CD, dim=-1)
    for row, name in enumerate(names):
        if name in numbers:
            w_CD[row] = own_CD[numbers[name]]
    return w_CD


def evaluation_warnings(
    resolved: ResolvedCell, trained: Trained, head: Head, resources: Resources
) -> tuple[str, ...]:
    """Warnings on the texts of the tested classes, where their rows of W are not those that were
    trained.

    Raises CellError for equal rows, unless the task accepts them.
    """
    names = resolved.setup.row_names
    if trained.head is not None and names == resolved.setup.trained.names:
        return ()
    return text_warnings(resolved, names, head.weight(), resources)


def measured(
    predictions: Predictions, labels_N: IntArray, groups_N: IntArray, by: Mapping[str, Measure]
) -> dict[str, float]:
    """Every measure of the predictions, by name."""
    return {
        name: float(measure.compute(predictions, labels_N, groups_N))
        for name, measure in by.items()
    }


def _logits(
    trained: Trained, head: Head, h_N: torch.Tensor, *, several_views: bool = False
) -> torch.Tensor:
    """logits_NC of cached features, on the CPU."""
    import torch

    if trained.embedding is None:
        raise CellError("nothing makes embeddings of the features")
    with torch.no_grad():
        z_ND = trained.embedding(h_N.to(trained.embedding.device), views=several_views)
        return head.logits(z_ND.to(head.weight().device)).float().cpu()
