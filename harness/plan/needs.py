"""What cells need before they train: features of items and embeddings of texts, and their seconds.

It is counted from the names of items and files of the cache: no picture is read, no torch loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import Any

import numpy as np

from harness.core import rates
from harness.core.cells import OWN, Cell, Choice
from harness.core.extracted import Extracted
from harness.core.facts import EncoderFacts
from harness.core.hardware import device_here
from harness.core.hashes import file_hash
from harness.core.hashing import digest
from harness.core.protocols.dataset import Dataset
from harness.core.protocols.method import OF_SUPPORT
from harness.core.samples import Items
from harness.plan.resolve import ResolvedCell, Setup
from harness.sampling.support_views import random_crops
from harness.sampling.views import Views, views_of
from harness.training.features import features_folder
from harness.training.text_embeddings import rate_key, text_file
from harness.training.weights import BACKBONE

#: Guessed seconds of one core to read a picture, or a frame of a video.
READ_SECONDS = {"pictures": 0.006, "clips": 0.02}
#: Guessed seconds of one core to embed a text.
TEXT_SECONDS = 0.03
#: Guessed seconds of one core for an image of 224 pixels, beside the encoder's multiply-adds;
#: multiply-adds per second of one core; and how much faster a GPU is.
IMAGE_SECONDS = 0.04
MACS_PER_SECOND = 30e9
GPU_FACTOR = 100.0
#: Sets that are drawn to count the items that many of them have together.
MOST_DRAWN = 40


def needs_train_features(resolved: ResolvedCell) -> bool:
    """Whether a cell needs features of its support set: to train on, or to build a classifier."""
    return needs_test_features(resolved) or not resolved.setup.uses.isdisjoint(OF_SUPPORT)


def needs_test_features(resolved: ResolvedCell) -> bool:
    """Whether a cell needs features of its test set: its backbone is frozen, and has no module over
    time inside, which reads several frames at once.
    """
    return not resolved.cell.tunes_backbone and resolved.setup.inside is None


def needs_validation_features(resolved: ResolvedCell) -> bool:
    """Whether a cell needs features of its validation set, if it has one: its backbone is frozen,
    or its classifier looks at them before training.
    """
    return needs_test_features(resolved) or "validation" in resolved.setup.uses


def needs_texts(resolved: ResolvedCell) -> bool:
    """Whether a cell needs text embeddings of its test classes."""
    return resolved.cell.prompt is not None and "text" in resolved.setup.uses


def embeds_on(setup: Setup, device: str) -> str:
    """Where texts are embedded: on the device if the text encoder is a module that can be moved
    there, else on the CPU.
    """
    return device if setup.text_encoder.plugin.TAKES_CONTEXT else "cpu"


def facts_of_features(setup: Setup) -> EncoderFacts:
    """Facts of the encoder with the backbone that the features are of: that of `init`, if any."""
    if setup.init is None or setup.saved is None or BACKBONE not in setup.saved.parts:
        return setup.facts
    return replace(setup.facts, backbone=digest([setup.facts.backbone, file_hash(setup.init)], 64))


@dataclass
class Need:
    """Something that several cells share: what is missing of it, and who needs it."""

    missing: int  # images or texts
    seconds: float  # of one core, or of a GPU
    cells: list[Cell] = field(default_factory=list)


@dataclass
class _Features:
    """Features of one data set by one encoder, in one number of frames, views and precision."""

    dataset: Dataset
    choice: Choice
    setup: Setup
    frames: int | None
    view: Views
    precision: str
    cells: dict[int, Cell] = field(default_factory=dict)  # each once, by id
    #: By what is drawn: the cell with the most shots, whose set holds those of the others.
    train: dict[Any, ResolvedCell] = field(default_factory=dict)
    #: Of cells whose support pictures have views of their own: the validation samples alone.
    validation: dict[Any, ResolvedCell] = field(default_factory=dict)
    test: dict[Any, ResolvedCell] = field(default_factory=dict)


def feature_needs(cells: Iterable[ResolvedCell], device: str | None = None) -> list[Need]:
    """The features that cells need. `device` is where they run: cpu or cuda (None: as here)."""
    device = device or device_here()
    return [_feature_need(wanted, device) for wanted in _wanted(cells).values()]


def text_needs(cells: Iterable[ResolvedCell], device: str | None = None) -> list[Need]:
    """The text embeddings that cells need. `device` is where they run, as for `feature_needs`."""
    device = device or device_here()
    found: dict[Any, Need] = {}
    for resolved in cells:
        if not needs_texts(resolved):
            continue
        setup = resolved.setup
        key = (id(setup.tested), setup.text_weights, setup.prompt.choice)
        if key not in found:
            texts = setup.prompt.plugin.evaluation_texts(setup.tested.names, setup.prompt.options)
            place = embeds_on(setup, device)
            known = text_file(setup.text_weights, setup.prompt.choice, texts, place).is_file()
            missing = 0 if known else sum(map(len, texts))
            rate = rates.measured(rates.TEXT, rate_key(setup.text_weights, place))
            guess = TEXT_SECONDS / (1 if place == "cpu" else GPU_FACTOR)
            found[key] = Need(missing, missing * (guess if rate is None else rate))
        found[key].cells.append(resolved.cell)
    return list(found.values())


def encode_key(
    facts: EncoderFacts, resolution: int, device: str, precision: str = "float32"
) -> list[Any]:
    """What the measured seconds of encoding an image are kept under."""
    computed = rates.computed_precision(precision, device)
    return [facts.backbone, resolution, device, *([] if computed == "float32" else [computed])]


def read_keys(dataset: Choice) -> list[Any]:
    """What the measured seconds of reading an image are kept under: the data set, else its kind."""
    return [dataset.plain(), dataset.name.partition(":")[0]]


def view_key(view: Views) -> tuple[Any, ...]:
    """Views as plain data; without random crops as it was before there were any."""
    plain = astuple(view)
    return plain if view.random is not None else plain[:-1]


def _wanted(cells: Iterable[ResolvedCell]) -> dict[Any, _Features]:
    wanted: dict[Any, _Features] = {}
    for resolved in cells:
        cell, setup = resolved.cell, resolved.setup
        if needs_train_features(resolved) and setup.per_class is not None:
            _want_training(wanted, resolved)
        if needs_test_features(resolved):
            choice = cell.test_dataset or cell.dataset
            group = _group(wanted, resolved, setup.test_dataset, choice, views_of(cell))
            group.test.setdefault(id(setup.tested), resolved)
    return wanted


def _want_training(wanted: dict[Any, _Features], resolved: ResolvedCell) -> None:
    """The support set, in its views if it has some, and the validation set, in whole pictures."""
    cell, setup = resolved.cell, resolved.setup
    drawn = (id(setup.trained), cell.seed, cell.fraction, cell.val, cell.few, cell.support,
             None if cell.support == OWN else cell.shots)  # fmt: skip
    whole, crops = Views(geometry=cell.crops), random_crops(cell)
    view = whole if crops is None else Views(random=crops)
    group = _group(wanted, resolved, setup.dataset, cell.dataset, view)
    known = group.train.get(drawn)
    if known is None or (cell.shots or 0) > (known.cell.shots or 0):
        group.train[drawn] = resolved
    if crops is not None and cell.val is not None and needs_validation_features(resolved):
        group = _group(wanted, resolved, setup.dataset, cell.dataset, whole)
        group.validation.setdefault(drawn, resolved)


def _group(
    wanted: dict[Any, _Features],
    resolved: ResolvedCell,
    dataset: Dataset,
    choice: Choice,
    view: Views,
) -> _Features:
    cell, setup = resolved.cell, resolved.setup
    key = (choice, cell.encoder, setup.resolution, setup.init, cell.frames, view,
           cell.feature_precision)  # fmt: skip
    if key not in wanted:
        wanted[key] = _Features(dataset, choice, setup, cell.frames, view, cell.feature_precision)
    wanted[key].cells[id(cell)] = cell
    return wanted[key]


def _feature_need(wanted: _Features, device: str) -> Need:
    cells = list(wanted.cells.values())
    if wanted.dataset.kind == "features":
        return Need(0, 0.0, cells)
    facts, resolution = facts_of_features(wanted.setup), wanted.setup.resolution
    folder = features_folder(facts.backbone, resolution, device, wanted.precision)
    extracted = Extracted(wanted.choice, folder, wanted.frames, view_key(wanted.view))
    train_sets, test_sets = list(wanted.train.values()), list(wanted.test.values())
    validation_sets = list(wanted.validation.values())
    of_both = [*train_sets, *validation_sets]
    trained = {id(c.setup.trained): c.setup.trained.indices for c in of_both}
    tested = {id(c.setup.tested): c.setup.tested.indices for c in test_sets}
    pool = _pool(wanted.dataset.train, trained.values())
    missing = [
        _missing(train_sets, _training_items, extracted, pool),
        _missing(validation_sets, _validation_items, extracted, pool),
        _missing(
            test_sets,
            lambda c: c.test.items,
            extracted,
            _pool(wanted.dataset.test, tested.values()),
        ),
    ]
    images = round(sum(missing) * (wanted.frames or 1) * wanted.view.count)
    return Need(images, images * _seconds_per_image(wanted, facts, device), cells)


def _pool(split: Items, classes: Iterable[Sequence[int]]) -> int:
    """How many items the classes of several sets have."""
    union = {c for of_set in classes for c in of_set}
    return int(np.isin(split.labels, list(union)).sum())


def _training_items(resolved: ResolvedCell) -> Iterator[str]:
    if resolved.support is not None:
        yield from resolved.support.items
    if resolved.cell.support_views is None and needs_validation_features(resolved):
        yield from _validation_items(resolved)


def _validation_items(resolved: ResolvedCell) -> Iterator[str]:
    if resolved.validation is not None:
        yield from resolved.validation.items


def _missing(sets: Sequence[ResolvedCell], items_of: Any, extracted: Extracted, pool: int) -> float:
    """How many items of these sets have no features yet. Of very many sets some are drawn, and the
    rest is taken to be like them.
    """
    step = max(1, -(-len(sets) // MOST_DRAWN))
    drawn = sets[::step]
    items = dict.fromkeys(item for resolved in drawn for item in items_of(resolved))
    missing = extracted.missing(list(items))
    if len(drawn) == len(sets) or pool == 0:
        return missing
    # Each set leaves out this share of the pool, so all of them leave out its power.
    left_out: float = (1 - min(missing / pool, 1 - 1e-9)) ** (len(sets) / len(drawn))
    return pool * (1 - left_out)


def _seconds_per_image(wanted: _Features, facts: EncoderFacts, device: str) -> float:
    where = encode_key(facts, wanted.setup.resolution, device, wanted.precision)
    encode = rates.measured(rates.ENCODE, where)
    if encode is None:
        encode = guessed_encode_seconds(facts, wanted.setup.resolution, device)
    return read_seconds(wanted.choice, wanted.dataset) + encode


def read_seconds(choice: Choice, dataset: Dataset) -> float:
    """Seconds of one core to read an image of a data set: measured, else a guess."""
    read = [rates.measured(rates.READ, key) for key in read_keys(choice)]
    known = [rate for rate in read if rate is not None]
    return known[0] if known else READ_SECONDS.get(dataset.kind, 0.0)


def guessed_encode_seconds(facts: EncoderFacts, resolution: int, device: str) -> float:
    """A guess of the seconds to encode an image: those of a transformer of 12 blocks as wide as the
    features with a patch of 16 pixels, else those of a ResNet-50, scaled by the width.
    """
    if facts.tower == "vit":
        macs = 12 * 12 * facts.feature_dim**2 * (224 / 16) ** 2
    else:
        macs = 3e9 * facts.feature_dim / 2048
    seconds: float = (IMAGE_SECONDS + macs / MACS_PER_SECOND) * (resolution / 224) ** 2
    return seconds / (1.0 if device == "cpu" else GPU_FACTOR)
