"""Checkpoints: names and shapes of their tensors, read without torch wherever that is possible.

What needs torch once (a pickled checkpoint, a list inside a library) is kept in the cache folder
under the content hash or the library's version, so planning stays cheap.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError
from harness.core.files import cache_folder, file_hash, write_atomically
from harness.core.hashing import digest

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class CheckpointHeader:
    """Names and shapes of the tensors of a file, and its logit scale."""

    path: Path
    hash: str
    shapes: Mapping[str, tuple[int, ...]]
    logit_scale: float | None  # exp of the tensor `logit_scale`


def read_header(path: Path) -> CheckpointHeader:
    """What a checkpoint holds; a .safetensors by its header, others are read by torch, once.

    Raises EncoderError for a file that is missing, truncated, no checkpoint, or holds code.
    """
    if not path.is_file():
        raise EncoderError(f"there is no file {path}")
    content = file_hash(path)
    read = _safetensors_header if path.suffix == ".safetensors" else _pickled_header
    header = cached_json("checkpoints", content, lambda: read(path))
    shapes = {name: tuple(shape) for name, shape in header["shapes"].items()}
    return CheckpointHeader(path, content, shapes, header["logit_scale"])


def _safetensors_header(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as saved:
            names = sorted(saved.keys())
            shapes = {_plain_name(n): list(saved.get_slice(n).get_shape()) for n in names}
            scale = [float(saved.get_tensor(n).reshape(-1)[0])
                     for n in names if _plain_name(n) == "logit_scale"]  # fmt: skip
    except (SafetensorError, OSError) as error:
        raise EncoderError(
            f"{path} is cut short or is no safetensors file: {first_line(error)}"
        ) from error
    return {"shapes": shapes, "logit_scale": math.exp(scale[0]) if scale else None}


def _pickled_header(path: Path) -> dict[str, Any]:
    tensors = state_dict(path)
    scale = tensors.get("logit_scale")
    return {
        "shapes": {name: list(t.shape) for name, t in tensors.items()},
        "logit_scale": None if scale is None else math.exp(float(scale.reshape(-1)[0])),
    }


def state_dict(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint, without the wrapping that training scripts put around them.

    Raises EncoderError for a file that is truncated, no checkpoint, or holds code.
    """
    import pickle

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            saved: Any = load_file(path)
        else:
            saved = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "nsupported" in str(error) or "GLOBAL" in str(error):
            raise EncoderError(
                f"{path} holds code or objects beside tensors and is not loaded: save its "
                "state_dict() with torch.save, or as safetensors"
            ) from error
        raise EncoderError(f"{path} is no checkpoint: torch cannot read it") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, SafetensorError) as error:
        what = "is a TorchScript archive: save its state_dict() with torch.save"
        if "TorchScript" not in str(error):
            what = f"is cut short or is no checkpoint: {first_line(error)}"
        raise EncoderError(f"{path} {what}") from error
    # Training scripts save a mapping with epoch, optimiser and, under one of these, the weights.
    for wrapper in ("state_dict", "model"):
        if isinstance(saved, dict) and isinstance(saved.get(wrapper), dict):
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


def cached_json(kind: str, key: str, compute: Callable[[], Any]) -> Any:
    """JSON data that is computed once and kept in the cache folder."""
    path = cache_folder() / kind / f"{digest([kind, key], 32)}.json"
    if path.is_file():
        try:
            return json.loads(path.read_bytes())
        except ValueError:
            pass  # damaged: computed again, and written over
    value = compute()
    write_atomically(path, lambda f: f.write(json.dumps(value).encode()))
    return value


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
