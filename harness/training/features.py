"""Backbone features on disk, computed once per encoder, resolution and image.

A folder of the cache holds blocks of rows (blocks.py). A row is found by the fingerprint of its
image with its frame and crop, so images with the same name are not confused. A GPU and the CPU have
folders of their own, as their last bits differ. Many rows stay on disk, mapped into memory, and are
gathered when they are used. An interruption loses no finished batch, and two concurrent writers
cost time but give no wrong row.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.directions import without_direction
from harness.core.errors import DataError, DiskFull
from harness.core.facts import EncoderFacts
from harness.core.files import cache_folder
from harness.core.hashing import digest
from harness.core.protocols.dataset import Dataset
from harness.core.rates import computed_precision
from harness.sampling.views import FrameView
from harness.training.blocks import Block, block_of, ids_of, write_block
from harness.training.device import device
from harness.training.extraction import Extraction, Row, Spent
from harness.training.feature_folder import Search, merge
from harness.training.rows import StoredRows

if TYPE_CHECKING:
    import torch

    from harness.training.blocks import Words

#: Images whose features are written together.
BLOCK = 512
#: Neighbours that one of several processes computes, so that it reads most clips whole.
SHARE = 64
#: Images whose addresses are in memory together.
ADDRESSES = 65536

#: Part of the address of features. Raised when a picture is read otherwise, so that features of the
#: earlier reading are not used. 2: grey of more than 8 bits by its declared range, the colour key
#: of a PNG, and the hash of the pixels beside the features.
READING = 2

#: Called with (done, total) images.
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Loaded:
    """Features, and the hash of the pixels of every image: None where it was not kept."""

    rows: StoredRows
    pixels: Sequence[str | None]

    @property
    def h_NF(self) -> torch.Tensor:  # noqa: N802
        """All of them in memory."""
        return self.rows.gather()


def features_folder(
    backbone: str, resolution: int, device_type: str, precision: str = "float32"
) -> Path:
    """Where the features of an encoder at a resolution are, by the type of the device and the
    precision in which it computes them.
    """
    how = [] if device_type == "cpu" else [device_type]
    how += [precision] if computed_precision(precision, device_type) != "float32" else []
    return cache_folder() / "features" / digest([READING, backbone, resolution, *how], 32)


class FeatureStore:
    """Features of one encoder at one resolution and precision on one dataset."""

    def __init__(
        self,
        dataset: Dataset,
        facts: EncoderFacts,
        load: Callable[[], Any],
        resolution: int,
        precision: str = "float32",
    ) -> None:
        self._dataset, self._load, self._resolution = dataset, load, resolution
        self._dim = facts.feature_dim
        self._device = device()
        self._precision = precision
        self.folder = features_folder(facts.backbone, resolution, self._device.type, precision)
        self.spent = Spent()

    def get(
        self, wanted: Sequence[str | FrameView], progress: Progress | None = None
    ) -> torch.Tensor:
        """h_NF in the order of `wanted`; missing features are computed and cached. A plain name is
        an item that is an image.

        Raises DataError for an image that cannot be read.
        """
        return self.load(wanted, progress).h_NF

    def load(self, wanted: Sequence[str | FrameView], progress: Progress | None = None) -> Loaded:
        """Like `get`: rows that are gathered when they are used, with hashes of pixels.

        Raises DataError for an image that cannot be read.
        """
        search = Search(self._ids(wanted))
        search.look_in(self.folder)
        if len(search.missing()):
            self._extract(wanted, search, search.missing(), progress)
            merge(self.folder)
            search.look_in(self.folder)
        if len(search.missing()):  # removed meanwhile: these rows stay in memory
            self._extract(wanted, search, search.missing(), progress, keep_rows=True)
        return Loaded(search.rows(self._dim), search.pixels())

    def share(
        self,
        wanted: Sequence[str | FrameView],
        rank: int,
        size: int,
        progress: Progress | None = None,
    ) -> None:
        """Compute and cache the part that this one of several processes has in what is missing.

        The part follows from the places in `wanted`, which is the same for all, as some may see
        already what others have computed.

        Raises DataError for an image that cannot be read.
        """
        search = Search(self._ids(wanted))
        search.look_in(self.folder)
        missing = search.missing()
        ours = [at for at in missing if at // SHARE % size == rank]
        self._extract(wanted, search, ours, progress)

    def _ids(self, wanted: Sequence[str | FrameView]) -> Words:
        """(2, M). Views of one item that are neighbours have its fingerprint read once."""
        parts: list[Words] = []
        views = (_view(each) for each in wanted)
        while chosen := list(itertools.islice(views, ADDRESSES)):
            addresses: list[str] = []
            for item, of_item in itertools.groupby(chosen, key=lambda view: view.item):
                fingerprint = self._dataset.fingerprint(item)
                addresses += [view.address(fingerprint) for view in of_item]
            parts.append(ids_of(addresses))
        return np.concatenate(parts, axis=1) if parts else np.zeros((2, 0), dtype="<u8")

    def _extract(
        self,
        wanted: Sequence[str | FrameView],
        search: Search,
        missing: Iterable[int],
        progress: Progress | None,
        *,
        keep_rows: bool = False,
    ) -> None:
        """Compute what is missing and write it; what cannot be written is in memory."""
        missing = list(missing)
        if not missing:
            return
        extraction = Extraction(
            self._dataset, self._load(), self._resolution, self._device, self._precision
        )
        rows: list[Row] = []
        done = 0  # rows that are written
        with closing(extraction.rows(_view(wanted[at]) for at in missing)) as batches:
            try:
                for of_batch, spent in batches:
                    rows += of_batch
                    self.spent.add(spent)
                    if progress is not None:
                        progress(done + len(rows), len(missing))
                    if len(rows) >= BLOCK or done + len(rows) == len(missing):
                        part = [_view(wanted[at]) for at in missing[done : done + len(rows)]]
                        self._add(part, rows, search, keep_rows=keep_rows)
                        done, rows = done + len(rows), []
            except BaseException:
                with suppress(DataError, DiskFull):  # what is computed is not computed again
                    if rows:
                        part = [_view(wanted[at]) for at in missing[done : done + len(rows)]]
                        self._write(part, rows)
                raise

    def _add(
        self, part: Sequence[FrameView], rows: Sequence[Row], search: Search, *, keep_rows: bool
    ) -> None:
        block, is_written = self._write(part, rows)
        if keep_rows or not is_written:
            search.add(block)

    def _write(self, part: Sequence[FrameView], rows: Sequence[Row]) -> tuple[Block, bool]:
        """Raises DataError for features that cannot be used, and DiskFull."""
        h_NF = np.stack([h_F for h_F, _ in rows]).astype(np.float32, copy=False)
        _check_directions(h_NF, part)
        block = block_of(self._ids(part[: len(rows)]), h_NF, [pixels for _, pixels in rows])
        return block, write_block(self.folder, block)


def _view(wanted: str | FrameView) -> FrameView:
    return wanted if isinstance(wanted, FrameView) else FrameView(wanted)


def _check_directions(h_NF: np.ndarray[Any, Any], chosen: Sequence[FrameView]) -> None:
    """Raises DataError for features that are not numbers or too large, naming the first item.

    A backbone that ends in a ReLU may give zeros, of which a projection with a bias makes an
    embedding.
    """
    found = without_direction(h_NF, zero_is_wrong=False)
    if found is None:
        return
    rows, what = found
    first = chosen[rows[0]]
    frame = "" if first.frame is None else f", frame {first.frame}"
    raise DataError(
        f"what the encoder makes of {len(rows)} of {len(chosen)} images {what}; the first is "
        f"{first.item}{frame}"
    )
