"""Checkpoints: what their header says, and what is said of files that are none."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from harness.core.errors import EncoderError
from harness.encoders import _weights

TENSORS = {"a": torch.zeros(3, 2), "logit_scale": torch.tensor(math.log(50.0))}


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_a_header_holds_shapes_scale_and_content(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    (save_file if path.suffix == ".safetensors" else torch.save)(TENSORS, path)
    header = _weights.read_header(path)
    assert header.shapes == {"a": (3, 2), "logit_scale": ()}
    assert header.logit_scale == pytest.approx(50)
    assert len(header.hash) == 64


def test_the_wrapping_of_training_scripts_is_taken_off(tmp_path: Path) -> None:
    for wrapper in ("state_dict", "model"):
        wrapped = {"epoch": 3, wrapper: {f"module._orig_mod.{k}": v for k, v in TENSORS.items()}}
        torch.save(wrapped, tmp_path / "wrapped.pt")
        assert set(_weights.state_dict(tmp_path / "wrapped.pt")) == set(TENSORS)


class Code:
    """Runs a function when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (print, ("this must never be printed",))


def damaged(kind: str, file: Path) -> Path:
    out = file.with_name(f"{kind}.pt")
    if kind == "text":
        out.write_text("hello")
    elif kind == "cut":
        out.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif kind == "empty":
        out.write_bytes(b"")
    elif kind == "code":
        torch.save({"visual.proj": torch.zeros(24, 16), "x": Code()}, out)
    elif kind == "list":
        torch.save([1, 2], out)
    elif kind == "cut_safetensors":
        out = file.with_name("cut.safetensors")
        save_file({"a": torch.zeros(100)}, out)
        out.write_bytes(out.read_bytes()[:-8])
    return out


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("missing", "there is no file"),
        ("text", "is no checkpoint"),
        ("cut", "cut short"),
        ("empty", "cut short"),
        ("code", "holds code"),
        ("list", "no named tensors"),
        ("cut_safetensors", "cut short"),
    ],
)
def test_a_file_that_is_no_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, word: str
) -> None:
    whole = tmp_path / "whole.pt"
    torch.save({"a": torch.zeros(100, 100)}, whole)
    with pytest.raises(EncoderError, match=word):
        _weights.read_header(damaged(kind, whole))
    assert "never be printed" not in capsys.readouterr().out


@pytest.mark.parametrize("form", ["pt", "safetensors"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_scale_of_any_type(tmp_path: Path, dtype: torch.dtype, form: str) -> None:
    path = tmp_path / f"w.{form}"
    scale = torch.tensor([math.log(100)], dtype=dtype)
    (save_file if form == "safetensors" else torch.save)({"logit_scale": scale}, path)
    assert _weights.read_header(path).logit_scale == pytest.approx(math.exp(scale.item()))


@pytest.mark.parametrize("scale", [100.0, float("nan"), float("inf")])
def test_a_scale_that_is_no_logarithm(tmp_path: Path, scale: float) -> None:
    torch.save({"logit_scale": torch.tensor(scale)}, tmp_path / "w.pt")
    with pytest.raises(EncoderError, match=r"stores its logarithm, as 4.6052 for a factor of 100"):
        _weights.read_header(tmp_path / "w.pt")


def test_two_sets_of_weights_are_not_chosen_from(tmp_path: Path) -> None:
    torch.save({"state_dict": TENSORS, "state_dict_ema": TENSORS}, tmp_path / "w.pt")
    with pytest.raises(EncoderError, match="two sets of weights, state_dict and state_dict_ema"):
        _weights.read_header(tmp_path / "w.pt")


def test_what_a_file_says_of_itself(tmp_path: Path) -> None:
    says = {"quick_gelu": True, "preprocess_cfg": {"mean": [0.5, 0.5, 0.5]}}
    torch.save({"state_dict": TENSORS, **says}, tmp_path / "w.pt")
    metadata = {"quick_gelu": "True", "preprocess_cfg": '{"mean": [0.5, 0.5, 0.5]}', "format": "pt"}
    save_file(TENSORS, tmp_path / "w.safetensors", metadata)
    for name in ("w.pt", "w.safetensors"):
        assert _weights.read_header(tmp_path / name).says == says


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"quick_gelu": "yes"}, "quick_gelu in its metadata is no JSON"),
        ({"quick_gelu": "1"}, "says quick_gelu: 1, which is not true or false"),
        ({"model_cfg": "ViT-B-32"}, "model_cfg in its metadata is no JSON"),
        ({"preprocess_cfg": "[1]"}, "which is not a mapping"),
    ],
)
def test_what_a_file_says_must_be_readable(
    tmp_path: Path, metadata: dict[str, str], words: str
) -> None:
    save_file(TENSORS, tmp_path / "w.safetensors", metadata)
    with pytest.raises(EncoderError, match=words):
        _weights.read_header(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("text", "word"), [(None, "there is no file"), ("{", "is no JSON"), ("[]", "no mapping")]
)
def test_files_that_hold_no_mapping(tmp_path: Path, text: str | None, word: str) -> None:
    if text is not None:
        (tmp_path / "x.json").write_text(text)
    with pytest.raises(EncoderError, match=word):
        _weights.read_json(tmp_path / "x.json")
