"""Safetensors without torch: what the header says, and types that numpy does not have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from harness.core.safetensors_file import read_safetensors_array, read_safetensors_header

X_AB = torch.tensor([[1.5, -2.25, 3e38], [0.0, -0.0, 1e-38]])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_is_read_exactly(tmp_path: Path, dtype: torch.dtype) -> None:
    x_AB = X_AB.clamp(-6e4, 6e4).to(dtype)
    save_file({"before": torch.ones(3), "x": x_AB, "z": torch.ones(2)}, tmp_path / "f.safetensors")
    read_AB = read_safetensors_array(tmp_path / "f.safetensors", "x")
    np.testing.assert_array_equal(read_AB, x_AB.double().numpy())
    assert read_AB.dtype == (np.float32 if dtype == torch.bfloat16 else x_AB.numpy().dtype)


def test_a_scalar_of_bfloat16(tmp_path: Path) -> None:
    save_file({"x": torch.tensor(4.59375, dtype=torch.bfloat16)}, tmp_path / "f.safetensors")
    assert read_safetensors_array(tmp_path / "f.safetensors", "x").item() == 4.59375


def test_the_header_has_types_shapes_and_metadata(tmp_path: Path) -> None:
    save_file({"x": X_AB.bfloat16(), "a": torch.ones(())}, tmp_path / "f.safetensors", {"k": "v"})
    header = read_safetensors_header(tmp_path / "f.safetensors")
    assert [(n, t.dtype, t.shape) for n, t in header.tensors.items()] == [
        ("a", "F32", ()), ("x", "BF16", (2, 3)),
    ]  # fmt: skip
    assert header.metadata == {"k": "v"}
