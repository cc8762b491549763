"""Sources of features in training: cached features, or a backbone that is tuned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import CellError
from harness.core.protocols.dataset import as_clips
from harness.core.seeding import numpy_stream
from harness.sampling.views import FrameView, Views, training_frames
from harness.training.augmentation import draw
from harness.training.batch_norm import BatchNorms
from harness.training.distributed import world
from harness.training.item_views import ONE_VIEW, item_views, shaped
from harness.training.pictures import Pictures, read_pictures
from harness.training.rows import StoredRows

if TYPE_CHECKING:
    import torch

#: Bytes of features up to which a training has them all in memory, as float32.
MOST_IN_MEMORY = 2**29
#: Images per batch in evaluation.
EVALUATION_BATCH = 32


class CachedFeatures:
    """A frozen backbone: cached features h_NF or h_NTF, in memory."""

    def __init__(self, h_NF: torch.Tensor) -> None:
        self._h_NF = h_NF

    @property
    def h_NF(self) -> torch.Tensor:  # noqa: N802
        """All features in memory."""
        return self._h_NF

    @property
    def frames(self) -> int | None:
        return self.h_NF.shape[1] if self.h_NF.ndim == 3 else None

    @property
    def width(self) -> int:
        """F."""
        return self.h_NF.shape[-1]

    def __len__(self) -> int:
        return len(self.h_NF)

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes between epochs."""

    def all_views(self) -> tuple[CachedFeatures, int]:
        """All that the epochs read, and how many views of every sample that is."""
        return self, 1

    def features(self, batch_B: torch.Tensor) -> torch.Tensor:
        return self.h_NF[batch_B % len(self.h_NF)]

    def end_step(self) -> None:
        """Nothing is counted."""

    def statistics(self) -> list[torch.Tensor]:
        return []

    def pretrained(self) -> list[torch.Tensor]:
        return []

    def new(self) -> list[torch.Tensor]:
        return []


class StoredFeatures(CachedFeatures):
    """Cached features that are many: they stay where they are, and a batch gathers its rows.

    What `transform` makes of h_BF or h_BTF is computed for every batch, on the CPU.
    """

    def __init__(
        self,
        rows: StoredRows,
        torch_device: Any = "cpu",
        transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
    ) -> None:
        self._rows, self._device, self._transform = rows, torch_device, transform
        self._shape = self._moved(rows.gather(np.arange(min(1, len(rows))))).shape[1:]

    @property
    def h_NF(self) -> torch.Tensor:  # noqa: N802
        """All features in memory, which a caller that can reads by batches."""
        import torch

        return torch.cat([self._moved(h_BF) for h_BF in self._rows.blocks()])

    @property
    def frames(self) -> int | None:
        return self._shape[0] if len(self._shape) == 2 else None

    @property
    def width(self) -> int:
        return self._shape[-1]

    def __len__(self) -> int:
        return len(self._rows)

    def features(self, batch_B: torch.Tensor) -> torch.Tensor:
        return self._moved(self._rows.gather(batch_B.cpu().numpy() % len(self._rows)))

    def _moved(self, h_BF: torch.Tensor) -> torch.Tensor:
        z_BF = h_BF if self._transform is None else self._transform(h_BF)
        return z_BF.to(self._device)


