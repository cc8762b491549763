"""A head on frozen features: what it reads, and the model that trains the head alone.

Letters of shapes: B batch, V views, T frames, F width of the backbone's features, D width of what
the head reads, N samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.protocols.paradigm import Head
from harness.training.cached import CachedFeatures
from harness.training.model import Projection, count

if TYPE_CHECKING:
    import torch

#: Below this a feature does not vary over the support set, and is only centred.
LEAST_DEVIATION = 1e-6


@dataclass(frozen=True)
class Standard:
    """Mean and standard deviation of every feature over the support set."""

    mean_D: torch.Tensor
    std_D: torch.Tensor

    @classmethod
    def of(cls, z_ND: torch.Tensor) -> Standard:
        """Over the samples of a support set; a feature that does not vary keeps its unit."""
        import torch

        std_D = z_ND.std(dim=0, correction=0)
        return cls(z_ND.mean(dim=0), torch.where(std_D > LEAST_DEVIATION, std_D, 1.0))

    @classmethod
    def of_blocks(cls, blocks: Callable[[], Iterable[torch.Tensor]], n: int) -> Standard:
        """Over n samples that are not in memory together: two passes, in double precision."""
        import torch

        mean_D = torch.stack([z_BD.double().sum(dim=0) for z_BD in blocks()]).sum(dim=0) / n
        squares = [((z_BD.double() - mean_D) ** 2).sum(dim=0) for z_BD in blocks()]
        std_D = (torch.stack(squares).sum(dim=0) / n).sqrt()
        return cls(mean_D.float(), torch.where(std_D > LEAST_DEVIATION, std_D, 1.0).float())


@dataclass(frozen=True)
class FrozenFeatures:
    """From backbone features to what a head on frozen features reads.

    The projection (None: the head reads the backbone's features), the mean over frames and views,
    then length 1, then mean 0 and variance 1 over the support set; the last two if asked for.
    """

    projection: Projection | None
    temporal: Any = None  # over T; None: an item is one picture
    normalise: bool = False
    standard: Standard | None = None

    @property
    def device(self) -> torch.device:
        """Features are read and transformed on the CPU, once."""
        import torch

        return torch.device("cpu")

    def __call__(self, h: torch.Tensor, *, views: bool = False) -> torch.Tensor:
        """z_BD of h_BF, or of h_BTF. With `views` of h_BVF or h_BVTF: the mean over the views,
        before the length is changed.
        """
        from torch.nn import functional as F

        z_BD = self._mean_over_views(h) if views else self._before_length(h)
        if self.normalise:
            z_BD = F.normalize(z_BD, dim=-1)
        if self.standard is not None:
            z_BD = (z_BD - self.standard.mean_D) / self.standard.std_D
        return z_BD

    def _before_length(self, h: torch.Tensor) -> torch.Tensor:
        z: torch.Tensor = h if self.projection is None else self.projection(h)
        if self.temporal is not None:
            z = self.temporal(z)
        return z

    def _mean_over_views(self, h: torch.Tensor) -> torch.Tensor:
        z_NVD: torch.Tensor = self._before_length(h.flatten(0, 1)).unflatten(0, (h.shape[0], -1))
        return z_NVD.mean(dim=1)


@dataclass
class ProbeModel:
    """A head and the features that it reads, which were computed once (see `FrozenFeatures`)."""

    source: CachedFeatures
    head: Head
    texts: None = None
    gather: bool = True

    @property
    def device(self) -> torch.device:
        return self.head.weight().device

    @property
    def feature_dim(self) -> int:
        """D."""
        return self.source.width

    def embedding(self, h: torch.Tensor) -> torch.Tensor:
        """z_BD: the source has it as the head reads it."""
        return h

    def encoder(self) -> list[torch.Tensor]:
        return []

    def tensors(self) -> list[torch.Tensor]:
        return [*self.pretrained(), *self.new()]

    def pretrained(self) -> list[torch.Tensor]:
        """The tensors that train at the learning rate lr."""
        return self.head.pretrained()

    def new(self) -> list[torch.Tensor]:
        """The tensors that train at the learning rate lr_new."""
        return self.head.new()

    def read_texts(self, y_B: torch.Tensor) -> None:
        """W is trained, not made of texts at every step."""

    def teach_texts(self) -> None:
        """There are no texts to teach."""

    def trained_parameters(self) -> int:
        return count(t for t in self.tensors() if t.requires_grad)
