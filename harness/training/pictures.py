"""Pictures of views as an encoder reads them: read once where they fit into memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, cast

from harness.core.protocols.dataset import Clips, Dataset
from harness.core.protocols.encoder import ImageEncoder
from harness.sampling.views import FrameView, cropped
from harness.training.augmentation import Augmentation
from harness.training.loader import read_ahead
from harness.training.seen_pictures import SeenPictures
from harness.training.tsn_crop import TsnCrop

if TYPE_CHECKING:
    import torch
    from PIL import Image

#: Most bytes that are kept; further images are read at every use.
KEPT_BYTES = 2 * 1024**3
#: Of a float32, which is what an encoder makes of a picture that it does not keep as uint8.
FLOAT_BYTES = 4


def whole_pictures(dataset: Dataset, chosen: Sequence[FrameView]) -> list[Image.Image]:
    """The whole images of these views, in order; frames of one video are read together, and a
    picture of several views once.

    Raises DataError for an image that cannot be read.
    """
    frames: dict[str, dict[int, Image.Image]] = {}
    wanted: dict[str, list[int]] = {}
    for view in chosen:
        if view.frame is not None:
            wanted.setdefault(view.item, []).append(view.frame)
    for item, indices in wanted.items():
        distinct = sorted(set(indices))
        images = cast(Clips, dataset).frames(item, distinct)
        frames[item] = dict(zip(distinct, images, strict=True))
    pictures: dict[str, Image.Image] = {}
    out = []
    for view in chosen:
        if view.frame is None and view.item not in pictures:
            pictures[view.item] = dataset.image(view.item)
        out.append(pictures[view.item] if view.frame is None else frames[view.item][view.frame])
    return out


def pixels_of_view(
    encoder: ImageEncoder, image: Image.Image, view: FrameView, resolution: int
) -> torch.Tensor:
    """Pixels (3, R, R) of the image of a view: what was cut to the encoder's size already is not
    cut again.
    """
    if view.geometry is not None:
        return encoder.pixels_as_cut(image)
    return encoder.pixels(image, resolution)


def pixel_bytes(views: int, resolution: int) -> int:
    """Bytes of the pixels of so many views, at most: those of float32."""
    return views * 3 * resolution**2 * FLOAT_BYTES


class Pictures:
    """Views as pixels for one encoder at one resolution. Threads may share it.

    Pixels are uint8 where the encoder normalises a picture after it is cut to size: a quarter of
    the bytes to keep, to send between processes and to copy to a GPU.
    """

    def __init__(self, dataset: Dataset, encoder: ImageEncoder, resolution: int) -> None:
        self.dataset, self.resolution = dataset, resolution
        self._encoder = encoder
        self.seen = SeenPictures()
        self._kept: dict[FrameView, torch.Tensor] = {}
        self._bytes = 0

    def batches(
        self,
        batches: Iterable[Sequence[FrameView]],
        *,
        workers: int,
        pinned: bool = False,
        nbytes: int = 0,
    ) -> Generator[torch.Tensor, None, None]:
        """The pixels (N, 3, R, R) of batches of views, in order; each view is read once as long as
        there is memory to keep it. `nbytes` is the size of the largest batch.

        Raises DataError for an image that cannot be read, CellError for a worker that died.
        """
        waiting: deque[tuple[Sequence[FrameView], bool]] = deque()  # and whether it is kept

        def fresh() -> Iterator[Sequence[FrameView]]:
            for batch in batches:
                is_kept = self.kept(batch) is not None
                waiting.append((batch, is_kept))
                if not is_kept:
                    yield batch

        read = read_ahead(
            self.seen.with_hashes(self.read), fresh(), workers=workers, nbytes=nbytes, pinned=pinned
        )
        with closing(read):
            for x_NCHW, hashes in read:
                self.seen.add(hashes)
                while waiting[0][1]:
                    yield self.read(waiting.popleft()[0])
                self._keep(waiting.popleft()[0], x_NCHW)
                yield x_NCHW
        while waiting:
            yield self.read(waiting.popleft()[0])

    def read(self, chosen: Sequence[FrameView]) -> torch.Tensor:
        """The pixels of views, read now; a view that comes twice is read once.

        Raises DataError for an image that cannot be read.
        """
        import torch

        missing = [view for view in dict.fromkeys(chosen) if view not in self._kept]
        images = self.images(missing)
        fresh = {
            view: pixels_of_view(self._encoder, image, view, self.resolution)
            for view, image in zip(missing, images, strict=True)
        }
        return torch.stack([fresh[v] if v in fresh else self._kept[v] for v in chosen])

    def images(self, chosen: Sequence[FrameView]) -> list[Image.Image]:
        """The images of these views, in order and cropped.

        Raises DataError for an image that cannot be read.
        """
        whole = whole_pictures(self.dataset, chosen)
        self.seen.see(chosen, whole)
        pairs = zip(whole, chosen, strict=True)
        return [cropped(image, view, self.resolution) for image, view in pairs]

    def augmented(
        self, images: Sequence[Image.Image], change: Augmentation | TsnCrop
    ) -> torch.Tensor:
        """The pixels of the frames of an item under one augmentation."""
        import torch

        changed = [change(image, self.resolution) for image in images]
        return torch.stack([self._encoder.pixels_as_cut(image) for image in changed])

    def kept(self, chosen: Sequence[FrameView]) -> torch.Tensor | None:
        """The pixels of views that are all in memory, else None."""
        import torch

        found = [self._kept.get(view) for view in chosen]
        if any(x_CHW is None for x_CHW in found):
            return None
        return torch.stack([x_CHW for x_CHW in found if x_CHW is not None])

    def nbytes(self, views: int) -> int:
        """Bytes of the pixels of so many views, at most."""
        return pixel_bytes(views, self.resolution)

    def _keep(self, chosen: Sequence[FrameView], x_NCHW: torch.Tensor) -> None:
        for view, x_CHW in zip(chosen, x_NCHW, strict=True):
            size = x_CHW.numel() * x_CHW.element_size()
            if view not in self._kept and self._bytes + size <= KEPT_BYTES:
                self._kept[view] = x_CHW.clone()  # not the memory of its whole batch
                self._bytes += size
