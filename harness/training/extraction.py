"""Rows of features from views of items, batch by batch: on every core, or on a GPU.

On the CPU each core reads a batch and runs the encoder on it. For a GPU worker processes read
ahead, and the batches are as large as its memory allows.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.core.protocols.dataset import Dataset
from harness.sampling.sets import picture_hash
from harness.sampling.views import FrameView, cropped
from harness.training.loader import default_workers, read_ahead
from harness.training.numerics import float32_as
from harness.training.pictures import pixel_bytes, pixels_of_view, whole_pictures
from harness.training.precision import autocast
from harness.training.support_crops import crop_of
from harness.training.threads import cores, one_core_pool
from harness.training.transfer import moved, to_device

if TYPE_CHECKING:
    import torch
    from PIL import Image

#: Images per batch: on one core, and on a GPU, where it is halved if memory is short.
BATCH = {"cpu": 16, "cuda": 256}

#: Batches that are handed to the cores together.
TOGETHER = 32

#: A row (F,), and the hash of the pixels that it was computed from.
Row = tuple["np.ndarray[Any, Any]", str]


@dataclass
class Spent:
    """Images that were encoded, and the seconds of one core, or of a GPU, that it took."""

    images: int = 0
    read: float = 0.0  # to read and decode them
    encode: float = 0.0  # to preprocess them and run the encoder

    @property
    def seconds(self) -> float:
        return self.read + self.encode

    def add(self, other: Spent) -> None:
        self.images += other.images
        self.read += other.read
        self.encode += other.encode


class _Read(NamedTuple):
    """The pixels of a batch, the hashes of its images, and the seconds that decoding took."""

    x_BCHW: torch.Tensor
    hashes: list[str]
    seconds: float


@dataclass
class Extraction:
    """An encoder at one resolution on one data set, in one precision; the rows are float32."""

    dataset: Dataset
    encoder: Any
    resolution: int
    device: torch.device
    precision: str = "float32"

    def __post_init__(self) -> None:
        self.batch = BATCH[self.device.type]
        self._most = self.batch  # images that the GPU has memory for at once

    def rows(self, views: Iterable[FrameView]) -> Generator[tuple[list[Row], Spent], None, None]:
        """The rows of these views, in order, by batches. Close the generator to stop early.

        Raises DataError for an image that cannot be read.
        """
        batches = _batches(views, self.batch)
        return self._on_cores(batches) if self.device.type == "cpu" else self._on_gpu(batches)

    def _on_cores(
        self, batches: Iterator[list[FrameView]]
    ) -> Generator[tuple[list[Row], Spent], None, None]:
        pool = one_core_pool(cores())
        try:
            while some := list(itertools.islice(batches, TOGETHER)):
                yield from pool.map(self._of_core, some)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _of_core(self, batch: Sequence[FrameView]) -> tuple[list[Row], Spent]:
        """The rows of one batch on one core, and the seconds of this thread, as seconds in which
        other processes run do not count.
        """
        began = time.thread_time()
        found = self._read(batch)
        rows = list(zip(self._encoded(found.x_BCHW), found.hashes, strict=True))
        spent = time.thread_time() - began - found.seconds
        return rows, Spent(len(batch), found.seconds, spent)

    def _on_gpu(
        self, batches: Iterator[list[FrameView]]
    ) -> Generator[tuple[list[Row], Spent], None, None]:
        """The seconds are those of this process, which waits for the GPU."""
        import torch

        nbytes = pixel_bytes(self.batch, self.resolution)
        began = time.perf_counter()
        read = read_ahead(
            self._read, batches, workers=default_workers(), nbytes=nbytes,
            pinned=torch.cuda.is_available(),
        )  # fmt: skip
        on_device = moved(self.encoder.module, self.device)
        with closing(read), float32_as(self.precision, self.device), on_device:
            for found in read:
                rows = list(zip(self._encoded(found.x_BCHW), found.hashes, strict=True))
                now = time.perf_counter()
                yield rows, Spent(len(rows), 0.0, now - began)
                began = now

    def _read(self, batch: Sequence[FrameView]) -> _Read:
        """The pixels of a batch."""
        import torch

        began = time.thread_time()
        whole = whole_pictures(self.dataset, batch)
        seconds = time.thread_time() - began
        pixels = [self._pixels(image, view) for view, image in zip(batch, whole, strict=True)]
        return _Read(torch.stack(pixels), _hashes(whole), seconds)

    def _pixels(self, image: Image.Image, view: FrameView) -> torch.Tensor:
        """What a view shows of an image."""
        if view.random is not None:
            draw = crop_of(view.random, self.dataset.fingerprint(view.item), image.size)
            x_CHW: torch.Tensor = self.encoder.pixels_as_cut(draw(image, self.resolution))
            return x_CHW
        shown = cropped(image, view, self.resolution)
        return pixels_of_view(self.encoder, shown, view, self.resolution)

    def _encoded(self, x_BCHW: torch.Tensor) -> np.ndarray[Any, Any]:
        """h_BF of the pixels of a batch; in parts if the GPU has too little memory.

        A short batch is padded: the last bits depend on the batch size, and a feature must not
        depend on which others are computed with it.

        Raises torch.OutOfMemoryError if there is too little memory for one image.
        """
        import torch

        fill = x_BCHW[-1:].expand(self.batch - len(x_BCHW), -1, -1, -1)
        full_BCHW, parts, done = torch.cat([x_BCHW, fill]), [], 0
        while done < len(x_BCHW):
            part_BCHW = full_BCHW[done : done + self._most]
            try:
                with torch.inference_mode(), autocast(self.precision, self.device.type):
                    moved_BCHW = self.encoder.normalise(to_device(part_BCHW, self.device))
                    parts.append(self.encoder.features(moved_BCHW).float().cpu().numpy())
                done += len(part_BCHW)
            except torch.OutOfMemoryError:
                if self._most == 1:
                    raise
                self._most //= 2
                torch.cuda.empty_cache()
        h_BF: np.ndarray[Any, Any] = np.concatenate(parts)[: len(x_BCHW)]
        return h_BF


def _batches(views: Iterable[FrameView], size: int) -> Iterator[list[FrameView]]:
    iterator = iter(views)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _hashes(whole: Sequence[Image.Image]) -> list[str]:
    """Of images before they are cropped: crops of equal images are of one hash."""
    distinct = {id(image): image for image in whole}
    hashes = {number: picture_hash(image)[:32] for number, image in distinct.items()}
    return [hashes[id(image)] for image in whole]
