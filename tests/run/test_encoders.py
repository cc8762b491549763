"""Encoders of a process: each loaded once, found by its content, and never changed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.core.errors import BadInput
from harness.run.encoders import encoder_key, load_encoder, load_text_encoder
from harness.training.model import Projection
from harness.training.weights import Weights, save_weights

from .outside import FEATURES, TOWERS, D, ImageTower
from .prepared import prepared


def test_cells_of_one_encoder_share_it(tmp_path: Path) -> None:
    p = prepared(tmp_path, classifier=["text", "random"], seeds=2)
    assert len({id(p.resources.encoder(c)) for c in p.cells}) == 1
    assert len({id(p.resources.text_encoder(c)) for c in p.cells}) == 1
    (again,) = {encoder_key(c.setup) for c in prepared(tmp_path).cells}
    assert load_encoder(again) is p.resources.encoder(p.cells[0]), "of another plan as well"


def test_another_resolution_is_another_encoder(tmp_path: Path) -> None:
    p = prepared(tmp_path, resolution=[16, 32])
    small, large = (encoder_key(c.setup) for c in p.cells)
    assert (small.resolution, large.resolution) == (16, 32)
    assert load_encoder(small) is not load_encoder(large)


def test_other_weights_are_another_encoder(tmp_path: Path, elsewhere: Any) -> None:
    """A file of weights that was replaced is loaded again, under the same name."""
    from harness.core.facts import EncoderFacts

    contents = ["a"]

    def facts(argument: str, options: Any) -> EncoderFacts:
        return EncoderFacts(contents[-1], contents[-1], D, FEATURES, 16, 10.0, text_dim=D)

    name = elsewhere(
        "changing", facts=facts, build_image=TOWERS.build_image, build_text=TOWERS.build_text
    )
    before = prepared(tmp_path, encoder=name)
    contents.append("b")
    after = prepared(tmp_path, encoder=name)
    assert before.resources.encoder(before.cell) is not after.resources.encoder(after.cell)
    assert before.resources.text_encoder(before.cell) is not after.resources.text_encoder(
        after.cell
    )


def test_saved_weights_take_the_place_of_the_projection(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    saved = Projection(torch.ones(D, FEATURES), torch.ones(D))
    head = {"logit_scale": torch.tensor(10.0)}
    save_weights(file, Weights(saved, head=head))
    p = prepared(tmp_path, init=str(file))
    loaded = p.resources.encoder(p.cell)
    assert torch.equal(loaded.projection.weight_DF, saved.weight_DF)
    assert loaded.weights is not None
    assert loaded.weights.module is None
    plain = prepared(tmp_path)
    assert plain.resources.encoder(plain.cell).weights is None
    save_weights(file, Weights(Projection(torch.zeros(D, FEATURES), None), head=head))
    changed = prepared(tmp_path, init=str(file))
    assert changed.resources.encoder(changed.cell).projection.weight_DF.eq(0).all()


def test_the_cost_of_what_cannot_be_counted_is_none(tmp_path: Path, elsewhere: Any) -> None:
    p = prepared(tmp_path)
    cost = p.resources.encoder(p.cell).cost
    assert cost is not None
    assert cost.macs == FEATURES * FEATURES + FEATURES * D

    class Bare(ImageTower):
        def __init__(self) -> None:
            super().__init__()
            self._own, self.module = self.module, None

        def features(self, x_BCHW: torch.Tensor) -> Any:
            return self._own(x_BCHW)

    name = elsewhere(
        "bare", facts=TOWERS.facts, build_text=TOWERS.build_text,
        build_image=lambda argument, options: Bare(),
    )  # fmt: skip
    bare = prepared(tmp_path, encoder=name)
    assert bare.resources.encoder(bare.cell).cost is None


@pytest.mark.parametrize("side", ["image", "text"])
def test_an_encoder_that_lacks_a_member_is_refused(
    tmp_path: Path, elsewhere: Any, side: str
) -> None:
    empty = {f"build_{side}": lambda argument, options: SimpleNamespace()}
    members = {"facts": TOWERS.facts, "build_image": TOWERS.build_image,
               "build_text": TOWERS.build_text} | empty  # fmt: skip
    p = prepared(tmp_path, encoder=elsewhere(f"lacking_{side}", **members))
    with pytest.raises(BadInput, match=f"lacking_{side}'.*is missing"):
        _ = (
            p.resources.text_encoder(p.cell)
            if side == "text"
            else p.resources.encoder(p.cell).image
        )


def test_a_text_encoder_is_loaded_once(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    tower: Any = p.resources.text_encoder(p.cell)
    assert tower.embed(["red"]).shape == (1, D)
    load_text_encoder.cache_clear()
    assert p.resources.text_encoder(p.cell) is not tower
