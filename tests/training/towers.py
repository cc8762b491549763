"""Small towers of every family, as the project's encoders read them."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from encoders import tiny

from harness.core.protocols.plugin import NoOptions
from harness.encoders import hf_clip, hf_text, open_clip
from harness.encoders import timm as timm_images

TEXTS = ["a red car", "a picture of a blue boat", "cat", "a photo of a green cat"]


@dataclass
class Tower:
    """An encoder of pictures or texts, and what it makes of some of four samples."""

    encoder: Any
    kind: str
    size: int = 32

    @property
    def module(self) -> Any:
        return self.encoder.module

    def read(self, *numbers: int) -> torch.Tensor:
        """Features of these samples; of all without numbers."""
        chosen = list(numbers or range(4))
        if self.kind == "text":
            z_ND: torch.Tensor = self.encoder.encode([TEXTS[n] for n in chosen])
            return z_ND
        stream = torch.Generator().manual_seed(2)
        x_NCHW = torch.randn(4, 3, self.size, self.size, generator=stream)
        dtype = next(self.module.parameters()).dtype
        pooled: torch.Tensor = self.encoder.features(x_NCHW[chosen].to(dtype))
        return pooled


def _timm_vit(root: Path) -> Tower:
    reference = tiny.timm_model(root / "timm", "test_vit", "weights.pt")
    return Tower(timm_images.build_image(reference, NoOptions()), "image", 64)


def _open_clip(root: Path, name: str, config: Any, kind: str, size: int = 32) -> Tower:
    reference = tiny.open_clip_model(root / name, config)
    build: Any = open_clip.build_image if kind == "image" else open_clip.build_text
    return Tower(build(reference, open_clip.Options()), kind, size)


def _hf_text(folder: str) -> Tower:
    return Tower(hf_text.build_text(folder, hf_text.Options()), "text")


def _hf_clip(root: Path, name: str, kind: str) -> Tower:
    reference = tiny.hf_clip(root / f"{name}_{kind}", name)
    build: Any = hf_clip.build_image if kind == "image" else hf_clip.build_text
    return Tower(build(reference, NoOptions()), kind)


#: Towers with attention in blocks, by name.
WRITERS: dict[str, Callable[[Path], Tower]] = {
    "open_clip image": lambda root: _open_clip(root, "vit", tiny.VIT, "image"),
    "open_clip text": lambda root: _open_clip(root, "vit_text", tiny.VIT, "text"),
    "open_clip of timm": lambda root: _open_clip(root, "of_timm", tiny.TIMM_TOWER, "image", 64),
    "timm": _timm_vit,
    "clip image": lambda root: _hf_clip(root, "clip", "image"),
    "clip text": lambda root: _hf_clip(root, "clip", "text"),
    "siglip image": lambda root: _hf_clip(root, "siglip", "image"),
    "siglip text": lambda root: _hf_clip(root, "siglip", "text"),
    "bert": lambda root: _hf_text(tiny.bert(root / "bert")),
    "t5": lambda root: _hf_text(tiny.t5(root / "t5")),
}


class Towers:
    """Every call gives a copy of its own of a tower, which is written once."""

    def __init__(self, root: Path) -> None:
        self._written = cache(lambda name: WRITERS[name](root))

    def __call__(self, name: str) -> Tower:
        return deepcopy(self._written(name))
