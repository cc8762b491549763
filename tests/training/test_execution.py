"""How a tuned backbone is run changes its numbers by rounding alone."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from harness.core.conform import conform
from harness.core.protocols.encoder import ImageEncoder
from harness.encoders._pixels import Undivided
from harness.training.pictures import Pictures
from harness.training.training_views import Sampling
from harness.training.tuned import Execution, TunedBackbone

from .grey import GreyPictures

ITEMS = ["1", "2", "3"]


class Convolved(Undivided):
    """Two convolutions, and the mean over the picture."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 3), torch.nn.GELU(), torch.nn.Conv2d(8, 8, 3),
            torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
        )  # fmt: skip

    def resize(self, resolution: int) -> None:
        pass

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        pixels = np.array(image.resize((resolution, resolution)), dtype=np.float32) / 255
        return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()

    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        return self.preprocess(image, image.width)

    def features(self, x_BCHW: torch.Tensor) -> Any:
        return self.module(x_BCHW)

    def projection(self) -> tuple[torch.Tensor, None]:
        return torch.eye(8), None


def trained_and_evaluated(execution: Execution) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features in training, their gradient at the first weights, and features in evaluation."""
    encoder = conform(ImageEncoder, Convolved(), "the encoder")
    data: Any = GreyPictures()
    pictures = Pictures(data, encoder, 12)
    source = TunedBackbone(encoder, pictures, ITEMS, Sampling(0), "cpu", execution=execution)
    (x_NCHW,) = source.ahead([(0, torch.arange(3))])
    h_BF = source.features(x_NCHW)
    h_BF.square().sum().backward()
    return h_BF.detach(), source.pretrained()[0].grad, source.embed(ITEMS, pictures)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def plain() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return trained_and_evaluated(Execution())


def test_the_layout_of_memory_changes_roundings_alone(plain: tuple[torch.Tensor, ...]) -> None:
    for found, expected in zip(
        trained_and_evaluated(Execution(channels_last=True)), plain, strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_a_compiled_backbone_has_the_same_numbers(
    plain: tuple[torch.Tensor, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captured and run by torch: a machine of the tests may have no compiler."""
    compiled: list[Any] = []

    def compile_(function: Any) -> Any:
        compiled.append(function)
        return functools.partial(real(function, backend="eager"))

    real = torch.compile
    monkeypatch.setattr(torch, "compile", compile_)
    for found, expected in zip(trained_and_evaluated(Execution(compile=True)), plain, strict=True):
        torch.testing.assert_close(found, expected)
    assert len(compiled) == 1


def test_evaluation_in_tf32_is_float32_on_the_cpu(plain: tuple[torch.Tensor, ...]) -> None:
    assert torch.equal(trained_and_evaluated(Execution(evaluation="tf32"))[2], plain[2])


@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 2e-2), ("float16", 3e-3)])
def test_evaluation_in_low_precision_is_near_that_in_float32(
    plain: tuple[torch.Tensor, ...], precision: str, tolerance: float
) -> None:
    trained_BF, gradient, h_NF = trained_and_evaluated(Execution(evaluation=precision))
    assert torch.equal(trained_BF, plain[0]), "training has a precision of its own"
    assert torch.equal(gradient, plain[1])
    assert h_NF.dtype == torch.float32
    assert not torch.equal(h_NF, plain[2])
    torch.testing.assert_close(h_NF, plain[2], rtol=tolerance, atol=tolerance)
