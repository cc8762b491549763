"""Samples, images and operations of a cell that runs a tower at every step: the backbone on
pictures, or the text tower on the texts of the classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import ceil

import numpy as np

from harness.core.cells import Cell, Recipe
from harness.core.facts import EncoderFacts
from harness.core.multiply_adds import ONLY_READ, TRAINED, known, transformer_macs
from harness.plan.needs import needs_test_features
from harness.plan.resolve import ResolvedCell, Setup, takes_all, val_cut
from harness.sampling.sets import how_many
from harness.sampling.support_views import trained_rows_of_a_picture
from harness.sampling.views import views_of

#: A text transformer where nothing is known but its width: that of CLIP.
TEXT_LAYERS, TEXT_TOKENS, TEXT_WIDTH = 12, 77, 512
#: Tokens of a text where the tower does not fill texts up: those of a short sentence.
WORDS = 12
#: A ViT where nothing is known but its width: of 12 blocks, with a patch of 16 pixels. And the
#: multiply-adds of a ResNet-50 for 224 pixels, whose features are so wide.
BLOCKS, PATCH = 12, 16
RESNET50, RESNET50_WIDTH = 4.1e9, 2048


@dataclass(frozen=True)
class Operations:
    """What one cell computes on its device, and how many images it reads for it."""

    trained: float  # floating-point operations of training
    trained_images: float
    tested: float  # of evaluation
    tested_images: float


def runs_backbone(resolved: ResolvedCell) -> bool:
    """Whether a cell trains with the backbone in every step, not on features of it."""
    return resolved.cell.recipe is not None and not needs_test_features(resolved)


def runs_tower(resolved: ResolvedCell) -> bool:
    """Whether a cell trains with the backbone or with the text tower in every step."""
    if runs_backbone(resolved):
        return True
    cell, setup = resolved.cell, resolved.setup
    return cell.recipe is not None and _text_operations(cell, setup, cell.recipe) > 0


def operations_of(resolved: ResolvedCell, processes: int = 1) -> Operations:
    """Of all processes that share the training of a cell together; see `runs_tower`. A backbone
    that runs in no step takes none: the features that it gives are shared by cells.
    """
    cell, setup = resolved.cell, resolved.setup
    images = runs_backbone(resolved)
    trained = [_training(cell, setup, r, processes, images=images) for r in _recipes(cell)]
    tested = test_images(resolved) if images else 0
    return Operations(
        trained=sum(operations for operations, _ in trained),
        trained_images=sum(images for _, images in trained),
        tested=tested * image_macs(setup.facts, setup.resolution) * ONLY_READ,
        tested_images=tested,
    )


def _recipes(cell: Cell) -> Iterator[Recipe]:
    """That of every configuration of a search; one without a search, none without training."""
    if cell.recipe is None:
        return
    spaces = dict(cell.search or ())
    for values in product(*spaces.values()):
        yield replace(cell.recipe, **dict(zip(spaces, values, strict=True)))


def _training(
    cell: Cell, setup: Setup, recipe: Recipe, processes: int, *, images: bool
) -> tuple[float, float]:
    """(operations, images that are read) of one training. A stage that tunes nothing in the image
    tower reads the pictures all the same; one that trains W alone reads no texts.
    """
    length = training_length(cell, setup, recipe)
    texts = text_operations(cell, setup, recipe, length.steps)
    if not images:
        return texts, 0.0
    read = length.samples * (cell.frames or 1)
    whole = _passes(cell, recipe, min(recipe.batch, length.samples_of_epoch), processes)
    passes = sum(s.share * (whole if s.tunes_backbone else ONLY_READ) for s in cell.parts)
    return texts + read * image_macs(setup.facts, setup.resolution) * passes, read


def text_operations(cell: Cell, setup: Setup, recipe: Recipe, steps: float) -> float:
    """Floating-point operations of `steps` of training in the text tower; 0 where none reads
    texts.
    """
    with_texts = sum(stage.share for stage in cell.parts if stage.tuning != "head")
    return steps * with_texts * _text_operations(cell, setup, recipe)


@dataclass(frozen=True)
class TrainingLength:
    """How long a training is, in samples that it reads and in steps."""

    samples_of_epoch: int
    samples: float
    steps: float


def training_length(cell: Cell, setup: Setup, recipe: Recipe) -> TrainingLength:
    """Of `iterations` where the recipe names them, else of `epochs`."""
    samples = training_samples(cell, setup)
    of_epoch = samples * repeats_of_epoch(cell, setup, recipe, samples)
    steps = max(1, ceil(of_epoch / recipe.batch))
    epochs = recipe.epochs if recipe.iterations is None else recipe.iterations / steps
    return TrainingLength(of_epoch, of_epoch * epochs, steps * epochs)


def training_samples(cell: Cell, setup: Setup) -> int:
    """How many samples a cell trains on, counted from its classes without drawing them."""
    sizes = np.bincount(setup.dataset.train.labels, minlength=len(setup.dataset.classes))
    cut, take_all = val_cut(cell), takes_all(cell)
    return sum(
        how_many(int(sizes[c]) - cut, cell.shots, cell.fraction, take_all=take_all)
        for c in setup.trained.indices
    )


def repeats_of_epoch(cell: Cell, setup: Setup, recipe: Recipe, samples: int) -> int:
    """1, or with `epoch_length: full` in few-shot floor(N / (K C)): the list of the K C samples is
    repeated, so that an epoch is about as long as one over all N training samples of the classes.
    Pooled views are as many samples.
    """
    if recipe.epoch_length is None or cell.shots is None:
        return 1
    n = int(np.isin(setup.dataset.train.labels, setup.trained.indices).sum())
    return max(1, n // (samples * trained_rows_of_a_picture(cell)))


def test_images(resolved: ResolvedCell) -> int:
    """The images that are read to test a cell: all views of all test samples."""
    cell, setup = resolved.cell, resolved.setup
    items = int(np.isin(setup.test_dataset.test.labels, setup.tested.indices).sum())
    return items * views_of(cell).count * (cell.frames or 1)


def image_macs(facts: EncoderFacts, resolution: int) -> float:
    """Multiply-adds of one image: counted when the encoder was last built, else from its
    architecture, else those of a usual encoder of this width.
    """
    if (count := known(facts.backbone, resolution)) is not None:
        return count
    if facts.macs is not None:
        return facts.macs * (resolution / facts.resolution) ** 2
    if facts.tower == "vit":
        return transformer_macs(BLOCKS, facts.feature_dim, (resolution // PATCH) ** 2 + 1)
    return RESNET50 * facts.feature_dim / RESNET50_WIDTH * (resolution / 224) ** 2


def _passes(cell: Cell, recipe: Recipe, batch: int, processes: int) -> int:
    """Operations per multiply-add of an image in training. A contrastive loss over micro-batches
    has a second forward pass, and so has gradient checkpointing.
    """
    micro_batch = recipe.micro_batch or ceil(batch / processes)
    twice = bool(cell.gather) and micro_batch < batch
    return TRAINED + ONLY_READ * twice + ONLY_READ * recipe.checkpointing


def _text_operations(cell: Cell, setup: Setup, recipe: Recipe) -> float:
    """Of one step through the text tower: of the classes of the batch where the loss contrasts its
    samples, else of all.
    """
    if cell.text_tower != "online" and not setup.prompt.plugin.TRAINED:
        return 0.0
    classes = len(setup.trained.names)
    read = classes if cell.gather is None else min(classes, recipe.batch)
    prompt, options = setup.prompt.plugin, setup.prompt.options
    first = setup.trained.names[:1]
    texts = [[""]] if prompt.drawn(options) else prompt.evaluation_texts(first, options)
    facts = setup.facts if cell.text_encoder is None else replace(setup.facts, text_width=None)
    return TRAINED * text_macs(facts) * read * sum(map(len, texts))


def text_macs(facts: EncoderFacts) -> float:
    """Multiply-adds of one text. A tower of CLIP, whose width is known, fills texts up."""
    width = facts.text_width or facts.text_dim or TEXT_WIDTH
    return transformer_macs(TEXT_LAYERS, width, TEXT_TOKENS if facts.text_width else WORDS)
