"""Methods on frozen features: fitted to the inputs that they declare, and their predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import CellError
from harness.core.protocols.measure import Predictions
from harness.core.protocols.method import Method, MethodInputs
from harness.core.seeding import torch_stream
from harness.plan.resolve import ResolvedCell
from harness.run.build import normalises, pretrained_embedding
from harness.run.equal_texts import text_warnings, uses_text
from harness.run.initialise import (
    embedded_support,
    embedded_views,
    initial_classifier,
    saved_logit_scale,
    text_classifier,
)
from harness.run.resources import Resources
from harness.training.predictions import predict

if TYPE_CHECKING:
    import torch

    from harness.core.samples import IntArray

#: Prefix of a method's options in a search.
PREFIX = "method."


@dataclass(frozen=True)
class FittedMethod:
    """A method with its trained state."""

    plugin: Method
    state: Any
    config: Mapping[str, Any] = field(default_factory=dict)  # what a search set
    names: tuple[str, ...] = ()  # the classes of its logits

    @property
    def parameters(self) -> int:
        """The number of trained parameters."""
        return self.plugin.parameters(self.state)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the Record keeps of the fit."""
        return self.plugin.facts(self.state)

    def weight(self) -> torch.Tensor | None:
        """w_CD if the method has a plain classifier."""
        return self.plugin.weight(self.state)

    def predict(
        self, z_ND: torch.Tensor, labels_N: IntArray, rows: Sequence[int] | None = None
    ) -> Predictions:
        """With `rows` among these classes only. Raises CellError for logits that are not finite, or
        of another shape than (N, C).
        """
        import torch

        with torch.no_grad():
            logits_NC = self.plugin.logits(z_ND, self.state).float().cpu()
        if logits_NC.ndim != 2 or len(logits_NC) != len(z_ND):
            raise CellError(f"the method gives logits of the shape {tuple(logits_NC.shape)}")
        if rows is not None:
            logits_NC = logits_NC[:, list(rows)]
        return predict(logits_NC, labels_N)


def fit_method(
    resolved: ResolvedCell, resources: Resources, config: Mapping[str, Any] | None = None
) -> FittedMethod:
    """Fit the cell's method; `config` are options that a search sets, as `method.NAME`.

    Raises CellError for a value that the method refuses.
    """
    chosen = resolved.setup.method
    if chosen is None:
        raise CellError("the cell names no method")
    changes = {key.removeprefix(PREFIX): value for key, value in (config or {}).items()}
    try:
        options = chosen.plugin.Options(**(dict(chosen.choice.options) | changes))
    except ValueError as error:
        raise CellError(f"method {chosen.choice}: {error}") from error
    state = chosen.plugin.fit(_inputs(resolved, resources), options)
    return FittedMethod(chosen.plugin, state, config or {}, resolved.setup.row_names)


def method_of(fitted: FittedMethod, resolved: ResolvedCell, resources: Resources) -> FittedMethod:
    """The method for the classes of a cell: as it is, or fitted to other texts. Cells that share a
    training may be tested on other classes.
    """
    if fitted.names == resolved.setup.row_names:
        return fitted
    return fit_method(resolved, resources, fitted.config)


def method_warnings(resolved: ResolvedCell, resources: Resources) -> tuple[str, ...]:
    """Warnings on the class texts of the cell's method.

    Raises CellError for texts with equal embeddings, unless the task accepts them.
    """
    names = resolved.setup.row_names
    if not uses_text(resolved):
        return ()
    text_CD = text_classifier(resolved, names, resources)
    return text_warnings(resolved, names, text_CD, resources)


def _inputs(resolved: ResolvedCell, resources: Resources) -> MethodInputs:
    """The inputs that the method declares in USES, and no others."""
    import torch

    setup, seed = resolved.setup, resolved.cell.seed
    uses = setup.method.plugin.USES if setup.method else ()
    text_CD = classifier_CD = support_ND = labels_N = views_NVD = view_labels_N = None
    validation_MD = validation_labels_M = None
    if "text" in uses:
        text_CD = text_classifier(resolved, setup.row_names, resources)
    if "classifier" in uses:
        classifier_CD = _rows_of_classifier(resolved, resources)
    if "views" in uses:
        views_NVD, view_labels_N = embedded_views(resolved, resources)
    if "support" in uses:
        support_ND, labels_N = embedded_support(resolved, resources)
    if "validation" in uses:
        validation_MD, labels_M = _validation_embeddings(resolved, resources)
        validation_labels_M = torch.from_numpy(labels_M)
    return MethodInputs(
        n_classes=len(setup.row_names),
        dim=setup.facts.dim,
        logit_scale=_logit_scale(resolved, resources),
        generator=torch_stream(seed, "method"),
        text_CD=text_CD,
        classifier_CD=classifier_CD,
        views_NVD=views_NVD,
        view_labels_N=view_labels_N,
        support_ND=support_ND,
        labels_N=labels_N,
        validation_MD=validation_MD,
        validation_labels_M=validation_labels_M,
    )


def _rows_of_classifier(resolved: ResolvedCell, resources: Resources) -> torch.Tensor | None:
    """w_CD of the cell's classifier, of length 1 unless it says otherwise."""
    from torch.nn import functional as F

    w_CD = initial_classifier(resolved, resolved.setup.row_names, resources)
    if w_CD is None:
        raise CellError("the method needs a classifier that makes rows of W")
    return F.normalize(w_CD, dim=1) if normalises(resolved.setup) else w_CD


def _logit_scale(resolved: ResolvedCell, resources: Resources) -> float:
    """Of the classifier, else of `init`, else of the pretrained encoder."""
    setup = resolved.setup
    of_classifier = setup.classifier.options.scale if setup.classifier else None
    return of_classifier or saved_logit_scale(resolved, resources) or setup.facts.logit_scale


def method_validation(
    method: FittedMethod, resolved: ResolvedCell, resources: Resources
) -> tuple[Predictions, IntArray]:
    """Predictions on the validation samples, and their labels.

    Raises CellError if there are none.
    """
    z_MD, labels_M = _validation_embeddings(resolved, resources)
    return method.predict(z_MD, labels_M), labels_M


def method_test(method: FittedMethod, resolved: ResolvedCell, resources: Resources) -> Predictions:
    """Predictions on the test set from embeddings of the frozen encoder, in the cell's views."""
    import torch

    test, several = resolved.test, resolved.cell.views != "1x1"
    with torch.no_grad():
        h_N = resources.test_features(resolved).of(test.items)
        z_ND = pretrained_embedding(resolved, resources)(h_N, views=several)
    return method.predict(z_ND, test.labels, resolved.setup.rows)


def _validation_embeddings(
    resolved: ResolvedCell, resources: Resources
) -> tuple[torch.Tensor, IntArray]:
    """(M, D) embeddings of the validation samples by the frozen encoder, and labels (M,)."""
    import torch

    validation = resolved.validation
    if validation is None:
        raise CellError("there are no validation samples")
    with torch.no_grad():
        h_N = resources.train_features(resolved).of(validation.items)
        z_MD = pretrained_embedding(resolved, resources)(h_N)
    return z_MD, np.array(validation.labels, dtype=np.int64)
