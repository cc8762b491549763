"""Data sets: sources of labelled pictures, clips or precomputed features."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from harness.core.hashes import Progress, Unhashed
from harness.core.protocols.plugin import OptionsT_contra, Plugin
from harness.core.samples import Items

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    from harness.core.samples import IntArray

Kind = Literal["pictures", "clips", "features"]
#: Split ('train', 'test' or 'val') -> indices of the classes whose items are used.
Used = Mapping[str, Sequence[int]]


class Dataset(Protocol):
    """Labelled items with fixed splits. Opening one reads names and sizes, no pixels."""

    @property
    def kind(self) -> Kind:
        """What an item is. A data set of clips is a `Clips`, one of features a `FeatureItems`."""
        return "pictures"

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Class names; a label is an index into them."""
        ...

    @property
    @abstractmethod
    def train(self) -> Items:
        """What support and validation sets are drawn from."""
        ...

    @property
    @abstractmethod
    def test(self) -> Items:
        """What is tested on."""
        ...

    @property
    @abstractmethod
    def manifest(self) -> str:
        """A hash that changes whenever an item, its content, split, label or group does.

        Where there is a `content`, it is over names and sizes: what keys held before.
        """
        ...

    @property
    def val(self) -> Items | None:
        """The official validation split; None without one."""
        return None

    def listed(self, split: str) -> Items:
        """`train` or `val` in the order in which the data set lists it, with the items that were
        left out as damaged: what draws that follow this order are of.
        """
        if split == "train":
            return self.train
        return self.val or self.train.first(0)

    @abstractmethod
    def part(self, name: str) -> Sequence[int]:
        """Indices of the classes of a named part ('all', 'unseen', ...).

        Raises DataError for a part that there is not.
        """
        ...

    @abstractmethod
    def image(self, item: str) -> Image.Image:
        """The picture as RGB; of a clip its middle frame.

        Raises DataError if it cannot be read.
        """
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a report should know about this data set."""
        return ()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with a data set that `open_incomplete` opened all the same."""
        return ()

    def content(self, used: Used, progress: Progress | None = None) -> str:
        """Hash over the content of the items that are used; keys of cells hold it. It is the same
        wherever the data are. `progress` is told (done, total) items while some are read.

        Raises DataError if an item cannot be read.
        """
        return self.manifest

    def unhashed(self, used: Used) -> Unhashed:
        """What `content` would have to read first: items whose hash is not remembered."""
        return Unhashed()

    def fingerprint(self, item: str) -> str:
        """Hash of all that `image(item)` is made of: items with equal ones share their features.

        Raises DataError if the item cannot be read.
        """
        return f"{self.manifest}|{item}"

    def read_whole(self, item: str) -> Image.Image:
        """Like `image`, but reads every byte of the item, so that damage is found."""
        return self.image(item)


class Clips(Dataset, Protocol):
    """A data set whose items are videos."""

    @property
    @abstractmethod
    def position(self) -> str:
        """Which frame of a segment evaluation reads: centre | first."""
        ...

    @abstractmethod
    def length(self, item: str) -> int:
        """Frames that can be decoded. DataError if there is none."""
        ...

    @abstractmethod
    def frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        """Frames by index (0 <= index < length), in the order of `indices`, as RGB.

        Raises DataError if one cannot be decoded; another frame never takes its place.
        """
        ...

    def for_pictures(self, resolution: int, short_side: int) -> Clips:
        """These clips with frames whose short side is not cut below `short_side` pixels, for
        pictures of `resolution` pixels. Other frames mean another manifest and other fingerprints.

        Raises DataError if an option asks for frames that are smaller than `resolution`.
        """
        return self

    def for_training(self, items: Sequence[str]) -> Clips:
        """These clips for a training that reads other frames of `items` in every epoch: what is
        kept of decoded frames is decided here. It changes no frame.
        """
        return self


class FeatureItems(Dataset, Protocol):
    """A data set whose items are features that another program computed."""

    @abstractmethod
    def features(self, items: Sequence[str]) -> npt.NDArray[np.float32]:
        """(N, F) features in the order of `items`."""
        ...

    def stored(self, items: Sequence[str]) -> tuple[npt.NDArray[np.floating[Any]], IntArray] | None:
        """A table (R, F) that has the features, and the row of each item in it, (N,): for features
        that are not copied before they are used. None: `features` has them.
        """
        return None

    def checksums(self, items: Sequence[str]) -> npt.NDArray[np.uint64] | None:
        """(N,): items of one fingerprint have one checksum, those of others mostly do not. So only
        the few with the checksum of another are compared by their fingerprints. None: all are.
        """
        return None


class DatasetPlugin(Plugin, Protocol[OptionsT_contra]):
    """A kind of data set: `name` or `name:ARGUMENT` in a task."""

    #: Whether classes differ in what is left and what is right, so that a picture in a mirror may
    #: be of another class. Support views are then not flipped unless a task asks for it.
    SIDES_MATTER: bool = False

    @abstractmethod
    def open_dataset(self, argument: str, options: OptionsT_contra) -> Dataset:
        """The data set at `argument`.

        Raises DataError if it is not laid out as declared.
        """
        ...

    def open_incomplete(
        self, argument: str, options: OptionsT_contra
    ) -> tuple[Dataset, Sequence[str]]:
        """For `data check`: the data set, its `problems` in place of an error where the rest can
        be read, and the items that it lists without having them.
        """
        return self.open_dataset(argument, options), ()

    def fetch(self, argument: str, options: OptionsT_contra) -> bool:
        """Bring what is not here from the network; False where there is nothing to bring."""
        return False


def as_clips(dataset: Dataset) -> Clips | None:
    """The data set as one of videos; None if its items are pictures or features."""
    return cast(Clips, dataset) if dataset.kind == "clips" else None


def as_features(dataset: Dataset) -> FeatureItems | None:
    """The data set as one of precomputed features; None if it has pictures or clips."""
    return cast(FeatureItems, dataset) if dataset.kind == "features" else None
