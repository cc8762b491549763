"""CLIP models of open_clip: `open_clip:ARCH/PRETRAINED` or `open_clip:ARCH@FILE`.

ARCH is a name that open_clip knows (ViT-B-32, RN50, ...) or the path of a model config
(CONFIG.json). FILE is a state_dict saved with torch.save, or safetensors. Features are what comes
before the last linear layer: the pooled output of a ViT, the attention-pooled output of a CLIP
ResNet before c_proj, the pooled trunk of a timm tower with a linear head. A tower that ends
otherwise has the identity as its projection.

At another resolution the positional embeddings of a ViT are interpolated as open_clip does it;
open_clip cannot do that for its ResNets, so neither can this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictBool

from harness.core.errors import EncoderError
from harness.core.facts import EncoderFacts
from harness.core.hashing import digest
from harness.core.multiply_adds import clip_resnet_macs, vit_macs
from harness.encoders import _adapters, _hub
from harness.encoders._checkpoint_kinds import refuse_nan
from harness.encoders._open_clip_image import OpenClipImage
from harness.encoders._open_clip_library import config_of, tag_of
from harness.encoders._open_clip_source import (
    OpenClipSource,
    candidates,
    does_not_fit,
    locate,
    parts,
    repository_of,
    with_local_files,
)
from harness.encoders._open_clip_text import OpenClipText, text_form_of, tokenizer_of
from harness.encoders._open_clip_trained import Stated
from harness.encoders._weights import state_dict

READS = ("pictures", "texts")
TAKES_CONTEXT = True
#: CLIP's largest scale, where a checkpoint does not hold one.
LOGIT_SCALE = 100.0
#: Raised when features of the same weights would come out otherwise.
REVISION = "open_clip 1"


class Options(BaseModel):
    """For ARCH@FILE, where the file does not say it. like: the published weights that were trained
    in the same way (TAG, or ARCH/TAG), for the activation, mean, std and resizing.
    quick_gelu: whether the activation is QuickGELU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    like: str | None = None
    quick_gelu: StrictBool | None = None


def facts(argument: str, options: Options) -> EncoderFacts:
    """Widths and scale from the config and the checkpoint's header.

    Raises EncoderError for an architecture, tag or file that does not exist, a file that cannot
    be read, or one of another architecture.
    """
    source = locate(argument, Stated(options.like, options.quick_gelu))
    with_local_files(source.config["text_cfg"])  # raises while planning if one is missing
    saved = source.saved
    dim = int(source.config["embed_dim"])
    name, feature_axis = _projection_place(source.config)
    feature_dim = dim
    if name is not None:
        shape = saved.shapes.get(name, ())
        declared = _feature_dim(source.config)
        if len(shape) != 2 or shape[1 - feature_axis] != dim:
            raise does_not_fit(source, f"its {name} should end in {dim}, not {shape or 'missing'}")
        feature_dim = shape[feature_axis]
        if declared is not None and feature_dim != declared:
            raise does_not_fit(source, f"its features are {feature_dim} wide, not {declared}")
    size = source.config["vision_cfg"].get("image_size", 224)
    content = digest([REVISION, saved.hash, source.config, source.preprocess], 64)
    return EncoderFacts(
        weights=content,
        backbone=content,
        dim=dim,
        feature_dim=feature_dim,
        resolution=size if isinstance(size, int) else int(size[0]),
        logit_scale=saved.logit_scale or LOGIT_SCALE,
        text_dim=dim,
        fixed_resolution=_is_resnet(source.config),
        tower=_tower(source.config, saved.shapes),
        text_form=text_form_of(source.config["text_cfg"]),
        text_width=source.config.get("text_cfg", {}).get("width"),
        macs=_macs(source.config),
        image_adapters=_image_adapters(source.config),
    )


def build_image(argument: str, options: Options) -> OpenClipImage:
    """Raises EncoderError for what does not exist, or weights that do not fit."""
    source = locate(argument, Stated(options.like, options.quick_gelu))
    return OpenClipImage(_load(source), source)


def build_text(argument: str, options: Options) -> OpenClipText:
    """Raises EncoderError for what does not exist, or weights that do not fit."""
    source = locate(argument, Stated(options.like, options.quick_gelu))
    return OpenClipText(_load(source), tokenizer_of(source))


def fetch(argument: str, options: Options) -> bool:
    """Bring the weights of ARCH/PRETRAINED, and what its text tower needs, into the hub cache.

    False where all of it is a file.
    """
    arch, tag, _ = parts(argument)
    text = config_of(arch).get("text_cfg", {})
    repositories = [text[key] for key in ("hf_model_name", "hf_tokenizer_name") if text.get(key)]
    for repository in repositories:
        _hub.download(repository, ("*.json", "*.txt", "*.model"))
    if tag:
        repository, name = repository_of(tag_of(arch, tag))
        _hub.download(repository, candidates(name))
    return bool(tag or repositories)


# --- widths, without torch ------------------------------------------------------------------------


def _is_resnet(config: Mapping[str, Any]) -> bool:
    vision = config["vision_cfg"]
    return not vision.get("timm_model_name") and isinstance(vision.get("layers"), list)


