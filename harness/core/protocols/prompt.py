"""Prompts: the texts that stand for a class."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from harness.core.protocols.encoder import TunableText
from harness.core.protocols.plugin import OptionsT_contra, Plugin
from harness.core.text_context import ContextForm

if TYPE_CHECKING:
    import torch


class Prompt(Plugin, Protocol[OptionsT_contra]):
    """What is made of a class name before the text encoder reads it."""

    #: Whether it has parameters: `start` makes them, and training moves them.
    TRAINED: bool = False
    #: Whether it has an option `dataset`, which planning fills with the name of the cell's data set
    #: where the task does not set it.
    NAMES_DATASET: bool = False

    @abstractmethod
    def texts(self, names: Sequence[str], options: OptionsT_contra) -> list[list[str]]:
        """For every class the texts that training reads."""
        ...

    def evaluation_texts(self, names: Sequence[str], options: OptionsT_contra) -> list[list[str]]:
        """For every class the texts that evaluation reads."""
        return self.texts(names, options)

    def drawn(self, options: OptionsT_contra) -> bool:
        """Whether training draws one of a class's texts at every step."""
        return False

    def averaging(self, options: OptionsT_contra) -> str:
        """How the embeddings of a class's texts become one: normalised | plain."""
        return "normalised"

    def context_form(self, options: OptionsT_contra) -> ContextForm:
        """Where the learned context is in a text, and whose it is; only with TRAINED."""
        return ContextForm()

    def start(
        self,
        options: OptionsT_contra,
        encoder: TunableText,
        generator: torch.Generator,
        n_classes: int = 1,
    ) -> torch.Tensor:
        """The learned context before training, on the CPU: (M, E), or (n_classes, M, E) where its
        form is class-specific; only with TRAINED.
        """
        raise NotImplementedError
