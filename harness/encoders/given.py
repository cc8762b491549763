"""Features that exist already: `given:PATH` beside `dataset: features:PATH`.

No picture is seen, so the projection is the identity to begin with, and `tuning: projection` trains
it. Texts are the file's text_features, by class name; where their width is another than that of the
features, or another text encoder is named, an alignment is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from harness.core.cells import Cell, Choice
from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.hashing import digest
from harness.core.precomputed import Given, read_given

if TYPE_CHECKING:
    import torch

#: Raised when the same file would be read otherwise.
REVISION = "given 1"
DATASET = "features:"


class Options(BaseModel):
    """Features that exist already have no options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def facts(argument: str, options: Options) -> EncoderFacts:
    """Widths from the arrays; nothing is loaded.

    Raises DataError for arrays that are missing or do not fit.
    """
    given = _read(argument)
    content = digest([REVISION, given.content], 64)
    return EncoderFacts(
        weights=content,
        backbone=content,
        dim=given.dim,
        feature_dim=given.dim,
        resolution=0,
        logit_scale=given.logit_scale,
        text_dim=None if given.text_TD is None else int(given.text_TD.shape[1]),
    )


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Raises EncoderError for what needs pictures, or the features of another file."""
    own = Path(cell.encoder.name.removeprefix("given:")).expanduser()
    if not _is(cell.dataset, own):
        raise EncoderError(
            f"{cell.encoder} hands on the features of a file: dataset must be features:{own}, "
            f"not {cell.dataset}"
        )
    if cell.test_dataset is not None:
        _check_other(cell.test_dataset, own, facts)
    needs_pictures = {
        "tuning": ("all", cell.tuning == "all"),
        "temporal": (cell.temporal, cell.temporal is not None),
        "resolution": (cell.resolution, cell.resolution is not None),
        "views": (cell.views, cell.views != "1x1"),
        "recipe.augment": (
            cell.recipe and cell.recipe.augment,
            cell.recipe is not None and cell.recipe.augment != "none",
        ),
    }
    for key, (value, asked) in needs_pictures.items():
        if asked:
            raise EncoderError(f"{key}: {value} needs pictures, and {cell.encoder} has features")
    if cell.text_encoder is None and cell.prompt not in (None, Choice("class_name")):
        raise EncoderError(
            f"prompt: {cell.prompt} needs a text tower, and {cell.encoder} has one text a class; "
            "name a text_encoder or take prompt: class_name"
        )
    return None


def build_image(argument: str, options: Options) -> GivenImage:
    return GivenImage(_read(argument))


def build_text(argument: str, options: Options) -> GivenText:
    return GivenText(_read(argument))


class GivenImage:
    """An encoder that has run already: no picture comes to it, and nothing of it can be trained."""

    def __init__(self, given: Given) -> None:
        import torch

        self._given = given
        self.module = torch.nn.Module()

    def projection(self) -> tuple[torch.Tensor, None]:
        """The identity (F, F)."""
        import torch

        return torch.eye(self._given.dim), None


class GivenText:
    """Texts that were embedded already."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._row = {name: row for row, name in enumerate(given.text_names)}

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, D) text features of class names.

        Raises EncoderError for a name that the file has no text of.
        """
        import torch

        given = self._given
        if given.text_TD is None:
            raise EncoderError(f"given:{given.path} has no text_features")
        for text in texts:
            if text not in self._row:
                close = did_you_mean(nearest(text, given.text_names))
                raise EncoderError(f"given:{given.path} has no text of '{text}'{close}")
        rows_ND = given.text_TD[[self._row[text] for text in texts]]
        return torch.from_numpy(rows_ND.astype("float32"))


def _check_other(other: Choice, own: Path, facts: CellFacts) -> None:
    """Raises EncoderError for a test set with features of another encoder, as far as seen."""
    if not other.name.startswith(DATASET):
        raise EncoderError(f"given:{own} reads no pictures: test_dataset must be features:PATH")
    width = read_given(Path(other.name.removeprefix(DATASET)).expanduser()).dim
    if width != facts.encoder.feature_dim:
        raise EncoderError(
            f"test_dataset {other} has features of width {width}, given:{own} of width "
            f"{facts.encoder.feature_dim}: one encoder must have made both"
        )


def _read(argument: str) -> Given:
    if not argument:
        raise EncoderError("encoder 'given' needs a path, as in given:clip_features.npz")
    return read_given(Path(argument).expanduser())


def _is(dataset: Choice, path: Path) -> bool:
    """Whether a dataset is the features in `path`."""
    named = Path(dataset.name.removeprefix(DATASET)).expanduser()
    return dataset.name.startswith(DATASET) and named.resolve() == path.resolve()