def _tower(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """What modules over time can be put into: vit | resnet | other."""
    if _is_resnet(config):
        return "resnet"
    name = str(config["vision_cfg"].get("timm_model_name") or "")
    if not name:
        return "vit"
    if name.startswith(("vit_", "test_vit")) and "visual.trunk.cls_token" in shapes:
        return "vit"
    return "resnet" if any(n.startswith("visual.trunk.layer3.") for n in shapes) else "other"


def _image_adapters(config: Mapping[str, Any]) -> bool | None:
    """Whether adapters fit its image tower; None: known once it is built."""
    if _is_resnet(config):
        return False
    name = config["vision_cfg"].get("timm_model_name")
    return _adapters.of_timm_name(str(name)) if name else None


def _projection_place(config: Mapping[str, Any]) -> tuple[str | None, int]:
    """Name of the tensor of the last linear layer, and which of its axes is F; (None, 0) if the
    tower does not end in one.
    """
    vision = config["vision_cfg"]
    if vision.get("timm_model_name"):
        linear = vision.get("timm_proj", "linear") == "linear"
        return ("visual.head.proj.weight", 1) if linear else (None, 0)
    if _is_resnet(config):
        return "visual.attnpool.c_proj.weight", 1
    return "visual.proj", 0


def _feature_dim(config: Mapping[str, Any]) -> int | None:
    """F as the config says it; None where only the checkpoint knows."""
    vision = config["vision_cfg"]
    if vision.get("timm_model_name"):
        return None
    width = int(vision.get("width", 64 if _is_resnet(config) else 768))
    if _is_resnet(config):
        return width * 32
    return int(config["embed_dim"]) if vision.get("attentional_pool") else width


def _macs(config: Mapping[str, Any]) -> float | None:
    """Multiply-adds of one image, of open_clip's own towers."""
    vision, dim = config["vision_cfg"], int(config["embed_dim"])
    size = vision.get("image_size", 224)
    if vision.get("timm_model_name") or not isinstance(size, int):
        return None
    if _is_resnet(config):
        return clip_resnet_macs(vision["layers"], int(vision.get("width", 64)), size, dim)
    return vit_macs(
        int(vision.get("layers", 12)), int(vision.get("width", 768)),
        int(vision.get("patch_size", 16)), size, dim, float(vision.get("mlp_ratio", 4.0)),
    )  # fmt: skip


# --- building -------------------------------------------------------------------------------------


def _load(source: OpenClipSource) -> Any:
    """The model with its weights.

    Raises EncoderError if they do not fit.
    """
    try:
        model = _empty(source.config)
    except (TypeError, AttributeError, AssertionError, RuntimeError, ValueError) as error:
        raise EncoderError(f"open_clip cannot build {source.arch}: {_short(error)}") from error
    tensors = state_dict(source.file)
    if not any(name.startswith(("visual.", "image_enc")) for name in tensors):
        raise does_not_fit(source, "it holds no visual tower")
    # CoCa's decoder has a tensor that nothing fills and nothing reads.
    refuse_nan(source.file, [t for t in tensors.items() if not t[0].startswith("text_decoder.")])
    try:
        _fill(model, tensors)
    except (RuntimeError, AssertionError, AttributeError, KeyError, ValueError) as error:
        raise does_not_fit(source, _short(error)) from error
    return model.eval()


def _fill(model: Any, tensors: Mapping[str, Any]) -> None:
    """Give a model its tensors, in the forms that open_clip's load_checkpoint reads. It reads only
    files, and none with every wrapping that `state_dict` takes off.

    Positions are not interpolated: where they would be, the file does not fit.
    """
    import torch
    from open_clip.convert import convert_state_dict
    from open_clip.model import convert_to_custom_text_state_dict

    named = convert_state_dict(model, dict(tensors))
    if "positional_embedding" in named and not hasattr(model, "positional_embedding"):
        named = convert_to_custom_text_state_dict(named)
    for name in ("logit_scale", "logit_bias"):  # a number, or a list of one
        if name in named and getattr(model, name) is not None:
            named[name] = named[name].reshape(getattr(model, name).shape)
    if "logit_bias" not in named and model.logit_bias is not None:
        named["logit_bias"] = torch.zeros_like(named["logit_scale"])
    position_ids = "text.transformer.embeddings.position_ids"  # saved by old versions
    if position_ids in named and not hasattr(model, position_ids):
        del named[position_ids]
    model.load_state_dict(named, strict=True)


def _empty(config: Mapping[str, Any]) -> Any:
    """The model without weights. The class is chosen as in open_clip's create_model, which takes a
    config only by entering it into a registry that the whole process shares.
    """
    from open_clip import CLIP, CoCa, CustomTextCLIP

    settings = json.loads(json.dumps(config))  # a deep copy: configs are shared
    settings["text_cfg"] = {**with_local_files(settings["text_cfg"]), "hf_model_pretrained": False}
    if settings["vision_cfg"].get("timm_model_name"):
        settings["vision_cfg"]["timm_model_pretrained"] = False
    custom = settings.pop("custom_text", False) or bool(settings["text_cfg"].get("hf_model_name"))
    if not custom:
        return CLIP(**settings)
    return (CoCa if "multimodal_cfg" in settings else CustomTextCLIP)(**settings)


def _short(error: BaseException) -> str:
    """The first problem of load_state_dict, which lists one a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[1] if len(lines) > 1 and lines[0].startswith("Error(s)") else lines[0]
    more = f" (and {len(lines) - 2} more)" if len(lines) > 2 else ""
    return text[:200] + more
