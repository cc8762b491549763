"""Whether a checkpoint is one of an open_clip architecture, by the shapes of its tensors.

open_clip itself interpolates positions of another picture size or text length when it loads a file,
without a word; here that is an error, because it is nearly always a file of another architecture
(`resolution` of a task is the way to other picture sizes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import isqrt
from pathlib import Path
from typing import Any

from harness.core.errors import EncoderError
from harness.encoders._weights import read_json

Shapes = Mapping[str, tuple[int, ...]]
#: A trait of an architecture that shapes tell, and how a difference in it is put into words.
_WORDS = {
    "layers": "its visual tower has {} layers, not {}",
    "width": "its features are {} wide, not {}",
    "embedding": "its embeddings are {} wide, not {}",
    "patch": "its patches have sides of {} pixels, not {}",
    "grid": "its pictures have {} patches a side, not {}",
    "text width": "its text tower is {} wide, not {}",
    "text layers": "its text tower has {} layers, not {}",
    "context": "its texts have {} tokens, not {}",
    "vocabulary": "it knows {} tokens, not {}",
}


def check_fit(file: Path, arch: str, config: Mapping[str, Any], shapes: Shapes,
              known: Mapping[str, Path]) -> None:  # fmt: skip
    """Compare a file's shapes with a config; `known` are the architectures that may fit better.

    Raises EncoderError that names the first difference and the architectures that fit.
    """
    _refuse_other_names(file, shapes)
    found, wanted = traits_of_shapes(shapes), traits_of_config(config)
    shared = [trait for trait in _WORDS if trait in found and trait in wanted]
    wrong = next((trait for trait in shared if found[trait] != wanted[trait]), None)
    if wrong is None:
        return
    why = _WORDS[wrong].format(_plain(found[wrong]), _plain(wanted[wrong]))
    raise EncoderError(f"{file} is no checkpoint of {arch}: {why}{_fitting(found, known)}")


def traits_of_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a config says of the traits, with open_clip's defaults; without those of towers that
    come from timm or transformers.
    """
    vision, text = config["vision_cfg"], config["text_cfg"]
    traits: dict[str, Any] = {"embedding": int(config["embed_dim"])}
    if not vision.get("timm_model_name"):
        traits |= _vision_traits(vision)
    if not text.get("hf_model_name"):
        traits["text width"] = text.get("width", 512)
        traits["text layers"] = text.get("layers", 12)
        traits["context"] = text.get("context_length", 77) + bool(text.get("embed_cls"))
        traits["vocabulary"] = text.get("vocab_size", 49408)
    return traits


def _vision_traits(vision: Mapping[str, Any]) -> dict[str, Any]:
    layers, width = vision.get("layers", 12), vision.get("width", 768)
    size = vision.get("image_size", 224)
    if isinstance(layers, list):
        return {"layers": layers, "width": 32 * width, "grid": _side(size) // 32}
    patch = vision.get("patch_size", 16)
    square = not isinstance(size, list) and not isinstance(patch, list)
    grid = {"grid": size // patch} if square and not vision.get("attentional_pool") else {}
    return {"layers": layers, "width": width, "patch": _side(patch), **grid}


def traits_of_shapes(shapes: Shapes) -> dict[str, Any]:
    """The traits that tensors of open_clip's own towers tell."""
    traits = {**_vit_traits(shapes), **_resnet_traits(shapes)}
    prefix = "text." if "text.token_embedding.weight" in shapes else ""
    if f"{prefix}token_embedding.weight" in shapes:
        vocabulary, width = shapes[f"{prefix}token_embedding.weight"]
        traits |= {"text width": width, "vocabulary": vocabulary}
        traits["text layers"] = _blocks(shapes, rf"{prefix}transformer\.resblocks\.(\d+)\.")
    if f"{prefix}positional_embedding" in shapes:
        traits["context"] = shapes[f"{prefix}positional_embedding"][0]
    return traits


def _vit_traits(shapes: Shapes) -> dict[str, Any]:
    first = shapes.get("visual.conv1.weight", ())
    if len(first) != 4 or "visual.class_embedding" not in shapes:
        return {}
    layers = _blocks(shapes, r"visual\.transformer\.resblocks\.(\d+)\.")
    traits = {"width": first[0], "patch": first[3], "layers": layers}
    positions = shapes.get("visual.positional_embedding", (1,))[0]
    grid = isqrt(positions - 1)
    if grid**2 + 1 == positions and not _pools(shapes):
        traits["grid"] = grid
    if "visual.proj" in shapes:
        traits["embedding"] = shapes["visual.proj"][1]
    return traits


def _resnet_traits(shapes: Shapes) -> dict[str, Any]:
    projection = shapes.get("visual.attnpool.c_proj.weight")
    if projection is None:
        return {}
    layers = [_blocks(shapes, rf"visual\.layer{stage}\.(\d+)\.") for stage in (1, 2, 3, 4)]
    grid = isqrt(shapes["visual.attnpool.positional_embedding"][0] - 1)
    return {"layers": layers, "width": projection[1], "embedding": projection[0], "grid": grid}


def _pools(shapes: Shapes) -> bool:
    return any(name.startswith("visual.attn_pool") for name in shapes)


def _blocks(shapes: Iterable[str], pattern: str) -> int:
    numbers = [int(found[1]) for name in shapes if (found := re.match(pattern, name))]
    return max(numbers, default=-1) + 1


def _side(size: Any) -> int:
    return int(size[0]) if isinstance(size, list) else int(size)


def _plain(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def _fitting(found: Mapping[str, Any], known: Mapping[str, Path]) -> str:
    """The architectures whose traits are all those of the file, as the end of a sentence."""
    fit = []
    for name, path in known.items():
        wanted = traits_of_config(read_json(path))
        told = {"width", "layers"} <= wanted.keys() <= found.keys()
        if told and all(found[trait] == value for trait, value in wanted.items()):
            fit.append(name)
    plain = [name for name in fit if not name.endswith("-quickgelu")] or fit
    return f"; its shapes are those of {' or '.join(plain[:3])}" if plain else ""


def _refuse_other_names(file: Path, shapes: Shapes) -> None:
    """Raises EncoderError for tensors that are named as in another library, or with a prefix."""
    if any(name.startswith("vision_model.") for name in shapes):
        raise EncoderError(
            f"{file} holds a model of transformers (its tensors are named vision_model...): name "
            "its folder, as hf_clip:FOLDER"
        )
    for name in shapes:
        prefix, inner, _ = name.partition("visual.")
        if inner and prefix.endswith(".") and not any(n.startswith("visual.") for n in shapes):
            raise EncoderError(
                f"{file}: its tensors are named {prefix}*, as {name}: save them without that prefix"
            )
