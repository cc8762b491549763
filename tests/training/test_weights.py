"""Files of trained weights: what is kept and what is refused; tests/end_to_end begins from them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from harness.core.errors import EncoderError
from harness.training.model import Projection
from harness.training.pictures import Pictures
from harness.training.training_views import Sampling
from harness.training.tuned import TunedBackbone
from harness.training.weights import (
    BACKBONE,
    Source,
    Weights,
    load_weights,
    put_into,
    read_info,
    save_weights,
)

from .grey import Grey, Mean


def backbone() -> TunedBackbone:
    pictures = Pictures(Grey(), Mean(), 8)
    source = TunedBackbone(Mean(), pictures, ["1"], Sampling(0, 4), "cpu")
    source.module.mixed = torch.nn.Linear(2, 2)
    source.put_in(list(source.module.mixed.parameters()))
    with torch.no_grad():
        source.module.weight.fill_(7)
    return source


def projection(*, bias: bool = True) -> Projection:
    return Projection(torch.ones(2, 3), torch.arange(2.0) if bias else None).trainable()


SOURCE = Source(
    classes=("b", "a"), normalise=False, temporal="t_trans", encoder="e", text_encoder="t",
    alignment="pad", unnamed=1,
)  # fmt: skip


def test_all_that_was_trained_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "weights.safetensors"
    module, tuned = torch.nn.Linear(2, 2), backbone()
    scale = torch.tensor(20.5, dtype=torch.float64)
    save_weights(
        file,
        Weights(
            projection(), tuned.state(), tuned.inserted(), module.state_dict(),
            text={"layer.weight": torch.full((1,), 3.0)},
            context=torch.full((4, 2), 0.5),
            map_ED=torch.eye(2),
            head={"classifier": torch.eye(2), "logit_scale": scale},
            source=SOURCE,
        ),
    )  # fmt: skip
    weights = load_weights(file)
    assert weights.projection.weight_DF.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert weights.projection.bias_D is not None
    assert weights.projection.bias_D.tolist() == [0, 1]
    assert weights.module is not None
    assert {name: t.tolist() for name, t in weights.module.items()} == {"weight": [[7]]}
    assert weights.inserted.keys() == {"mixed.weight", "mixed.bias"}
    assert torch.equal(weights.temporal["weight"], module.weight)
    assert not weights.projection.weight_DF.requires_grad
    assert weights.text["layer.weight"].item() == 3
    assert weights.context is not None
    assert weights.context.shape == (4, 2)
    assert weights.map_ED is not None
    assert torch.equal(weights.head["classifier"], torch.eye(2))
    assert weights.head["logit_scale"].item() == 20.5
    assert weights.source == SOURCE
    info = read_info(file)
    assert info.source == SOURCE
    assert info.shape == (2, 3)
    assert info.parts == {
        "projection", "module", "inserted", "temporal", "text", "context", "alignment",
        "classifier", "logit_scale",
    }  # fmt: skip


def test_a_backbone_that_was_not_tuned_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    save_weights(file, Weights(projection(bias=False)))
    weights = load_weights(file)
    assert weights.projection.bias_D is None
    assert weights.module is None
    assert not weights.inserted
    assert not weights.temporal
    assert BACKBONE not in read_info(file).parts


def test_equal_models_are_equal_files(tmp_path: Path) -> None:
    """The hash of the file is part of the keys of cells."""
    contents = set()
    for number in range(3):
        file = tmp_path / f"{number}.safetensors"
        save_weights(file, Weights(projection(), head={"b": torch.ones(1)}, source=SOURCE))
        contents.add(file.read_bytes())
    assert len(contents) == 1


def test_a_file_of_an_earlier_version(tmp_path: Path) -> None:
    """It has no metadata: it says nothing about what it does not hold."""
    from safetensors.torch import save_file

    file = tmp_path / "weights.safetensors"
    save_file({"projection.weight": torch.ones(2, 3), "temporal.w": torch.ones(1)}, file)
    assert read_info(file).source.version == 0
    assert read_info(file).parts == {"projection", "temporal"}
    weights = load_weights(file)
    assert weights.temporal["w"].item() == 1
    assert not weights.head


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('{"version": 3, "later": 1}', "was saved by a newer version of the harness"),
        ('{"version": 1}', "does not hold weights that"),
        ("no json", "does not hold weights that"),
        ('{"version": 1, "classes": [], "other": 1}', "does not hold weights that"),
    ],
)
def test_what_another_version_says_is_not_guessed(tmp_path: Path, said: str, words: str) -> None:
    from safetensors.torch import save_file

    file = tmp_path / "weights.safetensors"
    save_file({"projection.weight": torch.ones(2, 3)}, file, {"harness": said})
    with pytest.raises(EncoderError, match=words):
        read_info(file)


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_a_file_that_holds_no_weights(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "x.safetensors"
    if content is None:
        from safetensors.torch import save_file

        save_file({"other": torch.zeros(1)}, file)
    else:
        file.write_bytes(content)
    for read in (load_weights, read_info):
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


@pytest.mark.parametrize("shape", [(4, 2), (3, 4, 2)])
def test_a_context_of_every_form_is_held(tmp_path: Path, shape: tuple[int, ...]) -> None:
    file = tmp_path / "weights.safetensors"
    context, source = torch.rand(shape), replace(SOURCE, version=2, position="behind")
    save_weights(file, Weights(projection(), context=context, source=source))
    assert read_info(file).context == shape
    weights = load_weights(file)
    assert weights.context is not None
    assert torch.equal(weights.context, context)
    assert weights.source == source


def test_a_file_with_a_context_before_the_name_is_as_it_was(tmp_path: Path) -> None:
    """Its bytes are in the keys of the cells that begin from it."""
    from safetensors import safe_open

    file = tmp_path / "weights.safetensors"
    save_weights(file, Weights(projection(), context=torch.ones(4, 2), source=SOURCE))
    with safe_open(file, framework="np") as saved:
        said = json.loads(saved.metadata()["harness"])
    assert said["version"] == 1
    assert "position" not in said
