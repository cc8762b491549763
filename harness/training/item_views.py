"""The views of items in evaluation, and random crops of support pictures, in the order of their
features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from harness.core.protocols.dataset import Dataset, as_clips
from harness.sampling.views import FrameView, Views, frame_views

if TYPE_CHECKING:
    import torch

ONE_VIEW = Views()


def item_views(
    dataset: Dataset, item: str, frames: int | None, view: Views
) -> list[list[FrameView]]:
    """(V, T) views of an item in evaluation, or random crops of a picture."""
    if view.random is not None:
        return [[FrameView(item, random=crop)] for crop in view.random.each()]
    clips = as_clips(dataset)
    if clips is None:
        return frame_views(item, length=None, frames=None, view=view)
    length = clips.length(item)
    return frame_views(item, length=length, frames=frames, view=view, position=clips.position)


class ItemViews(Sequence[FrameView]):
    """The views of items in evaluation, in the order of items, views and frames; each is made when
    it is asked for.
    """

    def __init__(
        self, dataset: Dataset, items: Sequence[str], frames: int | None, view: Views
    ) -> None:
        self._dataset, self._items, self._frames, self._view = dataset, items, frames, view
        self._each = view.count * (frames or 1)
        self._last: tuple[str, list[FrameView]] | None = None  # neighbours are of one item

    def __len__(self) -> int:
        return len(self._items) * self._each

    @overload
    def __getitem__(self, at: int) -> FrameView: ...
    @overload
    def __getitem__(self, at: slice) -> list[FrameView]: ...
    def __getitem__(self, at: int | slice) -> FrameView | list[FrameView]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        number, view = divmod(int(at), self._each)
        if self._view.random is not None:  # of very many one is made alone
            return FrameView(self._items[number], random=self._view.random.at(view))
        return self._of(self._items[number])[view]

    def __iter__(self) -> Iterator[FrameView]:
        for item in self._items:
            yield from self._of(item)

    def _of(self, item: str) -> list[FrameView]:
        last = self._last
        if last is not None and last[0] == item:
            return last[1]
        clips = item_views(self._dataset, item, self._frames, self._view)
        views = [frame for clip in clips for frame in clip]
        self._last = (item, views)
        return views


def shaped(h_MF: torch.Tensor, n: int, view: Views, frames: int | None) -> torch.Tensor:
    """Reshape rows in the order of items, views and frames to (N, [V,] [T,] F)."""
    return h_MF.reshape(*dims(n, view, frames), h_MF.shape[-1])


def dims(n: int, view: Views, frames: int | None) -> tuple[int, ...]:
    """(N, [V,] [T]); random crops have a V of 1 too."""
    several = view.count > 1 or view.random is not None
    return (n, *([view.count] if several else []), *([frames] if frames else []))
