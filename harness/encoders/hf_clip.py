"""CLIP and SigLIP of transformers: `hf_clip:NAME_OR_FOLDER`.

A folder as `save_pretrained` writes it (config.json, model.safetensors, the image processor and
the tokenizer), or the name of such a repository in the local hub cache. CLIP's visual_projection
is the projection; SigLIP has none, so its projection is the identity. SigLIP adds a bias to every
logit: the same for all classes, it moves no prediction, and it is left out.

Texts get the form that a tower was trained on: CLIP's tokenizer writes them in lower case itself.
SigLIP reads lower case without punctuation, and SigLIP 2, known by its Gemma tokenizer, lower case
(transformers issue 43101). Both read texts that are padded to their full length, without a mask.

Another resolution than the encoder's own interpolates the positional embeddings, as transformers
does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.core.facts import EncoderFacts
from harness.core.hashing import digest
from harness.core.multiply_adds import vit_macs
from harness.core.protocols.plugin import NoOptions
from harness.core.text_form import CANONICAL, CLIP, LATIN, TextForm
from harness.encoders import _folder
from harness.encoders._pixels import Undivided
from harness.encoders._text import TunableTextTower, drop, token_embedding
from harness.encoders._token_layout import layout_of, reads_from_the_left, words_of
from harness.encoders._weights import CheckpointHeader, read_json

if TYPE_CHECKING:
    import torch
    from PIL import Image

READS = ("pictures", "texts")
TAKES_CONTEXT = True
TYPES = ("clip", "siglip")
#: Raised when features of the same weights would come out otherwise.
REVISION = "hf_clip 1"
#: Raised when texts of the same SigLIP would be read otherwise.
SIGLIP_TEXTS = "siglip texts 2"
#: Sizes of vocabularies: CLIP's and SigLIP's of English texts, and the Gemma tokenizer of SigLIP 2.
CLIP_WORDS, SIGLIP_WORDS, GEMMA_WORDS = 49408, 32000, 256000
#: CLIP's largest scale, where the weights do not hold one.
LOGIT_SCALE = 100.0


def facts(argument: str, options: NoOptions) -> EncoderFacts:
    """Widths from the header of the weights, the rest from config.json.

    Raises EncoderError for a folder that is missing, incomplete or of another kind of model.
    """
    folder = _folder.locate(argument)
    config = _config(folder)
    saved = _folder.checkpoints(folder)
    _check_processor(folder)
    widths = _widths(saved, config["model_type"])
    if widths is None:
        raise EncoderError(f"the weights in {argument} are not those of a {config['model_type']}")
    dim, feature_dim, text_dim = widths
    scales = [each.logit_scale for each in saved if each.logit_scale is not None]
    content = _folder.content(folder, saved, REVISION)
    siglip = config["model_type"] == "siglip"
    return EncoderFacts(
        weights=digest([content, SIGLIP_TEXTS], 64) if siglip else content,
        backbone=content,
        dim=dim,
        feature_dim=feature_dim,
        resolution=int(config.get("vision_config", {}).get("image_size", 224)),
        logit_scale=scales[0] if scales else LOGIT_SCALE,
        text_dim=text_dim,
        # SigLIP pools by attention: there is no class token to mix over time.
        tower="other" if siglip else "vit",
        text_form=_text_form(folder, config),
        text_width=config.get("text_config", {}).get("hidden_size"),
        macs=_macs(config.get("vision_config", {}), dim),
    )


def _macs(vision: Mapping[str, Any], dim: int) -> float:
    """Multiply-adds of one image. What config.json leaves out is as in transformers' CLIP."""
    width = int(vision.get("hidden_size", 768))
    return vit_macs(
        int(vision.get("num_hidden_layers", 12)), width, int(vision.get("patch_size", 32)),
        int(vision.get("image_size", 224)), dim, int(vision.get("intermediate_size", 3072)) / width,
    )  # fmt: skip


def build_image(argument: str, options: NoOptions) -> HfImage:
    """Raises EncoderError for a folder that is incomplete, or weights that do not fit."""
    folder = _folder.locate(argument)
    return HfImage(_model(folder), folder)


def build_text(argument: str, options: NoOptions) -> HfText:
    """Raises EncoderError for a folder that is incomplete, or weights that do not fit."""
    folder = _folder.locate(argument)
    config = _config(folder)
    # CLIP's tokenizer writes texts in their form itself.
    form = _text_form(folder, config) if config["model_type"] == "siglip" else None
    return HfText(_model(folder), _folder.tokenizer(folder), form)


def fetch(argument: str, options: NoOptions) -> bool:
    """Bring the repository into the hub cache; False for a folder, which is there already."""
    return _folder.fetch(argument)


class HfImage(Undivided):
    """The vision model. `module` ends at the pooled features; the projection is kept apart."""

    def __init__(self, model: Any, folder: Path) -> None:
        import torch

        self.module = model.vision_model
        self._size = self.module.config.image_size
        self._folder = folder
        last = getattr(model, "visual_projection", None)  # SigLIP has none
        width = self.module.config.hidden_size
        self._weight_DF = torch.eye(width) if last is None else last.weight.detach().clone()
        self._processors: dict[int, Any] = {}

    def resize(self, resolution: int) -> None:
        """Nothing: positions are interpolated where `features` sees another size."""

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as (3, R, R): the folder's own image processor, at R."""
        if resolution not in self._processors:
            self._processors[resolution] = _processor(self._folder, resolution)
        x_BCHW: torch.Tensor = self._processors[resolution](image, return_tensors="pt").pixel_values
        return x_BCHW[0]

    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        """A picture of R x R pixels as (3, R, R)."""
        return self.preprocess(image, image.width)

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """h_BF, the pooled output."""
        other = tuple(x_BCHW.shape[-2:]) != (self._size, self._size)
        h_BF: torch.Tensor = self.module(x_BCHW, interpolate_pos_encoding=other).pooler_output
        return h_BF

    def projection(self) -> tuple[torch.Tensor, None]:
        """Weight (D, F)."""
        return self._weight_DF, None


