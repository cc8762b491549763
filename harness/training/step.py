"""One update from a batch, in micro-batches that several processes share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.cells import Recipe
from harness.core.errors import CellError
from harness.core.protocols.solver import TrainableModel
from harness.training.agreement import agreement
from harness.training.distributed import World
from harness.training.exchange import GradientExchange
from harness.training.precision import Precision
from harness.training.proximal import Anchor
from harness.training.transfer import to_device

if TYPE_CHECKING:
    import torch

    from harness.training.schedule import Parts


@dataclass
class Stepper:
    """The updates of a training. `inputs` gives what the features of this process's micro-batches
    are made of, in their order.
    """

    model: TrainableModel
    optimiser: torch.optim.Optimizer
    recipe: Recipe
    labels_N: torch.Tensor
    group: World
    precision: Precision
    anchors: Sequence[Anchor]
    inputs: Iterator[Any]

    def __post_init__(self) -> None:
        encoder = self.model.encoder()
        of_encoder = {id(t) for t in encoder}
        rest = [t for t in self.model.tensors() if id(t) not in of_encoder]
        self._every_tensor = GradientExchange(self.model.tensors(), self.group)
        self._encoder = GradientExchange(encoder, self.group)
        self._head_and_texts = GradientExchange(rest, self.group)

    def close(self) -> None:
        """After the last step."""
        for exchange in (self._every_tensor, self._encoder, self._head_and_texts):
            exchange.close()

    def step(self, parts: Parts, drop: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """One update. The mean loss and the number of correct predictions of the batch, both in
        float64 on the device.

        Raises the same error in all processes if one of them fails; see `agreement`.
        """
        model = self.model
        self.optimiser.zero_grad()
        contrasts_batch = model.head.whole_batch and model.gather and len(parts) > 1
        loss, right = (self._contrasted if contrasts_batch else self._summed)(parts, drop)
        # The first step makes the moments, for which there may be too little memory; and statistics
        # are exchanged next. Else the next step's agreement is soon enough.
        agrees = model.source.statistics() or not self.optimiser.state
        with agreement(self.group) if agrees else nullcontext():
            self.precision.unscale(self.optimiser)
            for anchor in self.anchors:
                anchor.add_gradient()
            self.precision.step(self.optimiser)
        model.source.end_step()
        return loss, right

    def _summed(self, parts: Parts, drop: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Micro-batches for a loss that is a mean over samples: their gradients add up to that of
        the batch. A contrastive loss without the gather is computed within each micro-batch.
        """
        import torch

        total = sum(len(part_B) for part_B, _ in parts)
        loss_sum = torch.zeros((), dtype=torch.float64, device=self.model.device)
        right = torch.zeros_like(loss_sum)
        with self._every_tensor.step(sum(mine for _, mine in parts)):
            self.model.read_texts(self._labels(parts))
            for part_B, mine in parts:
                if not mine:
                    self._skip(part_B, drop)
                    continue
                y_B = self._labels([(part_B, True)])
                z_BD = self._embed(next(self.inputs), drop)
                mean, logits_BC = self.model.head.loss_and_logits(z_BD, y_B)
                loss = mean * (len(part_B) / total)
                self.precision.backward(loss)
                loss_sum += loss.detach()
                right += _right(logits_BC, y_B)
            self.model.teach_texts()
        self.group.add([loss_sum, right])
        return loss_sum, right

    def _contrasted(self, parts: Parts, drop: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Micro-batches for a loss that contrasts the samples of a batch, with all negatives.

        Two passes (Gao et al. 2021). The first computes the embeddings of all parts without a
        graph, gathers them over the processes, and computes the loss and its gradient at the
        embeddings. The second computes each part again from the same inputs, with a graph, and
        backpropagates that gradient through it.

        Of the head and the texts every process computes the gradient of the whole batch, and takes
        an equal share of it. Their sum is the same in all processes, even where the kernels of a
        GPU are not deterministic.
        """
        size = self.group.size
        began = drop.get_state()
        lengths = [len(part_B) for part_B, _ in parts]
        with agreement(self.group):
            self.model.read_texts(self._labels(parts))
            inputs = [next(self.inputs) if mine else None for _, mine in parts]
            z_BD, y_B = self._first_pass(parts, inputs, drop), self._labels(parts)
        self.group.add([z_BD])
        z_BD.requires_grad_()
        with self._head_and_texts.step(1):
            loss, logits_BC = self.model.head.loss_and_logits(z_BD, y_B)
            self.precision.backward(loss / size)
            if z_BD.grad is None:
                raise CellError("the loss does not depend on the embeddings")
            self.model.teach_texts()
        with self._encoder.step(sum(mine for _, mine in parts)):
            drop.set_state(began)  # the second pass drops the same elements
            gradients = (z_BD.grad * size).split(lengths)
            for (part_B, mine), x, gradient_BD in zip(parts, inputs, gradients, strict=True):
                if mine:
                    self._embed(x, drop).backward(gradient_BD)
                else:
                    self._skip(part_B, drop)
        return loss.detach().double(), _right(logits_BC, y_B).double()

    def _first_pass(
        self, parts: Parts, inputs: Sequence[Any], drop: torch.Generator
    ) -> torch.Tensor:
        """z_BD without a graph: zeros for the parts of other processes."""
        import torch

        def embedded(part_B: torch.Tensor, inputs: Any, *, mine: bool) -> torch.Tensor:
            if mine:
                return self._embed(inputs, drop)
            self._skip(part_B, drop)
            width = self.model.head.weight().shape[1]
            return torch.zeros(len(part_B), width, device=self.model.device)

        with torch.no_grad():
            z_PBD = [
                embedded(part_B, x, mine=mine)
                for (part_B, mine), x in zip(parts, inputs, strict=True)
            ]
        return torch.cat(z_PBD)

    def _labels(self, parts: Parts) -> torch.Tensor:
        """y_B of the samples of some micro-batches."""
        import torch

        batch_B = torch.cat([part_B for part_B, _ in parts]) if len(parts) > 1 else parts[0][0]
        return self.labels_N[to_device(batch_B, self.labels_N.device)]

    def _embed(self, inputs: Any, drop: torch.Generator) -> torch.Tensor:
        """z_BD as float32, whatever the precision of the encoder."""
        with self.precision.forward():
            h_BF = dropout(self.model.source.features(inputs), self.recipe.dropout, drop)
            return self.model.embedding(h_BF).float()

    def _skip(self, part_B: torch.Tensor, drop: torch.Generator) -> None:
        """Draw the dropout of another process's part, so that the streams stay equal."""
        if self.recipe.dropout:
            frames = [self.model.source.frames] if self.model.source.frames else []
            shape = (len(part_B), *frames, self.model.feature_dim)
            _kept(shape, self.recipe.dropout, drop)


def _right(logits_BC: torch.Tensor, y_B: torch.Tensor) -> torch.Tensor:
    return (logits_BC.argmax(dim=1) == y_B).sum()


def dropout(h_BF: torch.Tensor, rate: float, stream: torch.Generator) -> torch.Tensor:
    """Inverted dropout from a stream of its own, drawn on the CPU."""
    if rate == 0:
        return h_BF
    return h_BF * to_device(_kept(h_BF.shape, rate, stream), h_BF.device) / (1 - rate)


def _kept(shape: Sequence[int], rate: float, stream: torch.Generator) -> torch.Tensor:
    import torch

    return torch.rand(tuple(shape), generator=stream) >= rate
