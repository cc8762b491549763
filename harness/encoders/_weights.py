"""Checkpoints and the hub cache, looked at without torch wherever that can be.

What needs torch once (a pickled checkpoint, a list inside a library) is remembered in the cache
folder under the content hash or the library's version, so planning stays cheap.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError
from harness.core.files import cache_folder, file_hash, write_atomically
from harness.core.hashing import digest

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Checkpoint:
    """Names and shapes of the tensors of a file, and its logit scale."""

    path: Path
    hash: str
    shapes: Mapping[str, tuple[int, ...]]
    logit_scale: float | None  # exp of the tensor `logit_scale`


def look(path: Path) -> Checkpoint:
    """What a checkpoint holds; a .safetensors by its header, others read by torch, once.

    Raises EncoderError for a file that is missing, cut short, no checkpoint, or holds code.
    """
    if not path.is_file():
        raise EncoderError(f"there is no file {path}")
    content = file_hash(path)
    read = _header if path.suffix == ".safetensors" else _pickled
    found = remembered("checkpoints", content, lambda: read(path))
    shapes = {name: tuple(shape) for name, shape in found["shapes"].items()}
    return Checkpoint(path, content, shapes, found["logit_scale"])


def _header(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as saved:
            names = sorted(saved.keys())
            shapes = {_plain_name(n): list(saved.get_slice(n).get_shape()) for n in names}
            scale = [float(saved.get_tensor(n).reshape(-1)[0])
                     for n in names if _plain_name(n) == "logit_scale"]  # fmt: skip
    except (SafetensorError, OSError) as error:
        raise EncoderError(
            f"{path} is cut short or is no safetensors file: {_first_line(error)}"
        ) from error
    return {"shapes": shapes, "logit_scale": math.exp(scale[0]) if scale else None}


def _pickled(path: Path) -> dict[str, Any]:
    tensors = state_dict(path)
    scale = tensors.get("logit_scale")
    return {
        "shapes": {name: list(t.shape) for name, t in tensors.items()},
        "logit_scale": None if scale is None else math.exp(float(scale.reshape(-1)[0])),
    }


def state_dict(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint, without the wrapping that training scripts put around them.

    Raises EncoderError for a file that is cut short, no checkpoint, or holds code.
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
            what = f"is cut short or is no checkpoint: {_first_line(error)}"
        raise EncoderError(f"{path} {what}") from error
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


def remembered(kind: str, key: str, compute: Callable[[], Any]) -> Any:
    """JSON data that is computed once and kept in the cache folder."""
    path = cache_folder() / kind / f"{digest([kind, key], 32)}.json"
    if path.is_file():
        try:
            return json.loads(path.read_bytes())
        except ValueError:
            pass  # cut short by an older writer: made again
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


# --- the hub cache, never the hub ---------------------------------------------------------------


def not_here(name: str) -> EncoderError:
    return EncoderError(
        f"the files of {name} are not in the local hub cache: run `python -m harness fetch TASK` "
        "on a machine with network"
    )


def hub_folder(repository: str) -> Path:
    """The snapshot of a repository in the hub cache; the network is never asked.

    Raises EncoderError if it is not there.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except HFValidationError as error:
        raise EncoderError(f"{repository} is neither a folder nor the name of a model") from error
    except LocalEntryNotFoundError as error:
        raise not_here(repository) from error


def hub_file(repository: str, names: Sequence[str]) -> Path:
    """The first of `names` that the hub cache holds.

    Raises EncoderError if it holds none.
    """
    folder = hub_folder(repository)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise not_here(repository)


def fetch(repository: str, patterns: Sequence[str]) -> None:
    """Bring the files of a repository that match into the hub cache.

    Raises EncoderError if the hub cannot be reached or knows no such repository.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        snapshot_download(repository, allow_patterns=list(patterns), etag_timeout=10)
    except HFValidationError as error:
        raise EncoderError(f"{repository} is neither a folder nor the name of a model") from error
    except RepositoryNotFoundError as error:
        raise EncoderError(f"the hub knows no model {repository}, or it is private") from error
    except LocalEntryNotFoundError as error:
        raise EncoderError(
            f"the hub cannot be reached from here, so {repository} was not fetched: run the same "
            "command on a machine with network and the same cache folder"
        ) from error
    except Exception as error:  # a network fails in more ways than a list would hold
        raise EncoderError(f"{repository} was not fetched: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    """The first sentence of a library's error."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line.partition(". ")[0].rstrip(".")[:200]
