"""Plugins from outside the package, small enough that a cell takes milliseconds.

    COLOURS     pictures of six colours with some noise; a task names it run.outside:COLOURS
    TOWERS      an encoder of pictures and texts; BLIND has no text tower
    GROUPED     a solver that takes four cells of equal shape at once; ALONE the same, one at a time
    HURT        a classifier that cannot be made at seed 1
    RIDGE, KEPT methods with an option: a linear one, and one with all materials

`study` is a task of these.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.method import MethodInputs
from harness.core.protocols.solver import Problem, Solution
from harness.core.samples import Items
from harness.core.seeding import numpy_stream, stream_seed

NAMES = ("red", "green", "blue", "cyan", "pink", "grey")
RGB = (
    (180, 90, 90),
    (90, 180, 90),
    (90, 90, 180),
    (90, 170, 170),
    (180, 110, 160),
    (130, 130, 130),
)
TRAIN, TEST = 6, 3
FEATURES, D = 12, 8
RESOLUTION = 16


def task(**changes: Any) -> dict[str, Any]:
    """A study of these plugins: two classifiers, two seeds."""
    return {
        "name": "small",
        "dataset": "run.outside:COLOURS",
        "regime": "few_shot",
        "shots": 2,
        "encoder": "run.outside:TOWERS",
        "classifier": ["text", "random"],
        "recipe": {"lr": 1e-2, "epochs": 3, "warmup_epochs": 0, "batch": 8},
        "seeds": 2,
        **changes,
    }


# --- data and encoder ----------------------------------------------------------------------------


class Colours:
    """Noisy pictures of six colours."""

    classes = NAMES
    manifest = "colours 1"

    def __init__(self) -> None:
        self.train, self.test = _items("train", TRAIN), _items("test", TEST)

    def part(self, name: str) -> Sequence[int]:
        return range(len(NAMES)) if name == "all" else range(3)

    def image(self, item: str) -> Image.Image:
        noise_HWC = numpy_stream(0, "colours", item).normal(0, 60, (16, 16, 3))
        grey = np.array(RGB[NAMES.index(item.split("/")[1])]) + noise_HWC
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8))


def _items(split: str, number: int) -> Items:
    ids = tuple(f"{split}/{name}/{n}" for name in NAMES for n in range(number))
    labels = np.repeat(np.arange(len(NAMES)), number)
    return Items(ids, labels, np.arange(len(ids)))


class ImageTower:
    """Mean colours of four parts, mixed; a fixed projection behind."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        linear = torch.nn.Linear(FEATURES, FEATURES)
        with torch.no_grad():
            linear.weight.copy_(torch.eye(FEATURES) + 0.1 * _normal(FEATURES, FEATURES, generator))
            linear.bias.zero_()
        pool = torch.nn.AdaptiveAvgPool2d(2)
        self.module = torch.nn.Sequential(pool, torch.nn.Flatten(), linear)
        self._weight_DF = _normal(D, FEATURES, generator)

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        x_HWC = np.asarray(image.resize((resolution, resolution)), dtype=np.float32) / 127.5 - 1
        return torch.from_numpy(x_HWC).permute(2, 0, 1)

    def features(self, x_BCHW: torch.Tensor) -> Any:
        return self.module(x_BCHW)

    def projection(self) -> tuple[torch.Tensor, None]:
        return self._weight_DF, None


class TextTower:
    """A drawn vector for every text, moved towards the embedding of the colour that it names."""

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        rows = []
        for text in texts:
            row_D = _normal(1, D, torch.Generator().manual_seed(zlib.crc32(text.encode())))[0]
            if text in NAMES:
                colour = torch.tensor(RGB[NAMES.index(text)]) / 127.5 - 1
                row_D = 0.1 * row_D + ImageTower().projection()[0] @ colour.repeat_interleave(4)
            rows.append(row_D)
        return torch.stack(rows)


