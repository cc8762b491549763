"""Methods: what the field calls adapters, on frozen features (Tip-Adapter, LP++, ridge, ...).

A method takes the place of paradigm and tuning. It sees embeddings, rows of the classifier, texts
and labels, and no files. Letters of shapes: N support pictures, V views, M validation samples,
C classes, D width of the embedding.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from harness.core.protocols.plugin import OptionsT_contra, Plugin

if TYPE_CHECKING:
    import torch

#: What a method may ask for in USES.
METHOD_MATERIALS = ("text", "classifier", "support", "views", "validation", "seed")
#: Those that are made of support pictures.
OF_SUPPORT = ("support", "views")
#: The most settings that are tried in a search over the space that a method declares.
BUDGET = 16


@dataclass(frozen=True)
class MethodInputs:
    """What a method is fitted to; asking for what it did not declare in USES raises LookupError."""

    n_classes: int  # C
    dim: int  # D
    logit_scale: float  # the encoder's own, or that of `init`
    generator: torch.Generator  # on the CPU; every random number comes from it
    text_CD: torch.Tensor | None = None
    classifier_CD: torch.Tensor | None = None
    support_ND: torch.Tensor | None = None
    labels_N: torch.Tensor | None = None
    views_NVD: torch.Tensor | None = None
    view_labels_N: torch.Tensor | None = None
    validation_MD: torch.Tensor | None = None
    validation_labels_M: torch.Tensor | None = None

    def text(self) -> torch.Tensor:
        """(C, D) text embeddings, not normalised."""
        if self.text_CD is None:
            raise LookupError("USES of this method does not name 'text'")
        return self.text_CD

    def classifier(self) -> torch.Tensor:
        """w_CD: the rows that the cell's `classifier` begins with; the text embeddings, if the task
        names none. Of length 1, or with its option `normalise: false` as they were made.
        """
        if self.classifier_CD is None:
            raise LookupError("USES of this method does not name 'classifier'")
        return self.classifier_CD

    def support(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, D) embeddings of the support set, not normalised, and labels (N,). With
        `support_views` these are means over the views of a picture, or with `use: pool` all views.
        """
        if self.support_ND is None or self.labels_N is None:
            raise LookupError("USES of this method does not name 'support'")
        return self.support_ND, self.labels_N

    def views(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, V, D) embeddings of the views of the support pictures, not normalised, and the labels
        (N,) of the pictures. Without `support_views` the one view is the whole picture.
        """
        if self.views_NVD is None or self.view_labels_N is None:
            raise LookupError("USES of this method does not name 'views'")
        return self.views_NVD, self.view_labels_N

    def validation(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(M, D) embeddings of the validation samples, not normalised, and labels (M,)."""
        if self.validation_MD is None or self.validation_labels_M is None:
            raise LookupError("USES of this method does not name 'validation'")
        return self.validation_MD, self.validation_labels_M


class Method(Plugin, Protocol[OptionsT_contra]):
    """A way from frozen embeddings to logits with a state of its own."""

    #: Options and the values that `search: declared` tries, all combinations: at most BUDGET.
    SPACE: Mapping[str, Sequence[Any]] = {}

    @property
    @abstractmethod
    def USES(self) -> Sequence[str]:  # noqa: N802 - a constant of the plugin
        """What it is fitted to, of METHOD_MATERIALS: it gets nothing else."""
        ...

    @abstractmethod
    def fit(self, inputs: MethodInputs, options: OptionsT_contra) -> Any:
        """The trained state, whatever `logits` needs."""
        ...

    @abstractmethod
    def logits(self, z_ND: torch.Tensor, state: Any) -> torch.Tensor:
        """logits_NC of embeddings as the encoder gives them, not normalised."""
        ...

    def weight(self, state: Any) -> torch.Tensor | None:
        """w_CD of a method whose logits are linear in the embedding; None for all others."""
        return None

    def parameters(self, state: Any) -> int:
        """How many numbers were trained."""
        return 0

    def facts(self, state: Any) -> Mapping[str, Any]:
        """What the Record keeps of the fit among its diagnostics, as JSON data."""
        return {}
