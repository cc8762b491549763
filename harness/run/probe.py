"""A head on frozen features (tuning: head): the features that it reads, and where W starts.

Letters of shapes: C classes, D width of the embedding, F width of the backbone's features, N
samples, K width of what the head reads (D or F).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.core.cells import HeadSpec, Recipe
from harness.core.errors import CellError
from harness.plan.resolve import ResolvedCell
from harness.run.initialise import initial_classifier
from harness.run.over_frames import over_frames
from harness.run.resources import Resources
from harness.run.support_rows import trained_rows
from harness.training.cached import MOST_IN_MEMORY
from harness.training.probe import FrozenFeatures, Standard
from harness.training.rows import StoredRows

if TYPE_CHECKING:
    import torch

PRETRAINED = "pretrained"


@dataclass(frozen=True)
class Start:
    """Where a head starts: W, and the bias that the start implies (None: 0)."""

    w_CK: torch.Tensor
    b_C: torch.Tensor | None = None

    def times(self, factor_C: torch.Tensor | float) -> Start:
        """Logits times a factor, one for all classes or one for each."""
        b_C = None if self.b_C is None else self.b_C * factor_C
        w_KC = self.w_CK.T * factor_C
        return Start(w_KC.T.contiguous(), b_C)


def spec_of(resolved: ResolvedCell) -> HeadSpec:
    """The head that the cell trains. Raises CellError for a cell of another tuning."""
    if resolved.cell.head is None:
        raise CellError("this cell trains no head on frozen features")
    return resolved.cell.head


def frozen_features(resolved: ResolvedCell, resources: Resources) -> FrozenFeatures:
    """What makes the features that the cell's head reads. Raises CellError without samples."""
    spec = spec_of(resolved)
    encoder = resources.encoder(resolved)
    on_embedding = spec.on == "embedding"
    features = FrozenFeatures(
        encoder.projection.on("cpu") if on_embedding else None,
        over_frames(
            resolved,
            resources,
            "cpu",
            trained=False,
            width=None if on_embedding else resolved.setup.facts.feature_dim,
        ),
        # A cosine head sets the length itself.
        normalise=spec.normalise and is_linear(resolved),
    )
    if not spec.standardise:
        return features
    return replace(features, standard=_standard(trained_rows(resolved, resources), features))


def _standard(rows: StoredRows, features: FrozenFeatures) -> Standard:
    """Mean and deviation of the support set, by blocks where it is not in memory as a whole."""
    if rows.nbytes > MOST_IN_MEMORY:
        return Standard.of_blocks(lambda: map(features, rows.blocks()), len(rows))
    return Standard.of(features(rows.gather()))


def is_linear(resolved: ResolvedCell) -> bool:
    """Whether the head is linear: W with a bias, of which the length counts."""
    return resolved.setup.is_linear


def start_of(
    resolved: ResolvedCell, recipe: Recipe, resources: Resources, features: FrozenFeatures
) -> Start:
    """W before training, as the head reads features.

    The initialisation, taken to the width of the features; rows of the length `start_norm`; times
    `start_scale`; and, with standardised features, what gives the same logits on those.

    Raises CellError for a cell without a classifier.
    """
    spec = spec_of(resolved)
    start = _with_length(_initial(resolved, resources, features), spec.start_norm)
    if not is_linear(resolved):
        return start  # a cosine head has a logit scale, and no bias
    start = start.times(_scale(resolved, recipe))
    if features.standard is not None:
        start = _on_standardised(start, features.standard)
    return start if spec.bias else Start(start.w_CK)


def _initial(resolved: ResolvedCell, resources: Resources, features: FrozenFeatures) -> Start:
    """The cell's initialisation. One made of texts is made in the embedding and taken through the
    projection: <z, w> = <h, P^T w> + <b, w> for z = P h + b. Others are made of the backbone's
    features themselves.
    """
    names, classifier = resolved.setup.trained.names, resolved.setup.classifier
    through = features.projection is None and "text" in resolved.setup.uses
    own_width = features.projection is None and not through
    w_CD = initial_classifier(resolved, names, resources, of_backbone=own_width)
    if w_CD is None or classifier is None:
        raise CellError("a head on frozen features needs a classifier to start from")
    if not through:
        return Start(w_CD)
    projection = resources.encoder(resolved).projection.on("cpu")
    b_C = None if projection.bias_D is None else w_CD @ projection.bias_D
    return Start(w_CD @ projection.weight_DF, b_C)


def _with_length(start: Start, length: str | float) -> Start:
    """Rows of one length; a row of zeros stays one."""
    import torch

    if length == "raw":
        return start
    norm_C = start.w_CK.norm(dim=1)
    wanted = 1.0 if isinstance(length, str) else length
    return start.times(torch.where(norm_C > 0, wanted / norm_C, 1.0))


def _scale(resolved: ResolvedCell, recipe: Recipe) -> float:
    scale = spec_of(resolved).start_scale
    if not isinstance(scale, str):
        return scale
    classifier = resolved.setup.classifier
    own = classifier.options.scale if classifier else None
    return float(own or recipe.logit_scale or resolved.setup.facts.logit_scale)


def _on_standardised(start: Start, standard: Standard) -> Start:
    """The start that gives, on (z - mean) / std, the logits of `start` on z."""
    b_C = start.w_CK @ standard.mean_D
    return Start(start.w_CK * standard.std_D, b_C if start.b_C is None else start.b_C + b_C)
