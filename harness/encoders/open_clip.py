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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from harness.encoders import _weights
from harness.errors import EncoderError, did_you_mean, nearest
from harness.types import EncoderFacts, digest

if TYPE_CHECKING:
    import torch
    from PIL import Image

#: CLIP's largest scale, where a checkpoint does not hold one.
LOGIT_SCALE = 100.0
#: Files of a hub repository, in the order in which open_clip looks for them.
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
#: Raised when features of the same weights would come out otherwise.
REVISION = "open_clip 1"


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def facts(argument: str, options: Options) -> EncoderFacts:
    """Widths and scale from the config and the checkpoint's header.

    Raises EncoderError for an architecture, tag or file that does not exist, a file that cannot
    be read, or one of another architecture.
    """
    source = _source(argument)
    _with_local_files(source.config["text_cfg"])  # told while planning if they are missing
    saved = _weights.look(source.file)
    dim = int(source.config["embed_dim"])
    name, feature_axis = _projection_place(source.config)
    feature_dim = dim
    if name is not None:
        shape = saved.shapes.get(name, ())
        wanted = _feature_dim(source.config)
        if len(shape) != 2 or shape[1 - feature_axis] != dim:
            raise _does_not_fit(source, f"its {name} should end in {dim}, not {shape or 'missing'}")
        feature_dim = shape[feature_axis]
        if wanted is not None and feature_dim != wanted:
            raise _does_not_fit(source, f"its features are {feature_dim} wide, not {wanted}")
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
    )


def build_image(argument: str, options: Options) -> OpenClipImage:
    source = _source(argument)
    return OpenClipImage(_load(source), source)


def build_text(argument: str, options: Options) -> OpenClipText:
    source = _source(argument)
    return OpenClipText(_load(source), _tokenizer(source))


def fetch(argument: str, options: Options) -> None:
    """Bring the weights of ARCH/PRETRAINED, and what its text tower needs, into the hub cache."""
    arch, tag, _ = _parts(argument)
    text = _config(arch).get("text_cfg", {})
    for key in ("hf_model_name", "hf_tokenizer_name"):
        if text.get(key):
            _weights.fetch(text[key], ("*.json", "*.txt", "*.model"))
    if tag:
        repository, name = _repository(_tag(arch, tag))
        _weights.fetch(repository, _candidates(name))


