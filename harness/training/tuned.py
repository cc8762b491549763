"""A backbone that is tuned: its training views, read ahead, and its features in evaluation."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.errors import CellError
from harness.sampling.views import Views
from harness.training.agreement import agreement
from harness.training.batch_norm import BatchNorms
from harness.training.distributed import world
from harness.training.item_views import ONE_VIEW, ItemViews, shaped
from harness.training.loader import default_workers, read_ahead
from harness.training.numerics import float32_as
from harness.training.pictures import KEPT_BYTES, Pictures
from harness.training.precision import autocast
from harness.training.tower_parts import IMAGE, WHOLE, TowerPart, Tuned, TunedTower
from harness.training.training_views import Sampling, TrainingViews
from harness.training.transfer import to_device

if TYPE_CHECKING:
    import torch

#: Images per batch in evaluation, by the type of the device.
EVALUATION_BATCH = {"cpu": 32, "cuda": 256}


@dataclass(frozen=True)
class Execution:
    """How a backbone is run: the precision of evaluation, and recipe.channels_last and compile."""

    evaluation: str = "float32"
    channels_last: bool = False
    compile: bool = False


@dataclass(frozen=True)
class Numbered:
    """Pixels of a micro-batch with the numbers of its samples, for what is drawn with each."""

    x_NCHW: torch.Tensor
    epoch: int
    part_B: torch.Tensor


class TunedBackbone:
    """A copy of the encoder, run on the images at every step. `part` is what of it is trained: all,
    unless `tune` says another.

    Batch norm keeps its pretrained statistics, as a small support set gives poor estimates, unless
    the recipe says `batch_norm: updated`.
    """

    def __init__(
        self,
        encoder: Any,
        pictures: Pictures,
        items: Sequence[str],
        sampling: Sampling,
        torch_device: Any,
        *,
        workers: int | None = None,
        execution: Execution = Execution(),
    ) -> None:
        import torch

        self._encoder = deepcopy(encoder)
        self._encoder.module.to(torch_device)
        self._execution, self._run = execution, self._encoder.features
        self._device, self._sampling = torch.device(torch_device), sampling
        self._pinned = self._device.type == "cuda" and torch.cuda.is_available()
        self._workers = default_workers() if workers is None else workers
        self._views = TrainingViews(pictures, list(items), sampling)
        self._new: list[torch.Tensor] = []
        self._norms = BatchNorms(self._encoder.module) if sampling.batch_norm else None
        self._tower, self.first_epoch = TunedTower(self.module, WHOLE, IMAGE), 0
        if execution.channels_last:
            self._encoder.module.to(memory_format=torch.channels_last)
        if execution.compile:
            self._run = torch.compile(self._encoder.features)

    @property
    def module(self) -> Any:
        """The tuned torch module."""
        return self._encoder.module

    @property
    def part(self) -> TowerPart:
        """What of it is trained now."""
        return self._tower.part

    @property
    def frames(self) -> int | None:
        return self._sampling.frames

    def state(self) -> dict[str, torch.Tensor]:
        """The current tensors of the encoder, without inserted ones; of adapters, the weights that
        they make.
        """
        return self._tower.state()

    def inserted(self) -> dict[str, torch.Tensor]:
        """Inserted parameters by their names in the module; a shared one has several names."""
        ids = {id(tensor) for tensor in self._new}
        named = self.module.named_parameters(remove_duplicate=False)
        return {name: tensor for name, tensor in named if id(tensor) in ids}

    def tune(self, tuned: Tuned) -> None:
        """Train this part of the encoder from now on, in place of all of it, and the inserted
        modules beside it, unless nothing in the towers is trained.

        Raises CellError for a tower that has no such part.
        """
        self._tower.tune(tuned)
        for tensor in self._new:
            tensor.requires_grad_(tuned.in_towers)

    def put_in(self, new: Sequence[torch.Tensor]) -> None:
        """Declare the inserted parameters of the module, which are not pretrained."""
        self._new = list(new)

    def recompute(self) -> None:
        """Use gradient checkpointing: keep only the inputs of the blocks, not their activations.

        Raises CellError for an encoder that does not support it.
        """
        module = self.module
        if hasattr(module, "set_grad_checkpointing"):  # open_clip and timm
            module.set_grad_checkpointing(True)
        elif hasattr(module, "activation_checkpointing_enable"):
            module.activation_checkpointing_enable()
            _recompute_in_training_mode(module)
        else:
            raise CellError("recipe.checkpointing: this encoder cannot recompute its blocks")

    def __len__(self) -> int:
        return len(self._views.items)

    def begin_epoch(self, epoch: int) -> None:
        """What is read says the epoch that it is for."""

    def ahead(
        self, parts: Iterable[tuple[int, torch.Tensor]]
    ) -> Generator[torch.Tensor | Numbered, None, None]:
        """Pixels of the micro-batches; see `_pixels`."""
        if not self.part.draws:
            yield from self._pixels(parts)
            return
        # The reader is ahead of the step: the numbers wait for their pixels.
        parts, numbers = itertools.tee(parts)
        for x_NCHW, (epoch, part_B) in zip(self._pixels(parts), numbers, strict=False):
            yield Numbered(x_NCHW, epoch, part_B)

    def _pixels(
        self, parts: Iterable[tuple[int, torch.Tensor]]
    ) -> Generator[torch.Tensor, None, None]:
        """Pixels of the micro-batches on the device. Samples that are the same in every epoch are
        read once, as far as they fit into memory; others by workers ahead of the step.

        Raises DataError for an item that cannot be read, CellError for a worker that died.
        """
        if not self._views.change and self._nbytes(len(self)) <= KEPT_BYTES:
            self._read_all()
            for _, part_B in parts:
                chosen = self._views.pictures_of(part_B.tolist())
                yield self._moved(self._views.pictures.read(chosen))
            return
        (first, parts), seen = _peek(parts), self._views.pictures.seen
        # Epochs of a later stage have other views than those before.
        requests = ((self.first_epoch + epoch, part_B.tolist()) for epoch, part_B in parts)
        read = read_ahead(
            seen.with_hashes(self._views.read), requests,
            workers=self._workers, nbytes=self._nbytes(first), pinned=self._pinned,
        )  # fmt: skip
        for x_NCHW, hashes in read:
            seen.add(hashes)
            yield self._moved(x_NCHW)

    def features(self, inputs: torch.Tensor | Numbered) -> torch.Tensor:
        """h_BF, or h_BTF with frames, of the pixels (B x T, 3, R, R) of a micro-batch."""
        if isinstance(inputs, Numbered):
            self._begin(inputs)
            inputs = inputs.x_NCHW
        if self._norms is not None:
            self._norms.begin_part()
        h_NF: torch.Tensor = self._run(self._normalised(inputs))
        if self._norms is not None:
            self._norms.end_part()
        return h_NF.unflatten(0, (-1, self.frames)) if self.frames else h_NF

    def _begin(self, batch: Numbered) -> None:
        """What is drawn in a forward pass depends on the epoch and on a number for every image."""
        import torch

        frames = torch.arange(self.frames or 1)
        rows_N = (batch.part_B[:, None] * len(frames) + frames).flatten()
        self.part.begin(batch.epoch, rows_N.to(self._device))

    def end_step(self) -> None:
        if self._norms is not None:
            self._norms.end_step()

    def statistics(self) -> list[torch.Tensor]:
        return [] if self._norms is None else self._norms.buffers()

    def pretrained(self) -> list[torch.Tensor]:
        ours = {id(t) for t in self._new}
        return [t for t in self.part.tensors() if id(t) not in ours]

    def new(self) -> list[torch.Tensor]:
        return self._new

    def embed(
        self, items: Sequence[str], pictures: Pictures, view: Views = ONE_VIEW
    ) -> torch.Tensor:
        """Features of other samples, without a graph: (N, F), with V after N if there are views and
        T before F if there are frames. The items are split over the processes.

        Raises DataError for an item that cannot be read and CellError for a worker that died, in
        all processes.
        """
        import torch

        self.part.end()
        group = world()
        local_items = list(items[group.rank :: group.size])
        views = ItemViews(pictures.dataset, local_items, self.frames, view)
        with agreement(group):
            h_MF = self._embedded(views, pictures)
        width = group.maximum(h_MF.shape[-1])
        h_N = shaped(h_MF.reshape(len(h_MF), width), len(local_items), view, self.frames)
        if group.size == 1:
            return h_N
        with agreement(group):
            whole = torch.zeros(len(items), *h_N.shape[1:], device=self._device)
            whole[group.rank :: group.size] = h_N.to(self._device)
        group.add([whole])
        return whole.cpu()

    def _embedded(self, views: ItemViews, pictures: Pictures) -> torch.Tensor:
        """(M, F) of these views, in this process; (0, 0) if there are none."""
        import torch

        if self._norms is not None:
            self._norms.evaluate()
        # Frames of a clip are in one batch, as a module inside the backbone may read all of them.
        clip = self.frames or 1
        step = max(1, EVALUATION_BATCH[self._device.type] // clip) * clip
        batches = (views[i : i + step] for i in range(0, len(views), step))
        read = pictures.batches(
            batches, workers=self._workers, pinned=self._pinned, nbytes=pictures.nbytes(step)
        )
        parts = [self._without_graph(x_NCHW) for x_NCHW in read]
        return torch.cat(parts) if parts else torch.zeros(0, 0)

    def _without_graph(self, x_NCHW: torch.Tensor) -> torch.Tensor:
        import torch

        precision = self._execution.evaluation
        cast = autocast(precision, self._device.type)
        with torch.no_grad(), float32_as(precision, self._device), cast:
            h_NF: torch.Tensor = self._run(self._normalised(self._moved(x_NCHW)))
        return h_NF.float().cpu()

    def _normalised(self, x_NCHW: torch.Tensor) -> torch.Tensor:
        import torch

        x_NCHW = self._encoder.normalise(x_NCHW)
        if self._execution.channels_last:
            return x_NCHW.contiguous(memory_format=torch.channels_last)
        return x_NCHW

    def _moved(self, x_NCHW: torch.Tensor) -> torch.Tensor:
        return to_device(x_NCHW, self._device)

    def _read_all(self) -> None:
        """Put the pixels of every sample into memory."""
        numbers = range(len(self))
        step = EVALUATION_BATCH["cpu"]
        batches = (self._views.pictures_of(numbers[i : i + step]) for i in numbers[::step])
        nbytes = self._nbytes(step)
        for _ in self._views.pictures.batches(batches, workers=self._workers, nbytes=nbytes):
            pass

    def _nbytes(self, samples: int) -> int:
        """Bytes of the pixels of so many samples, at most."""
        return self._views.pictures.nbytes(samples * (self.frames or 1))


def _recompute_in_training_mode(module: Any) -> None:
    """The models of transformers recompute in training mode only. What does not recompute stays in
    evaluation mode: a tower may have dropout of its own.
    """
    for layer in module.modules():
        layer.training = getattr(layer, "gradient_checkpointing", False)


def _peek(
    parts: Iterable[tuple[int, torch.Tensor]],
) -> tuple[int, Iterable[tuple[int, torch.Tensor]]]:
    """How many samples the first micro-batch has, which no other exceeds; and all of them."""
    iterator = iter(parts)
    first = list(itertools.islice(iterator, 1))
    return (len(first[0][1]) if first else 0), itertools.chain(first, iterator)
