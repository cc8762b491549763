"""Checkpoints: names and shapes of their tensors, read without torch wherever that is possible.

What needs torch once (a pickled checkpoint, a list inside a library) is kept in the cache folder
under the content hash or the library's version, so planning stays cheap.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.cache import cached_json
from harness.core.errors import EncoderError
from harness.core.hashes import file_hash
from harness.core.safetensors_file import read_safetensors_array, read_safetensors_header
from harness.encoders._checkpoint_kinds import is_torchscript, refuse_parts

if TYPE_CHECKING:
    import torch


#: What a file may say of how its weights were trained, in the words of open_clip.
SAYS = ("model_cfg", "preprocess_cfg", "quick_gelu")
#: Sets of weights that training scripts keep beside those that are trained.
_AVERAGED = ("state_dict_ema", "model_ema", "ema_state_dict", "ema")
#: exp of this is far above every scale that is used: such a file stores the factor.
_LARGEST_LOG_SCALE = 10.0


@dataclass(frozen=True)
class CheckpointHeader:
    """Names and shapes of the tensors of a file, its logit scale, and what it says of itself."""

    path: Path
    hash: str
    shapes: Mapping[str, tuple[int, ...]]
    logit_scale: float | None  # exp of the tensor `logit_scale`
    says: Mapping[str, Any] = field(default_factory=dict)  # the entries SAYS that there are


def read_header(path: Path) -> CheckpointHeader:
    """What a checkpoint holds; a .safetensors by its header, others are read by torch, once.

    Raises EncoderError for a file that is missing, truncated, no whole checkpoint, or holds code.
    """
    if not path.is_file():
        raise EncoderError(f"there is no file {path}")
    content = file_hash(path)
    read = _safetensors_header if path.suffix == ".safetensors" else _pickled_header
    header = cached_json("checkpoint headers", content, lambda: read(path))
    refuse_parts(path, header["types"])
    shapes = {name: tuple(shape) for name, shape in header["shapes"].items()}
    scale = header["logit_scale"]
    return CheckpointHeader(path, content, shapes, _exponential(path, scale), header["says"])


def _exponential(path: Path, log_scale: float | None) -> float | None:
    if log_scale is None:
        return None
    if not math.isfinite(log_scale) or log_scale > _LARGEST_LOG_SCALE:
        raise EncoderError(
            f"{path} holds the logit_scale {log_scale:.6g}: a checkpoint stores its logarithm, "
            "as 4.6052 for a factor of 100"
        )
    return math.exp(log_scale)


def _safetensors_header(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError

    try:
        header = read_safetensors_header(path)
        scale = [float(read_safetensors_array(path, name).reshape(-1)[0])
                 for name in header.tensors if _plain_name(name) == "logit_scale"]  # fmt: skip
    except (SafetensorError, OSError) as error:
        raise EncoderError(
            f"{path} is cut short or is no safetensors file: {first_line(error)}"
        ) from error
    entries = {_plain_name(name): entry for name, entry in header.tensors.items()}
    return {
        "shapes": {name: list(entry.shape) for name, entry in entries.items()},
        "types": {name: entry.dtype for name, entry in entries.items()},
        "logit_scale": scale[0] if scale else None,
        "says": _said_in_metadata(path, header.metadata),
    }


def _said_in_metadata(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """Metadata hold texts: each of the entries is JSON."""
    said = {}
    for key in SAYS:
        if key in metadata:
            try:
                said[key] = json.loads(metadata[key].lower() if key[0] == "q" else metadata[key])
            except ValueError as error:
                raise EncoderError(f"{path}: {key} in its metadata is no JSON: {error}") from error
    return _checked(path, said)


def _checked(path: Path, said: dict[str, Any]) -> dict[str, Any]:
    for key, value in said.items():
        kind, noun = (bool, "true or false") if key == "quick_gelu" else (dict, "a mapping")
        if not isinstance(value, kind):
            raise EncoderError(f"{path} says {key}: {str(value)[:60]}, which is not {noun}")
    return said


def _pickled_header(path: Path) -> dict[str, Any]:
    saved = _load(path)
    tensors = _named_tensors(path, saved)
    scale = tensors.get("logit_scale")
    said = {k: saved[k] for k in SAYS if isinstance(saved, dict) and k in saved}
    return {
        "shapes": {name: list(t.shape) for name, t in tensors.items()},
        "types": {name: str(t.dtype) for name, t in tensors.items()},
        "logit_scale": None if scale is None else float(scale.reshape(-1)[0]),
        "says": _checked(path, said),
    }


def state_dict(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint, without the wrapping that training scripts put around them.

    Raises EncoderError for a file that is truncated, no whole checkpoint, or holds code.
    """
    tensors = _named_tensors(path, _load(path))
    refuse_parts(path, {name: str(tensor.dtype) for name, tensor in tensors.items()})
    return tensors


def _load(path: Path) -> Any:
    """What torch or safetensors read from a file, without running code of it."""
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if is_torchscript(path):
        raise EncoderError(
            f"{path} is a TorchScript archive, as OpenAI published CLIP, and holds code: `python "
            f"-m harness fetch --convert {path}` writes its weights as safetensors"
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "nsupported" in str(error) or "GLOBAL" in str(error):
            raise EncoderError(
                f"{path} holds code or objects beside tensors and is not loaded: save its "
                "state_dict() with torch.save, or as safetensors"
            ) from error
        raise EncoderError(f"{path} is no checkpoint: torch cannot read it") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, SafetensorError) as error:
        raise EncoderError(
            f"{path} is cut short or is no checkpoint: {first_line(error)}"
        ) from error


def _named_tensors(path: Path, saved: Any) -> dict[str, torch.Tensor]:
    """Training scripts save a mapping with epoch, optimiser and, under a name, the weights."""
    import torch

    for wrapper in ("state_dict", "model"):
        if isinstance(saved, dict) and isinstance(saved.get(wrapper), dict):
            if averaged := next((k for k in _AVERAGED if isinstance(saved.get(k), dict)), None):
                raise EncoderError(
                    f"{path} holds two sets of weights, {wrapper} and {averaged}: save the one "
                    "that is meant, as torch.save of its mapping"
                )
            saved = saved[wrapper]
    tensors = {
        _plain_name(str(name)): value
        for name, value in (saved.items() if isinstance(saved, dict) else ())
        if isinstance(value, torch.Tensor)
    }
    if not tensors:
        raise EncoderError(f"{path} is no checkpoint: it holds no named tensors")
    return tensors


def _plain_name(name: str) -> str:
    """Without the prefixes of DistributedDataParallel and torch.compile."""
    return re.sub(r"^(_orig_mod\.|module\.)+", "", name)


def read_json(path: Path) -> dict[str, Any]:
    """Raises EncoderError for a file that is missing or no JSON mapping."""
    if not path.is_file():
        raise EncoderError(f"there is no file {path}")
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise EncoderError(f"{path} is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise EncoderError(f"{path} holds no mapping")
    return data


def first_line(error: BaseException) -> str:
    """The first sentence of a library's error, for a message of one line."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line.partition(". ")[0].rstrip(".")[:200]