class OpenClipImage:
    """The visual tower. `module` ends at the features; the projection is kept beside it."""

    def __init__(self, model: Any, source: _Source) -> None:
        self.module = model.visual
        self._preprocess = source.preprocess
        self._size = model.visual.image_size
        self._weight_DF, self._bias_D = _take_projection(self.module, int(model_dim(source)))
        self._transforms: dict[int, Any] = {}

    def resize(self, resolution: int) -> None:
        """Make the tower ready for pictures of another size.

        Raises EncoderError for a tower that knows one size only.
        """
        if (resolution, resolution) == _pair(self._size):
            return
        _resize(self.module, resolution)
        self._size = resolution

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as (3, R, R): open_clip's own transform of these weights, at R."""
        if resolution not in self._transforms:
            from open_clip.transform import PreprocessCfg, image_transform_v2

            known = {**self._preprocess, "size": resolution}
            self._transforms[resolution] = image_transform_v2(PreprocessCfg(**known), False)
        x_CHW: torch.Tensor = self._transforms[resolution](image)
        return x_CHW

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """h_BF, what the last linear layer reads."""
        found = self.module(x_BCHW)
        h_BF: torch.Tensor = found[0] if isinstance(found, tuple) else found
        return h_BF

    def projection(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        return self._weight_DF, self._bias_D

    def embed(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """z_BD, as the library's encode_image."""
        from torch.nn import functional as F

        return F.linear(self.features(x_BCHW), self._weight_DF, self._bias_D)


class OpenClipText:
    """The text tower with its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        model.visual = None  # the other tower would only take up memory
        self.module, self._tokenizer = model, tokenizer

    def encode(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, D) with a graph, all texts in one batch."""
        z_ND: torch.Tensor = self.module.encode_text(self._tokenizer(list(texts)), normalize=False)
        return z_ND

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, D), not normalised. One text at a time: a batch would change the last bits."""
        import torch

        with torch.inference_mode():
            return torch.cat([self.encode([text]) for text in texts]).clone()


# --- where the parts come from --------------------------------------------------------------------


@dataclass(frozen=True)
class _Source:
    """An architecture with the file of its weights."""

    arch: str
    config: Mapping[str, Any]
    preprocess: Mapping[str, Any]  # mean, std, interpolation, ... where the weights declare them
    file: Path


def _source(argument: str) -> _Source:
    arch, tag, file = _parts(argument)
    config = _config(arch)
    if file:
        return _Source(arch, config, _declared_preprocessing(arch), Path(file))
    found = _tag(arch, tag)
    quick = f"{arch}-quickgelu"
    if found.get("quick_gelu") and not config.get("quick_gelu") and quick in _architectures():
        raise EncoderError(
            f"the weights '{tag}' were trained with QuickGELU: write open_clip:{quick}/{tag}"
        )
    repository, name = _repository(found)
    file_here = _weights.hub_file(repository, _candidates(name))
    preprocess = {key: found[key] for key in _PREPROCESS if key in found}
    return _Source(arch, config, preprocess, file_here)


_PREPROCESS = ("mean", "std", "interpolation", "resize_mode", "fill_color")


def _parts(argument: str) -> tuple[str, str, str]:
    """(architecture, tag, file), one of the last two empty."""
    arch, at, file = argument.partition("@")
    if at and arch and file:
        return arch, "", file
    name, _, tag = argument.rpartition("/")
    if at or not name or not tag:
        raise EncoderError(
            f"'open_clip:{argument}' does not say which weights: write open_clip:ARCH/PRETRAINED, "
            "or open_clip:ARCH@FILE for a checkpoint of your own"
        )
    return name.replace("/", "-"), tag, ""


def _config(arch: str) -> dict[str, Any]:
    """The model config of an architecture, from open_clip's folder or a file of one's own."""
    if arch.endswith(".json"):
        own = _weights.read_json(Path(arch))
        found = own.get("model_cfg", own)
        lacking = [k for k in ("embed_dim", "vision_cfg", "text_cfg") if k not in found]
        if lacking:
            raise EncoderError(f"{arch} is no model config of open_clip: it has no {lacking[0]}")
        return dict(found)
    known = _architectures()
    if arch not in known:
        raise EncoderError(
            f"open_clip knows no architecture '{arch}'" + did_you_mean(_nearest(arch, known))
        )
    return _weights.read_json(known[arch])


def _declared_preprocessing(arch: str) -> dict[str, Any]:
    """What the preprocess_cfg of an own config says, as open_clip writes it beside its weights."""
    declared = _weights.read_json(Path(arch)).get("preprocess_cfg") if arch[-5:] == ".json" else {}
    return {key: value for key, value in (declared or {}).items() if key in _PREPROCESS}


@cache
def _architectures() -> dict[str, Path]:
    """Names of open_clip's model configs -> their files; the package is not imported."""
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError("encoder 'open_clip' needs the package: pip install open_clip_torch")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model_configs"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def _tag(arch: str, tag: str) -> dict[str, Any]:
    """What open_clip knows of a pretrained tag."""
    known = _weights.remembered("open_clip", version("open_clip_torch"), _tags).get(arch, {})
    clean = tag.lower().replace("-", "_")
    if clean not in known:
        listed = f"; allowed: {', '.join(sorted(known))}" if known else ""
        raise EncoderError(
            f"open_clip knows no weights '{tag}' of {arch}{listed}"
            + did_you_mean(nearest(clean, known))
        )
    return dict(known[clean])


def _tags() -> dict[str, dict[str, Any]]:
    from open_clip import pretrained

    return {
        arch: {tag: pretrained.get_pretrained_cfg(arch, tag)
               for tag in pretrained.list_pretrained_tags_by_model(arch)}
        for arch in {arch for arch, _ in pretrained.list_pretrained()}
    }  # fmt: skip


def _repository(tag: Mapping[str, Any]) -> tuple[str, str]:
    """(hub repository, file or '' for the usual names)."""
    repository, _, name = str(tag.get("hf_hub") or "").rpartition("/")
    if not repository:
        raise EncoderError("these weights are not on the hub: bring the file, and write ARCH@FILE")
    return repository, name


def _candidates(name: str) -> tuple[str, ...]:
    """Files to look for, safetensors first, as open_clip does."""
    return (str(Path(name).with_suffix(".safetensors")), name) if name else WEIGHTS


def _nearest(arch: str, known: Mapping[str, Path]) -> str | None:
    lower = {name.lower(): name for name in known}
    return lower.get(nearest(arch, lower) or "")


# --- widths, without torch ------------------------------------------------------------------------


def _is_resnet(config: Mapping[str, Any]) -> bool:
    vision = config["vision_cfg"]
    return not vision.get("timm_model_name") and isinstance(vision.get("layers"), list)


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


def model_dim(source: _Source) -> int:
    return int(source.config["embed_dim"])


def _does_not_fit(source: _Source, why: str) -> EncoderError:
    return EncoderError(f"{source.file} is no checkpoint of {source.arch}: {why}")


# --- building -------------------------------------------------------------------------------------


def _load(source: _Source) -> Any:
    """The model with its weights.

    Raises EncoderError if they do not fit.
    """
    import open_clip

    try:
        model = _empty(source.config)
    except (TypeError, AttributeError, AssertionError, RuntimeError, ValueError) as error:
        raise EncoderError(f"open_clip cannot build {source.arch}: {_short(error)}") from error
    tensors = _weights.state_dict(source.file)  # errors in one sentence, before open_clip reads it
    if len(tensors) == 0 or not any(name.startswith(("visual.", "image_enc")) for name in tensors):
        raise _does_not_fit(source, "it holds no visual tower")
    try:
        open_clip.load_checkpoint(model, str(source.file), strict=True, weights_only=True)
    except (RuntimeError, AssertionError, AttributeError, KeyError, ValueError) as error:
        raise _does_not_fit(source, _short(error)) from error
    return model.eval()


def _empty(config: Mapping[str, Any]) -> Any:
    """The model without weights. The class is chosen as open_clip's create_model does it, which
    takes a config only by entering it into a registry that the whole process shares.
    """
    from open_clip import CLIP, CoCa, CustomTextCLIP

    own = json.loads(json.dumps(config))
    own["text_cfg"] = {**_with_local_files(own["text_cfg"]), "hf_model_pretrained": False}
    if own["vision_cfg"].get("timm_model_name"):
        own["vision_cfg"]["timm_model_pretrained"] = False
    custom = own.pop("custom_text", False) or bool(own["text_cfg"].get("hf_model_name"))
    if not custom:
        return CLIP(**own)
    return (CoCa if "multimodal_cfg" in own else CustomTextCLIP)(**own)


def _short(error: BaseException) -> str:
    """The first complaint of load_state_dict, which tells one a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[1] if len(lines) > 1 and lines[0].startswith("Error(s)") else lines[0]
    more = f" (and {len(lines) - 2} more)" if len(lines) > 2 else ""
    return text[:200] + more


def _with_local_files(text: dict[str, Any]) -> dict[str, Any]:
    """A text config whose hub names are folders of the hub cache, so that nothing is asked of the
    network.
    """
    local = dict(text)
    for key in ("hf_model_name", "hf_tokenizer_name"):
        if local.get(key) and not Path(local[key]).is_dir():
            local[key] = str(_weights.hub_folder(local[key]))
    return local


def _tokenizer(source: _Source) -> Any:
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    text = _with_local_files(dict(source.config["text_cfg"]))
    length = int(text.get("context_length") or 77)
    more = dict(text.get("tokenizer_kwargs") or {})
    if text.get("hf_tokenizer_name"):
        mode = text.get("tokenizer_mode")
        return HFTokenizer(
            text["hf_tokenizer_name"], context_length=length, tokenizer_mode=mode, **more
        )
    return SimpleTokenizer(context_length=length, **more)


def _take_projection(visual: Any, dim: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Take the last linear layer off a tower: (weight (D, F), bias or None).

    The identity where a tower does not end in a linear layer.
    """
    import torch
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.timm_model import TimmModel

    if isinstance(visual, ModifiedResNet):
        last = visual.attnpool.c_proj
        visual.attnpool = _pool_without_projection(visual.attnpool)
        return last.weight.detach().clone(), last.bias.detach().clone()
    if isinstance(visual, TimmModel) and isinstance(
        last := getattr(visual.head, "proj", None), torch.nn.Linear
    ):
        visual.head.proj = torch.nn.Identity()
        bias = None if last.bias is None else last.bias.detach().clone()
        return last.weight.detach().clone(), bias
    if isinstance(getattr(visual, "proj", None), torch.nn.Parameter):
        weight_DF = visual.proj.detach().T.contiguous().clone()
        visual.proj = None
        return weight_DF, None
    return torch.eye(dim), None


def _pool_without_projection(pool: Any) -> Any:
    """CLIP's attention pooling up to, and without, its c_proj.

    Only the mean token asks: the answers to the others are thrown away by the library too.
    """
    import torch
    from torch.nn import functional as F

    class AttentionPool(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.positional_embedding = pool.positional_embedding
            self.q_proj, self.k_proj, self.v_proj = pool.q_proj, pool.k_proj, pool.v_proj
            self.num_heads = pool.num_heads

        def forward(self, x_BFHW: torch.Tensor) -> torch.Tensor:
            x_BTF = x_BFHW.flatten(2).transpose(1, 2)
            x_BTF = torch.cat([x_BTF.mean(dim=1, keepdim=True), x_BTF], dim=1)
            x_BTF = x_BTF + self.positional_embedding
            q, k, v = (
                linear(part).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
                for linear, part in (
                    (self.q_proj, x_BTF[:, :1]),
                    (self.k_proj, x_BTF),
                    (self.v_proj, x_BTF),
                )
            )
            h_BF: torch.Tensor = F.scaled_dot_product_attention(q, k, v).flatten(1)
            return h_BF

    return AttentionPool()


def _resize(visual: Any, resolution: int) -> None:
    """Fit a tower to another picture size, as open_clip would when it loads the weights."""
    import torch
    from open_clip.model import resize_pos_embed
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.timm_model import TimmModel

    if isinstance(visual, ModifiedResNet):
        raise EncoderError(
            f"this ResNet reads pictures of {visual.image_size} only: open_clip does not resize "
            "the positional embeddings of its attention pooling"
        )
    if isinstance(visual, TimmModel):
        visual.set_input_size(resolution)
        return
    patch = _pair(visual.patch_size)
    grid = (resolution // patch[0], resolution // patch[1])
    wanted = SimpleNamespace(visual=SimpleNamespace(grid_size=grid))
    held = {"visual.positional_embedding": visual.positional_embedding.detach()}
    resize_pos_embed(held, wanted)
    visual.positional_embedding = torch.nn.Parameter(held["visual.positional_embedding"])
    visual.image_size, visual.grid_size = (resolution, resolution), grid


def _pair(size: Any) -> tuple[int, int]:
    return (int(size), int(size)) if isinstance(size, int) else (int(size[0]), int(size[1]))
