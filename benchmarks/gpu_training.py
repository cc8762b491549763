"""What a training with the loop of the harness takes, on real clips and on synthetic ones."""

from __future__ import annotations

import gc
import math
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import open_clip
import torch
from open_clip.model import CLIP
from torch.nn import functional as F

from benchmarks.clips import write_clips
from benchmarks.gpu_sources import Real, Synthetic, host_waits
from harness.core.cells import Cell, Choice, Recipe
from harness.core.protocols.paradigm import HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.solver import Problem, Watch
from harness.core.protocols.temporal import TemporalInputs
from harness.data import video
from harness.encoders._open_clip_image import OpenClipImage
from harness.encoders._open_clip_source import OpenClipSource
from harness.encoders._weights import CheckpointHeader
from harness.paradigms import matching, vision_text
from harness.sampling.views import FrameView
from harness.temporal import t_trans
from harness.training.device import forget_peak, peak_memory
from harness.training.extraction import Extraction
from harness.training.loader import AHEAD, default_workers
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection
from harness.training.pictures import Pictures
from harness.training.training_views import Sampling, TrainingViews

PARADIGMS: Mapping[str, Any] = {"vision_text": vision_text, "matching": matching}
#: CLIP's initial logit scale.
LOGIT_SCALE = 1 / 0.07
AUGMENT = "crop_flip"


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    name: str
    config: Mapping[str, Any]  # of the model, in open_clip's form
    clips: int
    length: int  # frames of a clip
    size: tuple[int, int]  # (width, height) of a frame
    frames: int  # T
    classes: int
    batch: int
    steps: int  # of an epoch, at least
    epochs: int  # after the first one, which warms up
    checked: tuple[int, int] = (2, 3)  # samples and steps that are computed on the CPU too

    @property
    def resolution(self) -> int:
        """Of the pictures that the model reads."""
        return int(self.config["vision_cfg"]["image_size"])


