"""Initialisations of the classifier: the rows of W before training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import TypeVar

from harness.core.cells import Choice
from harness.core.logit_scales import checked_factor
from harness.core.protocols.plugin import Plugin

if TYPE_CHECKING:
    import torch

#: What a classifier or an alignment may ask for in USES.
MATERIALS = ("text", "support", "seed")
#: What a classifier alone may ask for beside these: the W of the file that `init` names.
SAVED = "saved"


class ClassifierOptions(BaseModel):
    """scale: the logit scale, in place of the encoder's own. normalise: rows of W have length 1
    in the forward pass, so the length in which they were drawn does not matter.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Annotated[float, Field(gt=0), AfterValidator(checked_factor)] | None = None
    normalise: bool = True


OwnOptionsT_contra = TypeVar(
    "OwnOptionsT_contra", bound=ClassifierOptions, contravariant=True, default=ClassifierOptions
)


@dataclass(frozen=True)
class ClassifierInputs:
    """What an initialisation may look at; asking for what it did not declare in USES raises."""

    n_classes: int
    dim: int
    generator: torch.Generator
    text_CD: torch.Tensor | None = None
    support_ND: torch.Tensor | None = None
    labels_N: torch.Tensor | None = None
    saved_CD: torch.Tensor | None = None
    validation_MD: torch.Tensor | None = None
    validation_labels_M: torch.Tensor | None = None
    logit_scale: float = 1.0  # the option `scale`, else that of `init`, else the encoder's

    def text(self) -> torch.Tensor:
        """(C, D) text embeddings, not normalised."""
        if self.text_CD is None:
            raise LookupError("USES of this classifier does not name 'text'")
        return self.text_CD

    def support(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, D) embeddings of the support set before training, and labels (N,)."""
        if self.support_ND is None or self.labels_N is None:
            raise LookupError("USES of this classifier does not name 'support'")
        return self.support_ND, self.labels_N

    def saved(self) -> torch.Tensor:
        """(C, D), the W that an earlier training saved, for the same classes in the same order."""
        if self.saved_CD is None:
            raise LookupError("USES of this classifier does not name 'saved'")
        return self.saved_CD

    def validation(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(M, D) embeddings of the validation samples before training, and labels (M,)."""
        if self.validation_MD is None or self.validation_labels_M is None:
            raise LookupError("this classifier does not say that it reads validation samples")
        return self.validation_MD, self.validation_labels_M


class Classifier(Plugin, Protocol[OwnOptionsT_contra]):
    """An initialisation."""

    Options: type[ClassifierOptions] = ClassifierOptions

    @property
    @abstractmethod
    def USES(self) -> Sequence[str]:  # noqa: N802 - a constant of the plugin
        """What it is made of, of MATERIALS and SAVED: it gets nothing else."""
        ...

    def reads_validation(self, given: Mapping[str, Any]) -> bool:
        """Whether it also looks at the cell's validation samples, which need the key `val`, with
        options as a task gives them.
        """
        return False

    def prompt(self, given: Mapping[str, Any]) -> Choice | None:
        """The prompt whose texts it reads in place of the cell's, with options as a task gives
        them; None: the cell's own.
        """
        return None

    @abstractmethod
    def build(self, inputs: ClassifierInputs, options: OwnOptionsT_contra) -> torch.Tensor:
        """w_CD, the rows of W in the order of the classes."""
        ...
