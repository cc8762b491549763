"""What the cells of a pack share, made once: features, text embeddings, supports, test sets."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.cells import Cell, Choice
from harness.core.errors import DataError, EncoderError
from harness.core.files import file_hash
from harness.core.hashing import digest
from harness.core.protocols.alignment import AlignmentInputs
from harness.core.protocols.classifier import ClassifierInputs
from harness.core.samples import SupportSet, TestSet
from harness.core.seeding import torch_stream
from harness.plan import resolve
from harness.run.encoders import (
    Tower,
    embed_names,
    embed_templates,
    encoder_cost,
    load_text_tower,
    load_tower,
)
from harness.sampling.sets import draw_support, draw_test, draw_validation
from harness.sampling.views import views
from harness.training.features import FeatureStore, Progress, fingerprint
from harness.training.loader import item_looks, shaped
from harness.training.model import Projection
from harness.training.pictures import Pictures
from harness.training.weights import Weights, holds_backbone

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FeatureTable:
    """Features of the items that a pack needs, by item: (N, F), with V after N where there are
    several views, and T before F where there are frames.
    """

    row: dict[str, int]
    h_NF: torch.Tensor

    def of(self, items: Iterable[str]) -> torch.Tensor:
        return self.h_NF[[self.row[item] for item in items]]


@dataclass(frozen=True)
class Place:
    """A data set as a tower sees it, in so many frames and views: where its features belong."""

    dataset: Choice
    tower: Tower
    frames: int | None = None
    view: tuple[int, int] = (1, 1)


class Workshop:
    """Call `prepare` with every cell first; afterwards threads only read."""

    def __init__(self, runs: Path, progress: Progress | None = None) -> None:
        self._runs, self._progress = runs, progress
        self._tables: dict[Place, FeatureTable] = {}
        self._twins: dict[Cell, int] = {}
        self._broken: dict[Place, DataError | EncoderError] = {}
        self.notes: list[str] = []  # what was noticed while preparing, told on standard error

    def prepare(self, cells: Iterable[Cell]) -> None:
        """Compute and load what the cells train or test on: texts, and features where the
        backbone is frozen. Where some cells cannot have it and others can, `broken` says why.

        Raises DataError or EncoderError if none can.
        """
        cells = list(cells)
        wanted = self._wanted(cells)
        for place, items in wanted.items():
            try:
                self._load(place, list(items))
            except (DataError, EncoderError) as error:
                self._broken[place] = error
        left = [cell for cell in cells if self.broken(cell) is None]
        if cells and not left:
            raise next(iter(self._broken.values()))
        self._look_for_twins(left)

    def broken(self, cell: Cell) -> DataError | EncoderError | None:
        """Why the data or the encoder of a cell cannot be read."""
        places = (self._train_place(cell), self._test_place(cell))
        return next((self._broken[place] for place in places if place in self._broken), None)

    def _wanted(self, cells: list[Cell]) -> dict[Place, dict[str, None]]:
        """The items whose features the cells need, by place."""
        wanted: dict[Place, dict[str, None]] = {}
        for cell in cells:
            support, test = self.support(cell), self.test(cell)
            if cell.prompt is not None and "text" in _uses(cell):
                embed_names(resolve.text_encoder(cell), _prompt(cell), test.class_names)
            frozen = cell.tuning != "all"
            if support is not None and (frozen or self._looks_at_support(cell)):
                place = self._train_place(cell)
                wanted.setdefault(place, {}).update(dict.fromkeys(support.items))
            validation = self.validation(cell)
            if validation is not None and frozen:
                place = self._train_place(cell)
                wanted.setdefault(place, {}).update(dict.fromkeys(validation.items))
            if frozen:
                place = self._test_place(cell)
                wanted.setdefault(place, {}).update(dict.fromkeys(test.items))
        return wanted

    def twins(self, cell: Cell) -> int:
        """How many test items show a picture that is in the support set as well."""
        return self._twins.get(cell, 0)

    def train_features(self, cell: Cell) -> FeatureTable:
        return self._tables[self._train_place(cell)]

    def test_features(self, cell: Cell) -> FeatureTable:
        return self._tables[self._test_place(cell)]

    def encoder_cost(self, cell: Cell) -> dict[str, int]:
        """Multiply-adds of the image encoder in one view (a picture, or all frames of a clip) and
        its parameters, in full and as the paper counts them; nothing where there is no encoder to
        count.
        """
        cost = encoder_cost(self._tower(cell))
        if cost is None:
            return {}
        whole = cost.times(cell.frames or 1)
        return {
            "flops_per_view": whole.macs,
            "flops_per_view_paper": whole.macs_paper,
            "params_encoder": whole.params,
            "params_encoder_paper": whole.params_paper,
        }

    def image_encoder(self, cell: Cell) -> Any:
        """The pretrained image encoder, which must not be changed: copy it to tune it."""
        return load_tower(self._tower(cell)).image()

    def pictures(self, cell: Cell, dataset: Choice) -> Pictures:
        """Preprocessed pictures of a dataset, read once."""
        return _pictures(dataset, self._tower(cell))

    def saved(self, cell: Cell) -> Weights | None:
        """The weights of the cell's `init`."""
        return load_tower(self._tower(cell)).weights

    def init_of(self, cell: Cell) -> Path:
        """The file of the cell's `init`."""
        return resolve.init_file(str(cell.init), self._runs)

    def _looks_at_support(self, cell: Cell) -> bool:
        return "support" in _uses(cell)

    def support(self, cell: Cell) -> SupportSet | None:
        """None where nothing is trained on."""
        if cell.regime == "zero_shot" and cell.train_classes is None:
            return None
        trained, _ = resolve.classes_of(cell)
        return _support(cell.dataset, trained, cell.seed, cell.shots, cell.fraction, cell.val or 0)

    def validation(self, cell: Cell) -> SupportSet | None:
        """What hyper-parameters are chosen on; None where nothing is searched."""
        if cell.val is None:
            return None
        trained, _ = resolve.classes_of(cell)
        return _validation(cell.dataset, trained, cell.seed, cell.val)

    def test(self, cell: Cell) -> TestSet:
        _, tested = resolve.classes_of(cell)
        return _test(cell.test_dataset or cell.dataset, tested)

    def train_names(self, cell: Cell) -> tuple[str, ...]:
        dataset = resolve.open_dataset(cell.dataset)
        trained, _ = resolve.classes_of(cell)
        return tuple(dataset.classes[c] for c in trained)

    def projection(self, cell: Cell) -> Projection:
        """The encoder's own projection, before training."""
        return load_tower(self._tower(cell)).projection

    def text(self, cell: Cell, names: tuple[str, ...]) -> torch.Tensor:
        """Text embeddings (C, D) of class names under the cell's prompt, brought to the width of
        the pictures where they have another.
        """
        text_CE = embed_names(resolve.text_encoder(cell), _prompt(cell), names)
        return text_CE if cell.alignment is None else text_CE @ self._alignment(cell)

    def templates(self, cell: Cell, names: tuple[str, ...]) -> torch.Tensor:
        """(K, C, D): the text embeddings in each template of the cell's prompt by itself."""
        w_KCE = embed_templates(resolve.text_encoder(cell), _prompt(cell), names)
        return w_KCE if cell.alignment is None else w_KCE @ self._alignment(cell)

    def alignment(self, cell: Cell) -> torch.Tensor | None:
        """map_ED where texts have another width than pictures."""
        return None if cell.alignment is None else self._alignment(cell)

    def text_tower(self, cell: Cell) -> Any:
        """The pretrained text encoder, which must not be changed: copy it to train it."""
        return load_text_tower(resolve.text_encoder(cell))

    def _alignment(self, cell: Cell) -> torch.Tensor:
        """map_ED of the cell's alignment, fitted on the classes trained on."""
        found, _, options = resolve.options("alignment", Choice(str(cell.alignment)))
        text_CE = embed_names(resolve.text_encoder(cell), _prompt(cell), self.train_names(cell))
        projection = self.projection(cell)
        support_ND = labels_N = None
        if "support" in found.USES:
            support_ND, labels_N = self._embedded_support(cell, projection)
        inputs = AlignmentInputs(
            text_dim=text_CE.shape[1],
            dim=projection.weight_DF.shape[0],
            generator=torch_stream(cell.seed, "alignment"),
            text_CE=text_CE if "text" in found.USES else None,
            support_ND=support_ND,
            labels_N=labels_N,
        )
        map_ED: torch.Tensor = found.build(inputs, options)
        return map_ED

    def classifier(self, cell: Cell, names: tuple[str, ...]) -> torch.Tensor | None:
        """w_CD of the cell's initialisation for `names`; None for a head of its own."""
        if cell.classifier is None:
            made_of = getattr(resolve.options("paradigm", cell.paradigm)[0], "USES", ())
            return self.text(cell, names) if "text" in made_of else None
        found, _, options = resolve.options("classifier", cell.classifier)
        projection = self.projection(cell)
        support_ND = labels_N = None
        if "support" in found.USES:
            support_ND, labels_N = self._embedded_support(cell, projection)
        inputs = ClassifierInputs(
            n_classes=len(names),
            dim=projection.weight_DF.shape[0],
            generator=torch_stream(cell.seed, "init"),
            text_CD=self.text(cell, names) if "text" in found.USES else None,
            support_ND=support_ND,
            labels_N=labels_N,
        )
        w_CD: torch.Tensor = found.build(inputs, options)
        return w_CD

    def _embedded_support(
        self, cell: Cell, projection: Projection
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        import torch

        support = self.support(cell)
        if support is None:
            return None, None
        with torch.no_grad():
            z_ND = projection(self.train_features(cell).of(support.items))
            if cell.frames is not None:
                z_ND = z_ND.mean(dim=1)  # whatever models time afterwards
        return z_ND, torch.tensor(support.labels)

    def _look_for_twins(self, cells: Iterable[Cell]) -> None:
        """Count the twins of every cell; one note for a pair of data sets that has any."""
        prints: dict[Choice, dict[str, str]] = {}
        tested: dict[tuple[Choice, tuple[int, ...]], dict[str, list[str]]] = {}
        met: dict[tuple[Choice, Choice], dict[str, None]] = {}
        for cell in cells:
            support, other = self.support(cell), cell.test_dataset or cell.dataset
            if support is None:
                self._twins[cell] = 0
                continue
            place = (other, resolve.classes_of(cell)[1])
            if place not in tested:
                tested[place] = _by_print(other, self.test(cell).items, prints)
            pictures = _by_print(cell.dataset, support.items, prints)
            twins = [item for picture in pictures for item in tested[place].get(picture, ())]
            self._twins[cell] = len(twins)
            met.setdefault((cell.dataset, other), {}).update(dict.fromkeys(twins))
        for (dataset, other), items in met.items():
            if items:
                first = ", ".join(sorted(items)[:5]) + (", ..." if len(items) > 5 else "")
                self._note(
                    f"test pictures of {other} that are in a support set of {dataset} as well, "
                    f"byte for byte: {len(items)} ({first})"
                )

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            print(f"warning: {text}", file=sys.stderr)

    def _tower(self, cell: Cell) -> Tower:
        facts = resolve.encoder_facts(cell.encoder)
        init = resolve.init_file(cell.init, self._runs) if cell.init else None
        return Tower(cell.encoder, cell.resolution or facts.resolution, init)

    def _train_place(self, cell: Cell) -> Place:
        return Place(cell.dataset, self._tower(cell), cell.frames)

    def _test_place(self, cell: Cell) -> Place:
        dataset = cell.test_dataset or cell.dataset
        return Place(dataset, self._tower(cell), cell.frames, views(cell.views))

    def _load(self, place: Place, items: list[str]) -> None:
        import torch

        dataset = resolve.open_dataset(place.dataset)
        rows = {item: i for i, item in enumerate(items)}
        if hasattr(dataset, "features"):  # they exist already
            h_NF = torch.from_numpy(dataset.features(items))
            self._tables[place] = FeatureTable(rows, h_NF)
            return
        tower = place.tower
        facts = resolve.encoder_facts(tower.encoder)
        if tower.init is not None and holds_backbone(tower.init):
            facts = replace(facts, backbone=digest([facts.backbone, file_hash(tower.init)], 64))
        store = FeatureStore(dataset, facts, load_tower(tower).image, tower.resolution)
        looks = [
            look
            for item in items
            for clip in item_looks(dataset, item, place.frames, place.view)
            for look in clip
        ]
        h_N = shaped(store.get(looks, self._progress), len(items), place.view, place.frames)
        self._tables[place] = FeatureTable(rows, h_N)


def _by_print(
    choice: Choice, items: Iterable[str], prints: dict[Choice, dict[str, str]]
) -> dict[str, list[str]]:
    """Items by the fingerprint of their picture; `prints` remembers those that were asked for."""
    dataset, known = resolve.open_dataset(choice), prints.setdefault(choice, {})
    found: dict[str, list[str]] = {}
    for item in items:
        if item not in known:
            known[item] = fingerprint(dataset, item)
        found.setdefault(known[item], []).append(item)
    return found


def _uses(cell: Cell) -> set[str]:
    """What the cell's paradigm, classifier and alignment look at."""
    alignment = Choice(cell.alignment) if cell.alignment else None
    chosen = (
        ("paradigm", cell.paradigm),
        ("classifier", cell.classifier),
        ("alignment", alignment),
    )
    named = [resolve.options(kind, choice)[0] for kind, choice in chosen if choice is not None]
    return {name for found in named for name in getattr(found, "USES", ())}


def _prompt(cell: Cell) -> Choice:
    return cell.prompt or Choice("class_name")


@cache
def _pictures(dataset: Choice, tower: Tower) -> Pictures:
    return Pictures(resolve.open_dataset(dataset), load_tower(tower).image(), tower.resolution)


@cache
def _support(
    dataset: Choice,
    classes: tuple[int, ...],
    seed: int | None,
    shots: int | None,
    fraction: float | None,
    val: int,
) -> SupportSet:
    opened = resolve.open_dataset(dataset)
    return draw_support(opened, classes, seed, shots=shots, fraction=fraction, val=val)


@cache
def _validation(
    dataset: Choice, classes: tuple[int, ...], seed: int | None, val: int
) -> SupportSet:
    return draw_validation(resolve.open_dataset(dataset), classes, seed, val)


@cache
def _test(dataset: Choice, classes: tuple[int, ...]) -> TestSet:
    return draw_test(resolve.open_dataset(dataset), classes)