class HfText(TunableTextTower):
    """The text model with its tokenizer; with a form it is SigLIP's, which is padded in full."""

    def __init__(self, model: Any, tokenizer: Any, form: TextForm | None) -> None:
        drop(model, "vision_model", "visual_projection", "logit_scale", "logit_bias")
        length = int(model.config.text_config.max_position_embeddings)
        self._tokenizer, self._form = reads_from_the_left(tokenizer), form or TextForm()
        # SigLIP was trained on texts padded to the full length, and without a mask: shorter or
        # masked ones give other embeddings.
        padding: Any = "max_length" if form else tokenizer.pad_token_id is not None
        self._settings = {"padding": padding, "truncation": True, "max_length": length}
        self._masked = form is None and "attention_mask" in tokenizer.model_input_names
        super().__init__(model, layout_of(tokenizer, self._settings, length, full=bool(form)))

    def _tokens(self, texts: list[str]) -> dict[str, torch.Tensor]:
        cleaned = [self._form.clean(text) for text in texts]
        return dict(self._tokenizer(cleaned, return_tensors="pt", **self._settings))

    def _words(self, text: str) -> list[int]:
        return words_of(self._tokenizer, self._settings, self._form.clean(text))

    def _embedding(self) -> Any:
        return token_embedding(self.module.text_model)

    def _read(self, module: Any, tokens: Mapping[str, torch.Tensor]) -> torch.Tensor:
        mask_NL = tokens["attention_mask"] if self._masked else None
        z_ND: torch.Tensor = module.get_text_features(
            input_ids=tokens["input_ids"], attention_mask=mask_NL
        ).pooler_output
        return z_ND


def _text_form(folder: Path, config: Mapping[str, Any]) -> TextForm:
    """The form of the texts that the tower was trained on."""
    words = config.get("text_config", {}).get("vocab_size")
    if config["model_type"] == "clip":
        return replace(CLIP, script=LATIN if words in (None, CLIP_WORDS) else None)
    length = config.get("text_config", {}).get("max_position_embeddings", 64)
    padded = f"padded to {length} tokens"
    gemma = _folder.tokenizer_class(folder).startswith(("Gemma", "Siglip2"))
    if gemma or words == GEMMA_WORDS:
        return TextForm(lower=True, says=f"reads texts as SigLIP 2 does: lower case, {padded}")
    says = f"reads texts as SigLIP does: lower case without punctuation, {padded}"
    return replace(CANONICAL, says=says, script=LATIN if words in (None, SIGLIP_WORDS) else None)


def _widths(saved: list[CheckpointHeader], kind: str) -> tuple[int, int, int] | None:
    """(D, F, width of the texts); None if the tensors that tell them are missing."""
    if kind == "clip":
        projection = _folder.shape(saved, "visual_projection.weight")
        text = _folder.shape(saved, "text_projection.weight")
    else:
        norm = _folder.shape(saved, "vision_model.post_layernorm.weight")
        projection = norm and (norm[0], norm[0])
        text = _folder.shape(saved, "text_model.head.weight")
    return None if projection is None or text is None else (projection[0], projection[1], text[0])


def _config(folder: Path) -> dict[str, Any]:
    """config.json. Raises EncoderError for another kind of model."""
    config = read_json(folder / "config.json")
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


def _check_processor(folder: Path) -> None:
    """Raises EncoderError for a folder that does not say how pictures are prepared, or that leaves
    them in sizes of their own.
    """
    # Newer versions of transformers write the one, older ones the other.
    whole, alone = folder / "processor_config.json", folder / "preprocessor_config.json"
    settings = read_json(whole).get("image_processor") if whole.is_file() else None
    if settings is None and not alone.is_file():
        raise EncoderError(f"{folder} has no preprocessor_config.json: how to prepare a picture")
    settings = settings or read_json(alone)
    size = settings.get("size")
    cut = settings.get("do_center_crop", "crop_size" in settings)
    one_side = isinstance(size, int) or (isinstance(size, dict) and "shortest_edge" in size)
    if settings.get("do_resize") is False or (one_side and not cut):
        raise EncoderError(
            f"the image processor of {folder} leaves pictures in sizes of their own (do_resize: "
            f"{settings.get('do_resize')}, do_center_crop: {cut}, size: {size}), and all pictures "
            "must have one"
        )


def _processor(folder: Path, resolution: int) -> Any:
    """The folder's image processor with its sizes set to R.

    Raises EncoderError for a folder without one.
    """
    from transformers import AutoImageProcessor

    try:
        processor = AutoImageProcessor.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = " ".join(str(error).split())
        raise EncoderError(f"{folder} has no image processor: {words[:200]}") from error
    square = {"height": resolution, "width": resolution}
    short = getattr(processor.size, "get", dict(processor.size).get)("shortest_edge")
    crop = getattr(processor, "crop_size", None)
    if short is not None:
        # Where the short side is longer than the crop, their proportion is kept.
        side = int(dict(crop)["height"]) if crop else short
        processor.size = {"shortest_edge": round(short * resolution / side)}
    else:
        processor.size = square
    if crop:
        processor.crop_size = square
    return processor
