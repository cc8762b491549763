"""The layer of embedded/lit-emoji made again, on a few classes of the embedded emoji."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch.nn import functional as F

from harness.core.cells import Choice
from harness.data import emoji
from harness.encoders import embedded
from harness.plan.catalogue import Catalogue
from harness.run import lit_emoji
from harness.run.lit_emoji import rebuild_lit_emoji

SMALL = {"aligned": 6, "development": 3}


@pytest.fixture
def few_classes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The emoji with six aligned and three development classes."""
    data: Any = Catalogue().dataset(Choice("emoji"))
    part = data.part
    monkeypatch.setattr(
        type(data), "part", lambda self, name: part(name)[: SMALL.get(name)], raising=False
    )
    return data


def tensors_of(file: Path) -> dict[str, torch.Tensor]:
    with safe_open(file, framework="pt") as saved:
        return {name: saved.get_tensor(name) for name in saved.keys()}  # noqa: SIM118


def test_the_layer_maps_pictures_to_the_texts_of_aligned_classes(
    few_classes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lit_emoji, "EPOCHS", 30)
    file = tmp_path / "layer.safetensors"
    points: list[tuple[int, int]] = []
    found = rebuild_lit_emoji(file, lambda done, total: points.append((done, total)))
    assert 0 <= found["development_top1"] <= 1
    assert points[-1][1] <= 6 * 7
    tensors = tensors_of(file)
    shapes = {name: (tuple(t.shape), t.dtype) for name, t in tensors.items()}
    shipped = tensors_of(embedded.LAYER_FILE)
    assert shapes == {name: (tuple(t.shape), t.dtype) for name, t in shipped.items()}
    with safe_open(file, framework="pt") as saved:
        assert saved.metadata() == {"class_split": emoji.split()["sha256"]}

    # On the classes that it was fitted to it is right.
    aligned = list(few_classes.part("aligned"))
    labels = few_classes.test.labels.tolist()
    items = [i for i, c in zip(few_classes.test.ids, labels, strict=True) if c in aligned]
    classes = torch.tensor([aligned.index(c) for c in labels if c in aligned])
    h_NF = lit_emoji._store(few_classes).get(items)
    z_ND = F.linear(h_NF, tensors["weight"].float(), tensors["bias"].float())
    text_CD = embedded.load_text_tower().embed([few_classes.classes[c] for c in aligned])
    w_CD = F.normalize(text_CD - tensors["text_mean"].float(), dim=-1)
    accuracy = ((F.normalize(z_ND, dim=-1) @ w_CD.T).argmax(dim=1) == classes).float().mean()
    assert accuracy == 1


def test_it_is_made_alike_every_time(few_classes: Any, tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.safetensors" for n in range(2)]
    for file in files:
        rebuild_lit_emoji(file)
    assert files[0].read_bytes() == files[1].read_bytes()