#: The paper's ViT-B/16 with 8 frames, on clips as Kinetics has them.
FULL = Scale(
    "ViT-B/16", open_clip.get_model_config("ViT-B-16"), clips=48, length=300, size=(340, 256),
    frames=8, classes=400, batch=32, steps=30, epochs=2,
)  # fmt: skip
TINY = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 16, "width": 32, "heads": 2, "layers": 1},
}
QUICK = Scale(
    "a tiny ViT", TINY, clips=8, length=12, size=(48, 36), frames=2, classes=4, batch=4, steps=3,
    epochs=1,
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What a training took after its first epoch."""

    samples_a_second: float
    waiting: float  # share of the time in which the device waited for data
    peak_bytes: int | None  # of tensors on the device, with the first epoch; None on the CPU
    losses: Sequence[float]  # the mean of every epoch
    waits: int | None  # of the host for the device in the last epoch; None on the CPU
    steps: int  # of an epoch


@dataclass(frozen=True)
class Bench:
    """A model and clips, and where it is trained on them."""

    scale: Scale
    device: torch.device
    encoder: OpenClipImage
    pictures: Pictures
    items: Sequence[str]
    workers: int

    def real(self) -> Run:
        """Epochs that are long beside what the workers hold when one begins, so that they show how
        fast clips are read.
        """
        steps = max(self.scale.steps, 4 * AHEAD * self.workers)
        return self._run(Real, self._recipe(), steps)

    def synthetic(self, paradigm: str = "vision_text", parts: int = 1) -> Run:
        """The same model and step without data; a batch in so many micro-batches."""
        recipe = replace(self._recipe(), micro_batch=math.ceil(self.scale.batch / parts))
        return self._run(Synthetic, recipe, self.scale.steps, paradigm)

    def losses(self, precision: str) -> Sequence[float]:
        """The loss of every one of the first steps, on few samples."""
        samples, steps = self.scale.checked
        recipe = Recipe(
            epochs=steps, batch=samples, augment=AUGMENT, precision=precision, warmup_epochs=0,
            decay="constant",
        )  # fmt: skip
        return replace(self, items=self.items[:samples])._run(Real, recipe, 1).losses

    def seconds_of_a_clip(self) -> float:
        """Of one core, to read a clip as training does."""
        sampling = Sampling(0, self.scale.frames, AUGMENT)
        views = TrainingViews(self.pictures, self.items, sampling)
        began = time.thread_time()
        for number in range(len(self.items)):
            views.read((0, [number]))
        return (time.thread_time() - began) / len(self.items)

    def images_a_second(self) -> float:
        """Frozen features in float32 from all frames of the clips, after a first batch."""
        encoder = deepcopy(self.encoder)
        extraction = Extraction(self.pictures.dataset, encoder, self.scale.resolution, self.device)
        views = [FrameView(item, t) for item in self.items for t in range(self.scale.length)]
        for _ in extraction.rows(views[: extraction.batch]):
            pass
        began = time.perf_counter()
        read = sum(len(rows) for rows, _ in extraction.rows(views))  # on the host
        return read / (time.perf_counter() - began)

    def _recipe(self) -> Recipe:
        return Recipe(
            epochs=1 + self.scale.epochs, batch=self.scale.batch, augment=AUGMENT,
            precision="bfloat16",
        )  # fmt: skip

    def _run(
        self, kind: type[Real], recipe: Recipe, steps: int, paradigm: str = "vision_text"
    ) -> Run:
        """A training whose epochs have so many steps, or some more."""
        gc.collect()
        forget_peak(self.device)
        source = kind(
            self.encoder, self.pictures, self.items,
            Sampling(0, self.scale.frames, recipe.augment), self.device, workers=self.workers,
        )  # fmt: skip
        model = self._model(source, paradigm)
        repeats = math.ceil(steps * recipe.batch / len(self.items))
        with host_waits(self.device) as waits:
            # The loop has just read the losses of an epoch when it calls: the device is done.
            ends: list[tuple[float, int]] = []
            watch = Watch(epoch=lambda _: ends.append((time.perf_counter(), waits())))
            cell = Cell(Choice("video"), "full", Choice("open_clip"), tuning="all", recipe=recipe)
            solution = train(Problem(cell, model, self._labels(), recipe, 0, watch, None, repeats))
        seconds = ends[-1][0] - ends[0][0]
        samples = len(self.items) * repeats * (recipe.epochs - 1)
        return Run(
            samples_a_second=samples / seconds,
            waiting=sum(map(source.waited, range(1, recipe.epochs))) / seconds,
            peak_bytes=peak_memory(self.device),
            losses=[point["loss"] for point in solution.curve],
            waits=None if self.device.type == "cpu" else ends[-1][1] - ends[-2][1],
            steps=solution.steps // recipe.epochs,
        )

    def _labels(self) -> torch.Tensor:
        stream = torch.Generator().manual_seed(0)
        y_N = torch.randint(self.scale.classes, (len(self.items),), generator=stream)
        return y_N.to(self.device)

    def _model(self, source: Real, paradigm: str) -> Model:
        """With the paper's module over time and random texts."""
        stream = torch.Generator().manual_seed(0)
        projection = Projection(*self.encoder.projection())
        dim = len(projection.weight_DF)
        w_CD = F.normalize(torch.randn(self.scale.classes, dim, generator=stream), dim=1)
        inputs = HeadInputs(self.scale.classes, dim, stream, LOGIT_SCALE, w_CD)
        head = PARADIGMS[paradigm].build(inputs, NoOptions())
        head.to(self.device)
        over_time = TemporalInputs(dim, self.scale.frames, stream)
        temporal = t_trans.build(over_time, t_trans.Options()).to(self.device)
        return Model(source, Embedding(projection.trainable(self.device), temporal), head)


@contextmanager
def opened(scale: Scale, device: torch.device, root: Path) -> Iterator[Bench]:
    """With clips in a folder, of which no cache keeps a frame, and as many workers as there are
    cores.
    """
    write_clips(root / "clips", scale.clips, scale.length, scale.size)
    kept = {"HARNESS_CACHE": str(root / "cache"), "HARNESS_FRAMES_GB": "0"}
    with patch.dict(os.environ, kept):
        data = video.open_dataset(str(root / "clips"), video.Options())
        items = [*data.train.ids, *data.test.ids]
        clips = data.for_training(items)
        for item in items:
            clips.length(item)  # the index of a file is made once, not at every access
        encoder = random_encoder(scale)
        pictures = Pictures(clips, encoder, scale.resolution)
        yield Bench(scale, device, encoder, pictures, items, default_workers())


def random_encoder(scale: Scale) -> OpenClipImage:
    """The model with random weights, the same at every call; nothing is downloaded."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = CLIP(**scale.config).eval()
    weights = CheckpointHeader(Path(), "", {}, None)
    return OpenClipImage(model, OpenClipSource(scale.name, scale.config, {}, weights))
