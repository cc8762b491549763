"""Modules over time: from the embeddings of a clip's frames to that of the clip."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from harness.core.protocols.plugin import OptionsT_contra, Plugin

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TemporalInputs:
    """What a module over time is made of."""

    dim: int  # D
    frames: int  # T
    generator: torch.Generator  # on the CPU; every initial value is drawn from it
    text_width: int | None = None  # of the encoder's own text transformer; None: not known


class Temporal(Plugin, Protocol[OptionsT_contra]):
    """A module over time, behind the projection or inside the backbone."""

    REQUIRED_FOR: ClassVar[Mapping[tuple[str, str], str]] = {
        ("PLACE", "embedding"): "build",
        ("PLACE", "backbone"): "insert",
    }

    @property
    @abstractmethod
    def PLACE(self) -> str:  # noqa: N802 - a constant of the plugin
        """embedding: `build` makes it; backbone: `insert` changes the image encoder."""
        ...

    def build(self, inputs: TemporalInputs, options: OptionsT_contra) -> torch.nn.Module:
        """A module from z_BTD to z_BD."""
        raise NotImplementedError

    def insert(
        self, module: torch.nn.Module, inputs: TemporalInputs, options: OptionsT_contra
    ) -> Sequence[torch.nn.Parameter]:
        """Change an image encoder in place; the parameters that are new.

        Raises EncoderError for a tower that it does not know.
        """
        raise NotImplementedError
