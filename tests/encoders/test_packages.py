"""Weights that installed packages carry."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders._packages import load_in_timm_order, package_folder


def test_the_folder_of_an_installed_package() -> None:
    assert (package_folder("timm", "timm", "x") / "__init__.py").is_file()


def test_a_missing_package_is_named_with_its_command() -> None:
    with pytest.raises(EncoderError, match="encoder 'x' reads the package no-such: pip install no"):
        package_folder("no_such", "no-such", "x")


def test_tensors_are_taken_in_the_order_of_the_file(tmp_path: Path) -> None:
    import timm

    torch.manual_seed(0)
    model = timm.create_model("test_resnet").eval()
    saved = {f"other.{i}": tensor for i, tensor in enumerate(model.state_dict().values())}
    torch.save(saved, tmp_path / "w.pth")
    x_BCHW = torch.randn(2, 3, 64, 64)
    expected = model.forward_head(model.forward_features(x_BCHW), pre_logits=True)
    torch.testing.assert_close(
        load_in_timm_order(tmp_path / "w.pth", "test_resnet")(x_BCHW), expected
    )


def test_weights_of_another_shape_do_not_fit(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(3)}, tmp_path / "w.pth")
    with pytest.raises(EncoderError, match=r"w\.pth does not fit timm's test_resnet"):
        load_in_timm_order(tmp_path / "w.pth", "test_resnet")
