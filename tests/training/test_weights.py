"""Files of trained weights: what is kept and what is refused; tests/end_to_end begins from them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.core.errors import EncoderError
from harness.training.loader import Sampling, TunedBackbone
from harness.training.model import Embedding, Projection
from harness.training.pictures import Pictures
from harness.training.weights import holds_backbone, load_weights, put_into, save_weights

from .grey import Grey, Mean


def backbone() -> TunedBackbone:
    pictures = Pictures(Grey(), Mean(), 8)
    source = TunedBackbone(Mean(), pictures, ["1"], Sampling(0, 4), "cpu")
    source.module.mixed = torch.nn.Linear(2, 2)
    source.put_in(list(source.module.mixed.parameters()))
    with torch.no_grad():
        source.module.weight.fill_(7)
    return source


def embedding(*, bias: bool = True, temporal: bool = False) -> Embedding:
    bias_D = torch.arange(2.0) if bias else None
    module = torch.nn.Linear(2, 2) if temporal else None
    return Embedding(Projection(torch.ones(2, 3), bias_D).trainable(), module)


def test_all_that_was_trained_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "weights.safetensors"
    own = embedding(temporal=True)
    save_weights(file, own, backbone())
    weights = load_weights(file)
    assert weights.projection.weight_DF.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert weights.projection.bias_D is not None
    assert weights.projection.bias_D.tolist() == [0, 1]
    assert weights.module is not None
    assert {name: t.tolist() for name, t in weights.module.items()} == {"weight": [[7]]}
    assert weights.inserted.keys() == {"mixed.weight", "mixed.bias"}
    assert torch.equal(weights.temporal["weight"], own.temporal.weight)
    assert not weights.projection.weight_DF.requires_grad
    assert holds_backbone(file)


def test_a_backbone_that_was_not_tuned_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    save_weights(file, embedding(bias=False), None)
    weights = load_weights(file)
    assert weights.projection.bias_D is None
    assert weights.module is None
    assert not weights.inserted
    assert not weights.temporal
    assert not holds_backbone(file)


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_a_file_that_holds_no_weights(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "x.safetensors"
    if content is None:
        from safetensors.torch import save_file

        save_file({"other": torch.zeros(1)}, file)
    else:
        file.write_bytes(content)
    for read in (load_weights, holds_backbone):
        with pytest.raises(EncoderError, match="does not hold weights that `save: last` wrote"):
            read(file)


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"weight": torch.zeros(1, 1)}, "'bias' is in the encoder and not in the file"),
        (
            {"weight": torch.zeros(1, 1), "bias": torch.zeros(1), "more": torch.zeros(1)},
            "'more' is in the file and not in the encoder",
        ),
        (
            {"weight": torch.zeros(2, 1), "bias": torch.zeros(2)},
            r"'weight' has another shape in the encoder \(and 1 more\)",
        ),
    ],
)
def test_weights_of_another_architecture_are_refused(
    tensors: dict[str, torch.Tensor], words: str
) -> None:
    module = torch.nn.Linear(1, 1)
    before = module.weight.clone()
    with pytest.raises(
        EncoderError, match=f"^init: w.safetensors was saved from another .*{words}"
    ):
        put_into(module, tensors, Path("w.safetensors"), "encoder")
    assert torch.equal(module.weight, before)


def test_only_the_wanted_names_must_be_there() -> None:
    module = torch.nn.Linear(1, 1)
    put_into(module, {"bias": torch.full((1,), 5.0)}, Path("w"), "module", ["bias"])
    assert module.bias.item() == 5
