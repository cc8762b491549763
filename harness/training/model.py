"""The trained model: feature source, embedding, class texts and head."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.protocols.paradigm import Head
from harness.core.protocols.solver import ChangingTexts, FeatureSource

if TYPE_CHECKING:
    import torch


@dataclass
class Projection:
    """z = h @ weight^T + bias."""

    weight_DF: torch.Tensor
    bias_D: torch.Tensor | None

    def __call__(self, h_BF: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional as F

        return F.linear(h_BF, self.weight_DF, self.bias_D)

    def trainable(self, torch_device: Any = "cpu") -> Projection:
        """A copy on a device, whose tensors require gradients."""

        def trainable_copy(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.detach().clone().to(torch_device).requires_grad_()

        bias_D = None if self.bias_D is None else trainable_copy(self.bias_D)
        return Projection(trainable_copy(self.weight_DF), bias_D)

    def tune(self, tuning: str) -> None:
        """Train it where it, or all of the encoder, is tuned, and its bias where the biases are."""
        whole = tuning in ("projection", "all")
        self.weight_DF.requires_grad_(whole)
        if self.bias_D is not None:
            self.bias_D.requires_grad_(whole or tuning == "bias")

    def on(self, torch_device: Any) -> Projection:
        """The same values on a device, without a graph."""
        bias_D = None if self.bias_D is None else self.bias_D.detach().to(torch_device)
        return Projection(self.weight_DF.detach().to(torch_device), bias_D)

    def parameters(self) -> list[torch.Tensor]:
        return [t for t in (self.weight_DF, self.bias_D) if t is not None]


@dataclass
class Embedding:
    """From backbone features to the joint space: the projection, then a module over time."""

    projection: Projection
    temporal: Any = None  # z_BTD to z_BD; None: an item is one image

    @property
    def device(self) -> torch.device:
        """The device of the projection."""
        return self.projection.weight_DF.device

    def __call__(self, h: torch.Tensor, *, views: bool = False) -> torch.Tensor:
        """z_BD of h_BF, or of h_BTF. With `views` of h_BVF or h_BVTF: the mean over the views,
        before normalisation.
        """
        if views:
            z_NVD: torch.Tensor = self(h.flatten(0, 1)).unflatten(0, (h.shape[0], -1))
            return z_NVD.mean(dim=1)
        z_BD = self.projection(h)
        if self.temporal is not None:
            z_BD = self.temporal(z_BD)
        return z_BD

    def new(self) -> list[torch.Tensor]:
        return [] if self.temporal is None else list(self.temporal.parameters())


@dataclass
class Model:
    """Everything between a sample and its logits."""

    source: FeatureSource
    embedding: Embedding
    head: Head
    texts: ChangingTexts | None = None
    gather: bool = True  # contrast the whole batch; else each micro-batch alone
    _rows: tuple[torch.Tensor, torch.Tensor] | None = field(default=None, init=False, repr=False)

    @property
    def device(self) -> torch.device:
        """The device of the projection and of everything that is trained."""
        return self.embedding.device

    @property
    def feature_dim(self) -> int:
        """F."""
        return self.embedding.projection.weight_DF.shape[1]

    def encoder(self) -> list[torch.Tensor]:
        """The tensors between images and embeddings."""
        pretrained = [*self.source.pretrained(), *self.embedding.projection.parameters()]
        return [*pretrained, *self.source.new(), *self.embedding.new()]

    def tensors(self) -> list[torch.Tensor]:
        """All tensors that training may change, in a fixed order."""
        return [*self.pretrained(), *self.new(), *self.source.statistics()]

    def pretrained(self) -> list[torch.Tensor]:
        """The tensors that train at the learning rate lr."""
        encoder = [*self.source.pretrained(), *self.embedding.projection.parameters()]
        texts = self.texts.pretrained() if self.texts else []
        return [*encoder, *texts, *self.head.pretrained()]

    def new(self) -> list[torch.Tensor]:
        """The tensors that train at the learning rate lr_new."""
        texts = self.texts.new() if self.texts else []
        return [*self.source.new(), *self.embedding.new(), *texts, *self.head.new()]

    def read_texts(self, y_B: torch.Tensor) -> None:
        """Recompute rows of W for a step: those of the batch's labels if the head contrasts the
        samples of a batch, else those of every class.
        """
        import torch

        if self.texts is None:
            return
        self.texts.begin_step()
        n_classes = len(self.head.weight())
        classes_U = y_B.unique() if self.head.whole_batch else torch.arange(n_classes)
        w_UD = self.texts.rows(classes_U.cpu())
        self._rows = (classes_U, w_UD)
        self.head.put_rows(classes_U, w_UD.detach(), trained=w_UD.requires_grad)

    def teach_texts(self) -> None:
        """Backpropagate the gradient at W into the texts that its rows were computed from."""
        if self._rows is None:
            return
        classes_U, w_UD = self._rows
        gradient_CD = self.head.weight_gradient()
        if w_UD.requires_grad and gradient_CD is not None:
            w_UD.backward(gradient_CD[classes_U].to(w_UD.device))
        self._rows = None

    def trained_parameters(self) -> int:
        return count(t for t in self.tensors() if t.requires_grad)


def count(tensors: Iterable[torch.Tensor]) -> int:
    return sum(t.numel() for t in tensors)
