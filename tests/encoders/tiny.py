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
TIMM_CONVNEXT: dict[str, Any] = {
    **VIT,
    "vision_cfg": {
        "image_size": 64, "timm_model_name": "test_convnext", "timm_pool": "avg",
        "timm_proj": "linear",
    },
}  # fmt: skip
#: The text tower is a module of its own, and pools at the end token by its id.
CUSTOM: dict[str, Any] = {
    **VIT,
    "custom_text": True,
    "text_cfg": {**VIT["text_cfg"], "pool_type": "eos", "eos_id": 49407, "proj_bias": True},
}
#: A class token is put behind the text.
COCA: dict[str, Any] = {
    **VIT,
    "custom_text": True,
    "text_cfg": {**VIT["text_cfg"], "embed_cls": True, "output_tokens": True},
    "multimodal_cfg": {
        "width": 8, "heads": 2, "layers": 1, "context_length": 12, "vocab_size": 49408,
        "attn_pooler_heads": 2,
    },
    "vision_cfg": {
        **VIT["vision_cfg"], "output_tokens": True, "attentional_pool": True,
        "attn_pooler_heads": 2, "attn_pooler_queries": 4,
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
        from open_clip import CLIP, CoCa, CustomTextCLIP

        torch.manual_seed(0)
        config = json.loads(path.read_text())
        config = config.get("model_cfg", config)
        kind = CLIP
        if config.pop("custom_text", False):
            kind = CoCa if "multimodal_cfg" in config else CustomTextCLIP
        self.model = kind(**config).eval()
        _liven(self.model)

    def save(self, file: Path) -> None:
        from safetensors.torch import save_file

        tensors = {k: v.contiguous().clone() for k, v in self.model.state_dict().items()}
        if file.suffix == ".safetensors":
            save_file(tensors, file)
        else:
            torch.save(tensors, file)


def hf_clip(folder: Path, kind: str = "clip", **of_text: Any) -> str:
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
        "eos_token_id": end, "bos_token_id": end - 1, "pad_token_id": 0, **shared, **of_text,
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


def open_clip_bert(folder: Path, **text: Any) -> dict[str, Any]:
    """A config of open_clip whose text tower is a model of transformers in a folder."""
    inside = {
        "hf_model_name": bert(folder), "hf_tokenizer_name": str(folder), "context_length": 12,
        "hf_model_pretrained": False, "hf_proj_type": "mlp", "hf_pooler_type": "mean_pooler",
    }  # fmt: skip
    return {**VIT, "custom_text": True, "text_cfg": {**inside, **text}}


def open_clip_siglip(folder: Path) -> dict[str, Any]:
    """SigLIP in open_clip: no start token, both directions, pooled at the last token."""
    _words_tokenizer(folder)
    return _own_text(folder, tokenizer_kwargs={"clean": "canonicalize"}, proj_bias=True)


def open_clip_stripped(folder: Path) -> dict[str, Any]:
    """CLIPA in open_clip: the end token is taken off again."""
    folder.mkdir(parents=True)
    _tokenizer(folder)
    return _own_text(folder, tokenizer_kwargs={"strip_sep_token": True})


def _own_text(folder: Path, **text: Any) -> dict[str, Any]:
    inside = {
        **VIT["text_cfg"], "vocab_size": 32, "hf_tokenizer_name": str(folder), "pool_type": "last",
        "no_causal_mask": True,
    }  # fmt: skip
    return {**VIT, "custom_text": True, "text_cfg": {**inside, **text}}


def t5(folder: Path) -> str:
    """A folder with a T5Model, whose texts have an end token and no start token."""
    from transformers import T5Config, T5Model

    torch.manual_seed(0)
    made = T5Model(T5Config(d_model=12, d_kv=6, d_ff=16, num_layers=2, num_heads=2, vocab_size=32))
    _liven(made)
    made.save_pretrained(folder)
    _words_tokenizer(folder)
    return str(folder)


def siglip_2(folder: Path) -> str:
    """A SigLIP of 64 positions with a Gemma tokenizer: letters, capitals apart, and an end token.
    It pads at the left, as that class does where its folder does not say otherwise.
    """
    from string import ascii_letters, punctuation

    from tokenizers.processors import TemplateProcessing
    from transformers import GemmaTokenizer

    special = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
    names = [*special, "\N{LOWER ONE EIGHTH BLOCK}", *ascii_letters, *punctuation]
    reference = hf_clip(folder, "siglip", max_position_embeddings=64, vocab_size=len(names))
    for file in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / file).unlink()
    made = GemmaTokenizer(vocab={name: number for number, name in enumerate(names)}, merges=[])
    made.backend_tokenizer.post_processor = TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", 1)]
    )
    made.save_pretrained(folder)
    return reference


def siglip_with_an_end(folder: Path) -> str:
    """A SigLIP as it is published: no start token, no mask, filled up with the end token."""
    reference = hf_clip(folder, "siglip")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).unlink()
    _words_tokenizer(folder, pad_token="[SEP]", model_input_names=["input_ids"])
    return reference


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


def _words_tokenizer(folder: Path, **settings: Any) -> None:
    """A tokenizer that puts nothing before a text and [SEP] behind it."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    names = ["[PAD]", "[UNK]", *WORDS, "[SEP]"]
    vocabulary = {name: number for number, name in enumerate(names)}
    made = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(
        single="$A [SEP]", special_tokens=[("[SEP]", vocabulary["[SEP]"])]
    )
    known = {"pad_token": "[PAD]", "eos_token": "[SEP]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(
        tokenizer_object=made, model_max_length=12, **(known | settings)
    ).save_pretrained(folder)


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
