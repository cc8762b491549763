"""What is trained: where features come from, the linear projection behind them, and the head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from harness.types import Head

if TYPE_CHECKING:
    import torch

EVALUATION_BATCH = 32


@dataclass
class Projection:
    """z = h @ weight^T + bias."""

    weight_DF: torch.Tensor
    bias_D: torch.Tensor | None

    def __call__(self, h_BF: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional as F

        return F.linear(h_BF, self.weight_DF, self.bias_D)

    def trainable(self) -> Projection:
        """A copy whose tensors ask for gradients."""
        bias_D = None if self.bias_D is None else self.bias_D.clone().requires_grad_()
        return Projection(self.weight_DF.clone().requires_grad_(), bias_D)

    def parameters(self) -> list[torch.Tensor]:
        return [t for t in (self.weight_DF, self.bias_D) if t is not None]


class Source(Protocol):
    """Backbone features of training samples, by position."""

    def __len__(self) -> int: ...
    def features(self, batch_B: torch.Tensor) -> torch.Tensor:
        """h_BF, with a graph where the backbone is trained."""
        ...

    def parameters(self) -> list[torch.Tensor]:
        """What of it is trained, at the learning rate lr."""
        ...


@dataclass
class CachedFeatures:
    """Tuning `projection`: features that were computed once."""

    h_NF: torch.Tensor

    def __len__(self) -> int:
        return len(self.h_NF)

    def features(self, batch_B: torch.Tensor) -> torch.Tensor:
        return self.h_NF[batch_B]

    def parameters(self) -> list[torch.Tensor]:
        return []


class TunedBackbone:
    """Tuning `all`: an own copy of the encoder, run on the pictures at every step.

    Batch norm keeps its pretrained statistics: a support set of a few pictures would spoil them.
    """

    def __init__(
        self, encoder: Any, pictures: Callable[[Sequence[str]], torch.Tensor], items: Sequence[str]
    ) -> None:
        self._encoder = deepcopy(encoder)
        self._encoder.module.requires_grad_()
        self._pictures, self._items = pictures, list(items)

    @property
    def module(self) -> Any:
        """The tuned torch module."""
        return self._encoder.module

    def __len__(self) -> int:
        return len(self._items)

    def features(self, batch_B: torch.Tensor) -> torch.Tensor:
        h_BF: torch.Tensor = self._encoder.features(
            self._pictures([self._items[i] for i in batch_B.tolist()])
        )
        return h_BF

    def parameters(self) -> list[torch.Tensor]:
        return list(self._encoder.module.parameters())

    def embed(
        self, items: Sequence[str], pictures: Callable[[Sequence[str]], torch.Tensor]
    ) -> torch.Tensor:
        """h_NF of other samples, without a graph."""
        import torch

        with torch.no_grad():
            parts = [
                self._encoder.features(pictures(items[i : i + EVALUATION_BATCH]))
                for i in range(0, len(items), EVALUATION_BATCH)
            ]
        return torch.cat(parts)


@dataclass
class Model:
    """Everything between a sample and its logits."""

    source: Source
    projection: Projection
    head: Head

    def tensors(self) -> list[torch.Tensor]:
        """All that training may change, in a fixed order."""
        return [*self.pretrained(), *self.head.new()]

    def pretrained(self) -> list[torch.Tensor]:
        """The group of learning rate lr."""
        own = [*self.source.parameters(), *self.projection.parameters()]
        return [*own, *self.head.pretrained()]

    def trained_parameters(self) -> int:
        return count(t for t in self.tensors() if t.requires_grad)


def count(tensors: Iterable[torch.Tensor]) -> int:
    return sum(t.numel() for t in tensors)
