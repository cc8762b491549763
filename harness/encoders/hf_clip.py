"""CLIP and SigLIP of transformers: `hf_clip:NAME_OR_FOLDER`.

A folder as `save_pretrained` writes it (config.json, model.safetensors, the image processor and
the tokenizer), or the name of such a repository in the local hub cache. CLIP's visual_projection
is the projection; SigLIP has none, so its projection is the identity. SigLIP adds a bias to every
logit: the same for all classes, it moves no prediction, and it is left out.

Another resolution than the encoder's own interpolates the positional embeddings, as transformers
does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.core.facts import EncoderFacts
from harness.encoders import _folder, _weights
from harness.encoders._text import TunableTower, drop, layout_of, token_embedding, words_of

if TYPE_CHECKING:
    import torch
    from PIL import Image

TYPES = ("clip", "siglip")
#: Raised when features of the same weights would come out otherwise.
REVISION = "hf_clip 1"
LOGIT_SCALE = 100.0
#: A learned context can stand before its texts.
TAKES_CONTEXT = True


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def facts(argument: str, options: Options) -> EncoderFacts:
    """Widths from the header of the weights, the rest from config.json.

    Raises EncoderError for a folder that is missing, incomplete or of another kind of model.
    """
    folder = _folder.locate(argument)
    config = _config(folder)
    saved = _folder.checkpoints(folder)
    if config["model_type"] == "clip":
        projection = _folder.shape(saved, "visual_projection.weight")
        text = _folder.shape(saved, "text_projection.weight")
    else:
        norm = _folder.shape(saved, "vision_model.post_layernorm.weight")
        projection = norm and (norm[0], norm[0])
        text = _folder.shape(saved, "text_model.head.weight")
    if projection is None or text is None:
        raise EncoderError(f"the weights in {argument} are not those of a {config['model_type']}")
    scales = [each.logit_scale for each in saved if each.logit_scale is not None]
    weights = _folder.content(folder, saved, REVISION)
    return EncoderFacts(
        weights=weights,
        backbone=weights,
        dim=projection[0],
        feature_dim=projection[1],
        resolution=int(config.get("vision_config", {}).get("image_size", 224)),
        logit_scale=scales[0] if scales else LOGIT_SCALE,
        text_dim=text[0],
        # SigLIP pools by attention: there is no class token to mix over time.
        tower="vit" if config["model_type"] == "clip" else "other",
    )


def build_image(argument: str, options: Options) -> HfImage:
    folder = _folder.locate(argument)
    return HfImage(_model(folder), folder)


def build_text(argument: str, options: Options) -> HfText:
    folder = _folder.locate(argument)
    siglip = _config(folder)["model_type"] == "siglip"
    return HfText(_model(folder), _folder.tokenizer(folder), siglip)


def fetch(argument: str, options: Options) -> None:
    """Bring the repository into the hub cache; a folder is there already."""
    if not Path(argument).is_dir():
        _weights.fetch(argument, _folder.PATTERNS)


class HfImage:
    """The vision model; `module` ends at the pooled features, the projection is kept beside it."""

    def __init__(self, model: Any, folder: Path) -> None:
        import torch

        self.module = model.vision_model
        self._size = self.module.config.image_size
        self._folder = folder
        last = getattr(model, "visual_projection", None)
        width = self.module.config.hidden_size
        self._weight_DF = torch.eye(width) if last is None else last.weight.detach().clone()
        self._processors: dict[int, Any] = {}

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as (3, R, R): the folder's own image processor, at R."""
        if resolution not in self._processors:
            self._processors[resolution] = _processor(self._folder, resolution)
        x_BCHW: torch.Tensor = self._processors[resolution](image, return_tensors="pt").pixel_values
        return x_BCHW[0]

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """h_BF, the pooled output."""
        other = tuple(x_BCHW.shape[-2:]) != (self._size, self._size)
        h_BF: torch.Tensor = self.module(x_BCHW, interpolate_pos_encoding=other).pooler_output
        return h_BF

    def projection(self) -> tuple[torch.Tensor, None]:
        return self._weight_DF, None

    def embed(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """z_BD, as get_image_features."""
        return self.features(x_BCHW) @ self._weight_DF.T


class HfText(TunableTower):
    """The text model with its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any, siglip: bool) -> None:
        drop(model, "vision_model", "visual_projection", "logit_scale", "logit_bias")
        length = int(model.config.text_config.max_position_embeddings)
        # SigLIP was trained on texts filled up to the full length, and answers otherwise elsewhere.
        padding: Any = "max_length" if siglip else True
        self._tokenizer = tokenizer
        self._settings = {"padding": padding, "truncation": True, "max_length": length}
        self._masked = "attention_mask" in tokenizer.model_input_names
        super().__init__(model, layout_of(tokenizer, self._settings, length, full=siglip))

    def _tokens(self, texts: list[str]) -> dict[str, torch.Tensor]:
        return dict(self._tokenizer(texts, return_tensors="pt", **self._settings))

    def _words(self, text: str) -> list[int]:
        return words_of(self._tokenizer, self._settings, text)

    def _embedding(self) -> Any:
        return token_embedding(self.module.text_model)

    def _read(self, module: Any, tokens: Mapping[str, torch.Tensor]) -> torch.Tensor:
        mask_NL = tokens["attention_mask"] if self._masked else None
        z_ND: torch.Tensor = module.get_text_features(
            input_ids=tokens["input_ids"], attention_mask=mask_NL
        ).pooler_output
        return z_ND


def _config(folder: Path) -> dict[str, Any]:
    config = _weights.read_json(folder / "config.json")
    kind = str(config.get("model_type", ""))
    if kind not in TYPES:
        raise EncoderError(
            f"{folder} holds a model of type '{kind}'; hf_clip reads: {', '.join(TYPES)}"
            + did_you_mean(nearest(kind, TYPES))
        )
    return config


def _model(folder: Path) -> Any:
    from transformers import AutoModel

    return _folder.load(folder, AutoModel)


def _processor(folder: Path, resolution: int) -> Any:
    """The folder's image processor with its sizes set to R.

    Raises EncoderError for a folder without one.
    """
    from transformers import AutoImageProcessor

    try:
        found = AutoImageProcessor.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = " ".join(str(error).split())
        raise EncoderError(f"{folder} has no image processor: {words[:200]}") from error
    square = {"height": resolution, "width": resolution}
    short = getattr(found.size, "get", dict(found.size).get)("shortest_edge")
    # A short side a little longer than the crop stays so, in proportion.
    crop = getattr(found, "crop_size", None)
    if short is not None:
        side = int(dict(crop)["height"]) if crop else short
        found.size = {"shortest_edge": round(short * resolution / side)}
    else:
        found.size = square
    if crop:
        found.crop_size = square
    return found
