"""Precomputed features: `given:PATH` with `dataset: features:PATH`.

No picture is read. The projection is the identity to begin with, and `tuning: projection` trains
it. Texts are the file's text_features, by class name; where their width differs from that of the
features, or another text encoder is named, an alignment is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harness.core.cells import Cell, Choice
from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.hashing import digest
from harness.core.precomputed import PrecomputedFeatures, read_precomputed
from harness.core.protocols.plugin import NoOptions
from harness.core.text_context import TextContext
from harness.encoders._pixels import Undivided

if TYPE_CHECKING:
    import torch

READS = ("pictures", "texts")
TAKES_CONTEXT = False
#: Raised when the same file would be read otherwise.
REVISION = "given 1"
DATASET = "features:"


def facts(argument: str, options: NoOptions) -> EncoderFacts:
    """Widths and scale from the arrays.

    Raises DataError for arrays that are missing or do not fit.
    """
    precomputed = _read(argument)
    content = digest([REVISION, precomputed.content], 64)
    text_TD = precomputed.text_TD
    return EncoderFacts(
        weights=content,
        backbone=content,
        dim=precomputed.dim,
        feature_dim=precomputed.dim,
        resolution=0,
        logit_scale=precomputed.logit_scale,
        text_dim=None if text_TD is None else int(text_TD.shape[1]),
    )


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Raises EncoderError for what needs pictures, or the features of another file."""
    path = Path(cell.encoder.name.removeprefix("given:")).expanduser()
    if not _is_dataset_of(cell.dataset, path):
        raise EncoderError(
            f"{cell.encoder} hands on the features of a file: dataset must be features:{path}, "
            f"not {cell.dataset}"
        )
    if cell.test_dataset is not None:
        _check_test_set(cell.test_dataset, path, facts)
    _refuse_what_needs_pictures(cell)
    if cell.text_encoder is None and cell.prompt not in (None, Choice("class_name")):
        raise EncoderError(
            f"prompt: {cell.prompt} needs a text tower, and {cell.encoder} has one text a class; "
            "name a text_encoder or take prompt: class_name"
        )
    return None


def _refuse_what_needs_pictures(cell: Cell) -> None:
    needs_pictures = {
        "tuning": (cell.tuning, cell.tunes_backbone),
        "temporal": (cell.temporal, cell.temporal is not None),
        "resolution": (cell.resolution, cell.resolution is not None),
        "views": (cell.views, cell.views != "1x1"),
        "recipe.augment": (
            cell.recipe and cell.recipe.augment,
            cell.recipe is not None and cell.recipe.augment != "none",
        ),
    }
    for key, (value, is_set) in needs_pictures.items():
        if is_set:
            raise EncoderError(f"{key}: {value} needs pictures, and {cell.encoder} has features")


def build_image(argument: str, options: NoOptions) -> PrecomputedImage:
    """Raises DataError for arrays that are missing or do not fit."""
    return PrecomputedImage(_read(argument))


def build_text(argument: str, options: NoOptions) -> PrecomputedText:
    """Raises DataError for arrays that are missing or do not fit."""
    return PrecomputedText(_read(argument))


class PrecomputedImage(Undivided):
    """An encoder that another program ran: it reads no picture, and only its projection trains."""

    module = None

    def __init__(self, precomputed: PrecomputedFeatures) -> None:
        self._precomputed = precomputed

    def resize(self, resolution: int) -> None:
        """Nothing: there are no pictures."""

    def preprocess(self, image: Any, resolution: int) -> NoReturn:
        """Raises EncoderError."""
        raise EncoderError(f"given:{self._precomputed.path} reads no pictures")

    def as_tensor(self, image: Any) -> NoReturn:
        """Raises EncoderError."""
        self.preprocess(image, 0)

    def features(self, x_BCHW: Any) -> NoReturn:
        """Raises EncoderError: the data set has them."""
        raise EncoderError(f"given:{self._precomputed.path} reads no pictures")

    def projection(self) -> tuple[torch.Tensor, None]:
        """The identity (F, F)."""
        import torch

        return torch.eye(self._precomputed.dim), None


class PrecomputedText:
    """Texts that another program embedded."""

    def cut_short(self, texts: Sequence[str], context: TextContext | None = None) -> Sequence[bool]:
        """All False: the file does not tell."""
        return [False] * len(texts)

    def __init__(self, precomputed: PrecomputedFeatures) -> None:
        self._precomputed = precomputed
        self._row = {name: row for row, name in enumerate(precomputed.text_names)}

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, D) text features of class names.

        Raises EncoderError for a name that the file has no text of.
        """
        import torch

        path, text_TD = self._precomputed.path, self._precomputed.text_TD
        if text_TD is None:
            raise EncoderError(f"given:{path} has no text_features")
        for text in texts:
            if text not in self._row:
                close = did_you_mean(nearest(text, self._row))
                raise EncoderError(f"given:{path} has no text of '{text}'{close}")
        rows_ND = text_TD[[self._row[text] for text in texts]]
        return torch.from_numpy(rows_ND.astype("float32"))


def _check_test_set(test: Choice, path: Path, facts: CellFacts) -> None:
    """Raises EncoderError for pictures, or features of another width.

    Features of another encoder of the same width are not noticed: the files do not tell it.
    """
    if not test.name.startswith(DATASET):
        raise EncoderError(f"given:{path} reads no pictures: test_dataset must be features:PATH")
    width = read_precomputed(Path(test.name.removeprefix(DATASET)).expanduser()).dim
    if width != facts.encoder.feature_dim:
        raise EncoderError(
            f"test_dataset {test} has features of width {width}, given:{path} of width "
            f"{facts.encoder.feature_dim}: one encoder must have made both"
        )


def _read(argument: str) -> PrecomputedFeatures:
    if not argument:
        raise EncoderError("encoder 'given' needs a path, as in given:clip_features.npz")
    return read_precomputed(Path(argument).expanduser())


def _is_dataset_of(dataset: Choice, path: Path) -> bool:
    """Whether a dataset is the features in `path`."""
    named = Path(dataset.name.removeprefix(DATASET)).expanduser()
    return dataset.name.startswith(DATASET) and named.resolve() == path.resolve()
