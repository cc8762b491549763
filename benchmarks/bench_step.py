"""What the training loop costs beside a bare one: a tiny ViT on pictures, on the CPU.

    make bench

The baseline is what most people write: a DataLoader with as many workers, torchvision's random
crops, AdamW. Both read the same JPEG files and train the same model; the rounds take turns.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from harness.core.cells import Cell, Choice, Recipe
from harness.core.protocols.paradigm import HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.core.protocols.solver import Problem
from harness.data import folder
from harness.encoders.timm import TimmImage
from harness.paradigms import vision_text
from harness.training.loader import default_workers
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection
from harness.training.pictures import Pictures
from harness.training.training_views import Sampling
from harness.training.tuned import TunedBackbone

PICTURES, CLASSES, SIDE, RESOLUTION, BATCH, EPOCHS, ROUNDS = 160, 10, 256, 96, 32, 2, 3
#: A round as a multiple of the bare loop.
TARGET = 1.1
LR = 1e-4


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures."""
    root = tmp_path_factory.mktemp("pictures")
    stream = np.random.default_rng(0)
    for number in range(PICTURES + CLASSES):
        split = "train" if number < PICTURES else "test"
        place = root / split / f"class {number % CLASSES}"
        place.mkdir(parents=True, exist_ok=True)
        drawn = Image.fromarray(stream.integers(0, 255, (16, 16, 3), dtype=np.uint8))
        drawn.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(place / f"{number}.jpg")
    return root


def bench_step(benchmark: BenchmarkFixture, root: Path) -> None:
    """Seconds of a training of two epochs, of both."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = timm.create_model("vit_tiny_patch16_224", img_size=RESOLUTION, num_classes=0)
    w_CD = F.normalize(torch.randn(CLASSES, module.num_features), dim=1)
    seconds: dict[str, list[float]] = {"harness": [], "bare": []}

    def rounds() -> None:
        for _ in range(ROUNDS):
            for name, run in (("bare", bare), ("harness", harness)):
                began = time.perf_counter()
                run(deepcopy(module), w_CD, root)
                seconds[name].append(time.perf_counter() - began)

    benchmark.pedantic(rounds, rounds=1)
    steps = EPOCHS * math.ceil(PICTURES / BATCH)
    benchmark.extra_info |= {name: median(found) / steps for name, found in seconds.items()}
    benchmark.extra_info |= {"target": TARGET, "workers": default_workers()}


def harness(module: Any, w_CD: torch.Tensor, root: Path) -> None:
    """The loop of the harness, from its data set on."""
    data = folder.open_dataset(str(root), folder.Options())
    encoder = TimmImage(module)
    dim = w_CD.shape[1]
    source = TunedBackbone(
        encoder, Pictures(data, encoder, RESOLUTION), data.train.ids,
        Sampling(0, None, "crop_flip"), "cpu",
    )  # fmt: skip
    inputs = HeadInputs(CLASSES, dim, torch.Generator().manual_seed(0), 100.0, w_CD)
    projection = Projection(torch.eye(dim), None).trainable("cpu")
    model = Model(source, Embedding(projection), vision_text.build(inputs, NoOptions()))
    recipe = Recipe(lr=LR, epochs=EPOCHS, batch=BATCH, augment="crop_flip")
    cell = Cell(Choice("folder"), "full", Choice("timm"), tuning="all", recipe=recipe)
    train(Problem(cell, model, torch.from_numpy(data.train.labels), recipe, 0))


def bare(module: Any, w_CD: torch.Tensor, root: Path) -> None:
    """A plain loop."""
    pictures = _Pictures(sorted((root / "train").glob("*/*.jpg")))
    loader = DataLoader(
        pictures, batch_size=BATCH, shuffle=True, num_workers=default_workers(),
        persistent_workers=True,
    )  # fmt: skip
    projection = torch.nn.Linear(w_CD.shape[1], w_CD.shape[1], bias=False)
    optimiser = torch.optim.AdamW([*module.parameters(), *projection.parameters()], lr=LR)
    for _ in range(EPOCHS):
        for x_BCHW, y_B in loader:
            optimiser.zero_grad()
            z_BD = F.normalize(projection(module(x_BCHW)), dim=1)
            F.cross_entropy(100 * z_BD @ w_CD.T, y_B).backward()
            optimiser.step()


class _Pictures(Dataset[tuple[torch.Tensor, int]]):
    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._change = transforms.Compose([
            transforms.RandomResizedCrop(
                RESOLUTION, (0.08, 1.0), interpolation=transforms.InterpolationMode.BICUBIC
            ),
            transforms.RandomHorizontalFlip(),
            transforms.RandomGrayscale(0.2),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * 3, (0.5,) * 3),
        ])  # fmt: skip

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        path = self._files[index]
        with Image.open(path) as image:
            return self._change(image.convert("RGB")), int(path.parent.name.split()[1])