def cached_features(
    rows: StoredRows,
    torch_device: Any = "cpu",
    transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> CachedFeatures:
    """The source of these rows: in memory up to MOST_IN_MEMORY bytes, else gathered by batches."""
    if rows.nbytes > MOST_IN_MEMORY:
        return StoredFeatures(rows, torch_device, transform)
    h_NF = rows.gather()
    return CachedFeatures((h_NF if transform is None else transform(h_NF)).to(torch_device))


@dataclass(frozen=True)
class Sampling:
    """How training reads an item: T random frames (None: one image) with the augmentation
    `augment`, drawn anew in every epoch; `crop` and `repeats` as in the recipe.
    """

    seed: int | None
    frames: int | None = None
    augment: str = "none"
    crop: str | None = None
    repeats: str | None = None
    batch_norm: str | None = None


class TunedBackbone:
    """Tuning `all`: a copy of the encoder, run on the images at every step.

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
    ) -> None:
        self._encoder = deepcopy(encoder)
        self._encoder.module.requires_grad_()
        self._encoder.module.to(torch_device)
        self._device, self._pictures = torch_device, pictures
        self._items, self._sampling = list(items), sampling
        self._new: list[torch.Tensor] = []
        self._norms = BatchNorms(self._encoder.module) if sampling.batch_norm else None
        # Taken before modules are inserted, which may change the names of the encoder's tensors.
        state: dict[str, torch.Tensor] = self._encoder.module.state_dict(keep_vars=True)
        self._pretrained_tensors = state
        self._epoch = 0

    @property
    def module(self) -> Any:
        """The tuned torch module."""
        return self._encoder.module

    @property
    def frames(self) -> int | None:
        return self._sampling.frames

    def state(self) -> dict[str, torch.Tensor]:
        """The current tensors of the encoder, without inserted ones."""
        return self._pretrained_tensors

    def inserted(self) -> dict[str, torch.Tensor]:
        """Inserted parameters by their names in the module; a shared one has several names."""
        ids = {id(tensor) for tensor in self._new}
        named = self.module.named_parameters(remove_duplicate=False)
        return {name: tensor for name, tensor in named if id(tensor) in ids}

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
            # transformers uses checkpoints in training mode only; CLIP's towers have no dropout.
            module.train()
        else:
            raise CellError("recipe.checkpointing: this encoder cannot recompute its blocks")

    def __len__(self) -> int:
        return len(self._items)

    def begin_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def features(self, batch_B: torch.Tensor) -> torch.Tensor:
        x_NCHW = self._read(batch_B.tolist()).to(self._device)
        if self._norms is not None:
            self._norms.begin_part()
        h_NF: torch.Tensor = self._encoder.features(x_NCHW)
        if self._norms is not None:
            self._norms.end_part()
        return h_NF.unflatten(0, (len(batch_B), -1)) if self.frames else h_NF

    def end_step(self) -> None:
        if self._norms is not None:
            self._norms.end_step()

    def statistics(self) -> list[torch.Tensor]:
        return [] if self._norms is None else self._norms.buffers()

    def pretrained(self) -> list[torch.Tensor]:
        ours = {id(t) for t in self._new}
        return [t for t in self.module.parameters() if id(t) not in ours]

    def new(self) -> list[torch.Tensor]:
        return self._new

    def embed(
        self, items: Sequence[str], pictures: Pictures, view: Views = ONE_VIEW
    ) -> torch.Tensor:
        """Features of other samples, without a graph: (N, F), with V after N if there are views and
        T before F if there are frames. The items are split over the processes.
        """
        import torch

        if self._norms is not None:
            self._norms.evaluate()
        group = world()
        local_items = [
            item_views(pictures.dataset, item, self.frames, view)
            for item in items[group.rank :: group.size]
        ]
        flat = [shown for of_item in local_items for clip in of_item for shown in clip]
        # Frames of a clip are in one batch, as a module inside the backbone may read all of them.
        step = max(1, EVALUATION_BATCH // (self.frames or 1)) * (self.frames or 1)
        parts = [
            self._without_graph(pictures(flat[i : i + step])) for i in range(0, len(flat), step)
        ]
        width = group.maximum(parts[0].shape[-1] if parts else 0)
        h_MF = torch.cat(parts) if parts else torch.zeros(0, width)
        h_N = shaped(h_MF, len(local_items), view, self.frames)
        if group.size == 1:
            return h_N
        whole = torch.zeros(len(items), *h_N.shape[1:], device=self._device)
        whole[group.rank :: group.size] = h_N.to(self._device)
        group.add([whole])
        return whole.cpu()

    def _without_graph(self, x_NCHW: torch.Tensor) -> torch.Tensor:
        import torch

        with torch.no_grad():
            h_NF: torch.Tensor = self._encoder.features(x_NCHW.to(self._device))
        return h_NF.cpu()

    def _read(self, numbers: Sequence[int]) -> torch.Tensor:
        """x_NCHW of the training views of samples, N = B x T. A sample comes again in an epoch at
        its number plus a multiple of N, with other frames and another augmentation.
        """
        import torch

        pictures, sampling = self._pictures, self._sampling
        chosen = [self._training_views(number) for number in numbers]
        if sampling.augment == "none":
            return pictures([shown for item_frames in chosen for shown in item_frames])
        parts = []
        for number, item_frames in zip(numbers, chosen, strict=True):
            size = read_pictures(pictures.dataset, item_frames[:1], pictures.resolution)[0].size
            stream = self._stream("augment", number)
            change = draw(sampling.augment, size, stream, sampling.crop, pictures.resolution)
            parts.append(pictures.augmented(item_frames, change))
        return torch.cat(parts)

    def _stream(self, purpose: str, number: int) -> np.random.Generator:
        """The stream of a sample in this epoch, and of its repetition in it."""
        repetition, i = divmod(number, len(self._items))
        again = (repetition,) if repetition else ()
        return numpy_stream(self._sampling.seed, purpose, self._epoch, self._items[i], *again)

    def _training_views(self, number: int) -> list[FrameView]:
        item = self._items[number % len(self._items)]
        clips = as_clips(self._pictures.dataset)
        if clips is None:
            return [FrameView(item)]
        indices = training_frames(
            clips.length(item), self.frames or 1, self._stream("frames", number),
            self._sampling.repeats,
        )  # fmt: skip
        return [FrameView(item, frame) for frame in indices]
