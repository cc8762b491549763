"""Features in another precision: near those of float32, and at an address of their own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pretended_gpu import pretended_gpu

from harness.core.conform import conform
from harness.core.protocols.encoder import ImageEncoder
from harness.sampling.views import FrameView
from harness.training.extraction import Extraction
from harness.training.features import features_folder

from .grey import GreyPictures
from .test_execution import ITEMS, Convolved


def rows(precision: str, device: str = "cpu") -> torch.Tensor:
    encoder, data = Convolved(), GreyPictures()
    encoder.module.to(device)
    extraction = Extraction(
        data,  # type: ignore[arg-type]
        conform(ImageEncoder, encoder, "the encoder"), 12, torch.device(device), precision,
    )  # fmt: skip
    found = [row for of_batch, _ in extraction.rows(map(FrameView, ITEMS)) for row, _ in of_batch]
    return torch.stack([torch.from_numpy(row) for row in found])


@pytest.mark.parametrize(("precision", "tolerance"), [("bfloat16", 2e-2), ("float16", 3e-3)])
def test_they_agree_with_float32_to_the_rounding_of_the_format(
    precision: str, tolerance: float
) -> None:
    full_NF, lower_NF = rows("float32"), rows(precision)
    assert lower_NF.dtype == torch.float32
    assert not torch.equal(lower_NF, full_NF)
    torch.testing.assert_close(lower_NF, full_NF, rtol=tolerance, atol=tolerance)


def test_tf32_on_the_cpu_is_float32() -> None:
    assert torch.equal(rows("tf32"), rows("float32"))
    assert features_folder("b", 32, "cpu", "tf32") == features_folder("b", 32, "cpu")


@pytest.mark.parametrize(("precision", "on"), [("tf32", True), ("float32", False)])
def test_tf32_is_on_while_features_are_in_tf32(
    monkeypatch: pytest.MonkeyPatch, precision: str, on: bool
) -> None:
    seen: set[tuple[bool, bool]] = set()
    real = Convolved.features

    def features(self: Convolved, x_BCHW: torch.Tensor) -> Any:
        seen.add((torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32))
        return real(self, x_BCHW)

    monkeypatch.setattr(Convolved, "features", features)
    with pretended_gpu():
        rows(precision, "cuda")
    assert seen == {(on, on)}


def test_every_precision_has_an_address_of_its_own() -> None:
    precisions = ["float32", "tf32", "bfloat16", "float16"]
    on_gpu = {features_folder("b", 32, "cuda", precision) for precision in precisions}
    on_cpu = {features_folder("b", 32, "cpu", precision) for precision in precisions}
    assert (len(on_gpu), len(on_cpu), len(on_gpu | on_cpu)) == (4, 3, 7)