def _normal(rows: int, columns: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(rows, columns, generator=generator) / columns**0.5


def _facts(text_dim: int | None) -> EncoderFacts:
    return EncoderFacts("towers 1", "towers 1", D, FEATURES, RESOLUTION, 10.0, text_dim=text_dim)


COLOURS = SimpleNamespace(open_dataset=lambda argument, options: Colours())
TOWERS = SimpleNamespace(
    facts=lambda argument, options: _facts(D),
    build_image=lambda argument, options: ImageTower(),
    build_text=lambda argument, options: TextTower(),
)
BLIND = SimpleNamespace(
    READS=("pictures",),
    facts=lambda argument, options: _facts(None),
    build_image=lambda argument, options: ImageTower(),
)


def hurt(inputs: Any, options: Any) -> torch.Tensor:
    if inputs.generator.initial_seed() == stream_seed(1, "init"):
        raise RuntimeError("seed 1 hurts")
    return torch.randn(inputs.n_classes, inputs.dim, generator=inputs.generator)


HURT = SimpleNamespace(USES=("seed",), build=hurt)


# --- solvers -------------------------------------------------------------------------------------


class Descent:
    """Full-batch gradient descent, one step an epoch, on all problems in turn."""

    def __init__(self, together: int) -> None:
        self.TOGETHER = together
        self.calls: list[list[Problem]] = []

    def accepts(self, cells: Sequence[Cell]) -> bool:
        """Cells of one tuning that train for equally many epochs; no whole backbone."""
        shapes = {(c.tuning, c.recipe.epochs if c.recipe else None) for c in cells}
        return len(shapes) == 1 and cells[0].tuning == "projection"

    def solve(self, problems: Sequence[Problem]) -> list[Solution]:
        self.calls.append(list(problems))
        solutions = [Solution() for _ in problems]
        assert len({p.recipe.epochs for p in problems}) == 1, "accepts() did not allow these"
        for epoch in range(problems[0].recipe.epochs):
            for problem, solution in zip(problems, solutions, strict=True):
                if problem.watch.interrupted():
                    raise KeyboardInterrupt
                point = self._step(problem, epoch)
                solution.curve.append(point)
                solution.steps += 1
                problem.watch.epoch(point)
        for solution in solutions:
            solution.diagnostics = {"gradient_norm": 0.5}
        return solutions

    def _step(self, problem: Problem, epoch: int) -> dict[str, Any]:
        model = problem.model
        model.head.begin_epoch(epoch)
        z_ND = model.embedding(model.source.features(torch.arange(len(problem.labels_N))))
        loss = model.head.loss(z_ND, problem.labels_N)
        if problem.recipe.lr > 1:
            raise CellError("the descent diverged")
        tensors = [t for t in model.tensors() if t.requires_grad]
        for tensor, gradient in zip(tensors, torch.autograd.grad(loss, tensors), strict=True):
            tensor.data -= problem.recipe.lr * gradient
        right = (model.head.logits(z_ND).argmax(dim=1) == problem.labels_N).float().mean()
        return {"epoch": epoch + 1, "loss": loss.item(), "train_top1": float(right), "seconds": 0.0}


GROUPED, ALONE = Descent(4), Descent(1)


# --- methods -------------------------------------------------------------------------------------


class RidgeOptions(BaseModel):
    """strength: of the penalty. lr: at most the strength; some methods call an option so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strength: float = Field(default=1.0, gt=0)
    lr: float = 0.0

    @model_validator(mode="after")
    def _together(self) -> RidgeOptions:
        if self.lr > self.strength:
            raise ValueError("lr must not be above strength")
        return self


class Ridge:
    """Ridge regression onto the labels; a plain W."""

    USES = ("support",)
    Options = RidgeOptions

    def check(self, cell: Cell, facts: CellFacts) -> str | None:
        return "one shot is too few" if cell.shots == 1 else None

    def fit(self, inputs: MethodInputs, options: RidgeOptions) -> torch.Tensor:
        z_ND, y_N = inputs.support()
        onehot_NC = torch.nn.functional.one_hot(y_N, inputs.n_classes).float()
        gram_DD = z_ND.T @ z_ND + options.strength * torch.eye(inputs.dim)
        return torch.linalg.solve(gram_DD, z_ND.T @ onehot_NC).T

    def logits(self, z_ND: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        return z_ND @ state.T

    def weight(self, state: torch.Tensor) -> torch.Tensor:
        return state

    def parameters(self, state: torch.Tensor) -> int:
        return state.numel()


class Kept:
    """Keeps what it was fitted to; predicts by the texts, with a drawn tie-breaker."""

    USES = ("text", "support", "validation", "seed")

    def __init__(self) -> None:
        self.inputs: list[MethodInputs] = []

    def fit(self, inputs: MethodInputs, options: Any) -> MethodInputs:
        self.inputs.append(inputs)
        return inputs

    def logits(self, z_ND: torch.Tensor, state: MethodInputs) -> torch.Tensor:
        noise_NC = torch.rand(len(z_ND), state.n_classes, generator=state.generator)
        return z_ND @ state.text().T + 1e-6 * noise_NC


class Rows(Kept):
    """Predicts by the rows of the cell's classifier."""

    USES = ("classifier",)

    def logits(self, z_ND: torch.Tensor, state: MethodInputs) -> torch.Tensor:
        return z_ND @ state.classifier().T


class OfViews(Kept):
    """Predicts by the views of the support pictures: the class of the nearest one."""

    USES = ("support", "views")

    def logits(self, z_ND: torch.Tensor, state: MethodInputs) -> torch.Tensor:
        z_MVD, y_M = state.views()
        onehot_MC = torch.nn.functional.one_hot(y_M, state.n_classes).float()
        return z_ND @ z_MVD.mean(dim=1).T @ onehot_MC

    def facts(self, state: MethodInputs) -> dict[str, Any]:
        return {"kept": len(state.views()[0])}


RIDGE, KEPT, ROWS, VIEWS = Ridge(), Kept(), Rows(), OfViews()
#: Gives logits of the wrong shape, of NaN; asks for what it did not declare.
FLAT = SimpleNamespace(
    USES=("support",), fit=lambda inputs, options: None, logits=lambda z_ND, state: z_ND[:, 0]
)
NAN = SimpleNamespace(
    USES=("support",), fit=lambda inputs, options: inputs.n_classes,
    logits=lambda z_ND, state: z_ND[:, :1].expand(-1, state) * float("nan"),
)  # fmt: skip
GREEDY = SimpleNamespace(
    USES=("support",), fit=lambda inputs, options: inputs.text(), logits=lambda z_ND, state: z_ND
)


# --- a shifted test set --------------------------------------------------------------------------


class Shifted(Colours):
    """Three of the colours in another order and spelling, with test pictures only."""

    classes = ("Blues", "cyan", "Red")
    manifest = "shifted 1"

    def __init__(self) -> None:
        colours = Colours()
        names = [name.removesuffix("s").lower() for name in self.classes]
        rows = [i for i, item in enumerate(colours.test.ids) if item.split("/")[1] in names]
        labels = [names.index(colours.test.ids[i].split("/")[1]) for i in rows]
        self.train = Items((), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        self.test = Items(
            tuple(colours.test.ids[i] for i in rows), np.array(labels), np.arange(len(rows))
        )

    def part(self, name: str) -> Sequence[int]:
        return range(len(self.classes))


SHIFTED = SimpleNamespace(open_dataset=lambda argument, options: Shifted())
