"""Files that hold tensors and are no whole model are refused with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from harness.core.errors import EncoderError
from harness.encoders import _weights
from harness.encoders._checkpoint_kinds import one_file

ADAPTERS = (
    "base_model.model.visual.proj.lora_A.weight", "visual.transformer.resblocks.0.mlp.lora_B",
    "lora_unet_down_blocks.lora_down.weight", "text.lora_embedding_A.default",
)  # fmt: skip


@pytest.mark.parametrize("form", ["pt", "safetensors"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter(tmp_path: Path, name: str, form: str) -> None:
    path = tmp_path / f"w.{form}"
    tensors = {name: torch.zeros(2, 2), "logit_scale": torch.tensor(1.0)}
    (save_file if form == "safetensors" else torch.save)(tensors, path)
    with pytest.raises(EncoderError, match=f"is an adapter.*holds {name}.*merge_and_unload"):
        _weights.read_header(path)
    if form == "pt":
        with pytest.raises(EncoderError, match="is an adapter"):
            _weights.state_dict(path)


@pytest.mark.parametrize("form", ["pt", "safetensors"])
@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.int8, torch.uint8])
def test_quantised_weights(tmp_path: Path, dtype: torch.dtype, form: str) -> None:
    path = tmp_path / f"w.{form}"
    tensors = {"visual.conv1.weight": torch.ones(2, 2).to(dtype)}
    (save_file if form == "safetensors" else torch.save)(tensors, path)
    with pytest.raises(EncoderError, match=r"is quantised: visual\.conv1\.weight is stored as"):
        _weights.read_header(path)


def test_masks_and_counters_of_whole_numbers_are_no_quantised_weights(tmp_path: Path) -> None:
    tensors = {
        "h.0.attn.bias": torch.ones(2, 2, dtype=torch.uint8), "mask": torch.ones(2) > 0,
        "bn.num_batches_tracked": torch.tensor(3), "position_ids": torch.arange(4),
        "bn.weight": torch.ones(2),
    }  # fmt: skip
    save_file(tensors, tmp_path / "w.safetensors")
    assert set(_weights.read_header(tmp_path / "w.safetensors").shapes) == set(tensors)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model-00001-of-00002.safetensors", "is one of the 2 files of a checkpoint"),
        ("pytorch_model-00003-of-00011.bin", "is one of the 11 files of a checkpoint"),
        ("model.safetensors.index.json", "is the index of a checkpoint in several files"),
    ],
)
def test_a_checkpoint_in_several_files(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(EncoderError, match=f"{words}.*join them"):
        one_file(tmp_path / name, ("a.bin",))


def test_a_folder_has_the_first_of_its_usual_names(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"is a folder without a\.safetensors or b\.bin"):
        one_file(tmp_path, ("a.safetensors", "b.bin"))
    (tmp_path / "b.bin").touch()
    assert one_file(tmp_path, ("a.safetensors", "b.bin")) == tmp_path / "b.bin"


def test_a_path_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert one_file(Path("~/w.pt"), ()) == tmp_path / "w.pt"
