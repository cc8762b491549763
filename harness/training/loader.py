"""Sources of features in training: cached features, or a backbone that is tuned."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.errors import CellError
from harness.core.protocols.dataset import Dataset, as_clips
from harness.core.seeding import numpy_stream
from harness.sampling.views import FrameView, frame_views, training_frames
from harness.training.augmentation import draw
from harness.training.distributed import world
from harness.training.pictures import Pictures, read_pictures

if TYPE_CHECKING:
    import torch

#: Images per batch in evaluation.
EVALUATION_BATCH = 32


@dataclass
class CachedFeatures:
    """Tuning `projection`: cached features h_NF or h_NTF."""

    h_NF: torch.Tensor

    @property
    def frames(self) -> int | None:
        return self.h_NF.shape[1] if self.h_NF.ndim == 3 else None

    def __len__(self) -> int:
        return len(self.h_NF)

    def begin_epoch(self, epoch: int) -> None:
        """Nothing changes between epochs."""

    def features(self, batch_B: torch.Tensor) -> torch.Tensor:
        return self.h_NF[batch_B]

    def pretrained(self) -> list[torch.Tensor]:
        return []

    def new(self) -> list[torch.Tensor]:
        return []


@dataclass(frozen=True)
class Sampling:
    """How training reads an item: T random frames (None: one image) with the augmentation
    `augment`, drawn anew in every epoch.
    """

    seed: int | None
    frames: int | None = None
    augment: str = "none"


class TunedBackbone:
    """Tuning `all`: a copy of the encoder, run on the images at every step.

    Batch norm keeps its pretrained statistics: a small support set gives poor estimates.
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
        items = [self._items[i] for i in batch_B.tolist()]
        x_NCHW = self._read(items).to(self._device)
        h_NF: torch.Tensor = self._encoder.features(x_NCHW)
        return h_NF.unflatten(0, (len(items), -1)) if self.frames else h_NF

    def pretrained(self) -> list[torch.Tensor]:
        ours = {id(t) for t in self._new}
        return [t for t in self.module.parameters() if id(t) not in ours]

    def new(self) -> list[torch.Tensor]:
        return self._new

    def embed(
        self, items: Sequence[str], pictures: Pictures, view: tuple[int, int] = (1, 1)
    ) -> torch.Tensor:
        """Features of other samples, without a graph: (N, F), with V after N if there are views and
        T before F if there are frames. The items are split over the processes.
        """
        import torch

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

    def _read(self, items: Sequence[str]) -> torch.Tensor:
        """x_NCHW of the items' training views, N = B x T."""
        import torch

        dataset, sampling = self._pictures.dataset, self._sampling
        chosen = [self._training_views(dataset, item) for item in items]
        if sampling.augment == "none":
            return self._pictures([shown for item_frames in chosen for shown in item_frames])
        parts = []
        for item, item_frames in zip(items, chosen, strict=True):
            stream = numpy_stream(sampling.seed, "augment", self._epoch, item)
            size = read_pictures(dataset, item_frames[:1])[0].size
            change = draw(sampling.augment, size, stream)
            parts.append(self._pictures.augmented(item_frames, change))
        return torch.cat(parts)

    def _training_views(self, dataset: Dataset, item: str) -> list[FrameView]:
        clips = as_clips(dataset)
        if clips is None:
            return [FrameView(item)]
        stream = numpy_stream(self._sampling.seed, "frames", self._epoch, item)
        indices = training_frames(clips.length(item), self.frames or 1, stream)
        return [FrameView(item, frame) for frame in indices]


def item_views(
    dataset: Dataset, item: str, frames: int | None, view: tuple[int, int]
) -> list[list[FrameView]]:
    """(V, T) views of an item in evaluation."""
    clips = as_clips(dataset)
    if clips is None:
        return frame_views(item, length=None, frames=None, view=view)
    length = clips.length(item)
    return frame_views(item, length=length, frames=frames, view=view, position=clips.position)


def shaped(h_MF: torch.Tensor, n: int, view: tuple[int, int], frames: int | None) -> torch.Tensor:
    """Reshape rows in the order of items, views and frames to (N, [V,] [T,] F)."""
    n_views = view[0] * view[1]
    dims = [n, *([n_views] if n_views > 1 else []), *([frames] if frames else [])]
    return h_MF.reshape(*dims, h_MF.shape[-1])
