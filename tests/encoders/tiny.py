"""Tiny encoders of every family, with random weights, written to disk as their libraries do it.

Each writer returns the reference that a task names them by (without the family).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

WORDS = ("a", "picture", "of", "red", "green", "blue", "car", "boat", "cat", "photo")

VIT: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 24, "head_width": 8, "patch_size": 8},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 2},
}
RESNET: dict[str, Any] = {
    **VIT,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 4, "head_width": 8},
}
TIMM_TOWER: dict[str, Any] = {
    **VIT,
    "vision_cfg": {
        "image_size": 64, "timm_model_name": "test_vit", "timm_pool": "", "timm_proj": "linear",
    },
}  # fmt: skip
#: A tower whose pooling has layers of its own: nothing linear comes last.
TIMM_MAP: dict[str, Any] = {
    **VIT,
    "embed_dim": 64,
    "vision_cfg": {"image_size": 64, "timm_model_name": "test_vit", "timm_proj": "none"},
}


def open_clip_model(folder: Path, config: dict[str, Any], file: str = "weights.pt") -> str:
    """`CONFIG.json@FILE` of an open_clip model."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    open_clip_reference(path).save(folder / file)
    return f"{path}@{folder / file}"


class open_clip_reference:  # noqa: N801 - reads as a function
    """The library's own model of a config, the same at every call."""

    def __init__(self, path: Path) -> None:
        from open_clip import CLIP

        torch.manual_seed(0)
        config = json.loads(path.read_text())
        self.model = CLIP(**config.get("model_cfg", config)).eval()
        _liven(self.model)

    def save(self, file: Path) -> None:
        from safetensors.torch import save_file

        tensors = {k: v.contiguous().clone() for k, v in self.model.state_dict().items()}
        if file.suffix == ".safetensors":
            save_file(tensors, file)
        else:
            torch.save(tensors, file)


def hf_clip(folder: Path, kind: str = "clip") -> str:
    """A folder with a CLIPModel or SiglipModel, its image processor and its tokenizer."""
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        SiglipConfig,
        SiglipImageProcessor,
        SiglipModel,
    )

    torch.manual_seed(0)
    shared = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    end = 2 + len(WORDS) + 1  # the id of [SEP] in the vocabulary below
    text = {
        "hidden_size": 8, "vocab_size": 32, "max_position_embeddings": 12,
        "eos_token_id": end, "bos_token_id": end - 1, "pad_token_id": 0, **shared,
    }  # fmt: skip
    if kind == "clip":
        vision = {"hidden_size": 20, "image_size": 32, "patch_size": 8, **shared}
        made = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
        CLIPImageProcessor(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        ).save_pretrained(folder)
    else:
        vision = {"hidden_size": 16, "image_size": 32, "patch_size": 8, **shared}
        text |= {"projection_size": 16}
        made = SiglipModel(SiglipConfig(text_config=text, vision_config=vision))
        SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    _liven(made)
    made.save_pretrained(folder)
    _tokenizer(folder)
    return str(folder)


def bert(folder: Path, width: int = 12) -> str:
    """A folder with a BertModel and a WordPiece vocabulary."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    made = BertModel(
        BertConfig(
            hidden_size=width, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
            vocab_size=32, max_position_embeddings=16,
        ),
        add_pooling_layer=False,
    )  # fmt: skip
    _liven(made)
    made.save_pretrained(folder)
    _tokenizer(folder)
    return str(folder)


def timm_model(folder: Path, name: str = "test_resnet", file: str = "weights.safetensors") -> str:
    """`NAME@FILE` of a model of timm, with its classifier."""
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    model = timm.create_model(name)
    _liven(model)
    tensors = {k: v.contiguous() for k, v in model.state_dict().items()}
    (save_file if file.endswith(".safetensors") else torch.save)(tensors, folder / file)
    return f"{name}@{folder / file}"


def pictures(root: Path, per_class: int = 4) -> str:
    """A folder data set of three classes: noise around a colour, not square."""
    draw = np.random.default_rng(0)
    for name, colour in (("red_car", (200, 40, 40)), ("blue_boat", (40, 40, 200)),
                         ("green_cat", (40, 200, 40))):  # fmt: skip
        for split, count in (("train", per_class), ("test", 3)):
            for i in range(count):
                noise = draw.normal(0, 40, (40, 48, 3)) + colour
                path = root / split / name / f"{i}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(path)
    return f"folder:{root}"


def picture(seed: int = 0, size: tuple[int, int] = (48, 40)) -> Image.Image:
    draw = np.random.default_rng(seed)
    return Image.fromarray(draw.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def _tokenizer(folder: Path) -> None:
    """A WordPiece tokenizer; [SEP] has the highest id, as CLIP's pooling wants it."""
    from transformers import BertTokenizerFast

    vocabulary = ["[PAD]", "[UNK]", *WORDS, "[CLS]", "[SEP]"]
    file = folder / "vocab.txt"
    file.write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizerFast(vocab=str(file), model_max_length=12).save_pretrained(folder)


def _liven(model: torch.nn.Module) -> None:
    """Move what starts at zero or one (norms, biases, gates), so that no part is left unseen."""
    stream = torch.Generator().manual_seed(1)
    with torch.no_grad():
        means = [t for name, t in model.named_buffers() if name.endswith("running_mean")]
        for tensor in (*model.parameters(), *means):
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=stream))
