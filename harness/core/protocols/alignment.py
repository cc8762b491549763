"""Maps from the width of texts to that of pictures, where an encoder of its own reads the texts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.core.protocols.plugin import OptionsT_contra, Plugin

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class AlignmentInputs:
    """What a map from the text's width E to the pictures' width D may look at."""

    text_dim: int
    dim: int
    generator: torch.Generator
    text_CE: torch.Tensor | None = None  # of the training classes
    support_ND: torch.Tensor | None = None
    labels_N: torch.Tensor | None = None

    def fitted_on(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(C, E) texts, (N, D) embeddings of the support set before training, labels (N,)."""
        if self.text_CE is None or self.support_ND is None or self.labels_N is None:
            raise LookupError("USES of this alignment does not name 'text' and 'support'")
        return self.text_CE, self.support_ND, self.labels_N


class Alignment(Plugin, Protocol[OptionsT_contra]):
    """A linear map from texts to pictures."""

    @property
    @abstractmethod
    def USES(self) -> Sequence[str]:  # noqa: N802 - a constant of the plugin
        """What it is made of: text, support, seed. It gets nothing else."""
        ...

    @abstractmethod
    def build(self, inputs: AlignmentInputs, options: OptionsT_contra) -> torch.Tensor:
        """map_ED."""
        ...
