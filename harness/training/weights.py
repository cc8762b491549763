"""Trained weights in a file: what `save: last` keeps and `init:` begins from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cache import write_atomically
from harness.errors import EncoderError
from harness.training.model import Projection

if TYPE_CHECKING:
    import torch

NAME = "weights.safetensors"
_MODULE = "module."


@dataclass(frozen=True)
class Weights:
    """The projection, and the backbone where it was tuned (None: it is the pretrained one)."""

    projection: Projection
    module: dict[str, torch.Tensor] | None


def save_weights(path: Path, projection: Projection, module: Any | None) -> None:
    """Raises DiskFull or OutputError."""
    from safetensors.torch import save

    tensors = {"projection.weight": projection.weight_DF}
    if projection.bias_D is not None:
        tensors["projection.bias"] = projection.bias_D
    if module is not None:
        tensors |= {f"{_MODULE}{name}": t for name, t in module.state_dict().items()}
    data = save({name: t.detach().contiguous() for name, t in tensors.items()})
    write_atomically(path, lambda f: f.write(data))


def load_weights(path: Path) -> Weights:
    """Raises EncoderError if the file is not what save_weights writes."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
        projection = Projection(tensors["projection.weight"], tensors.get("projection.bias"))
    except (OSError, SafetensorError, KeyError) as error:
        raise EncoderError(f"init: {path} does not hold saved weights: {error}") from error
    module = {n.removeprefix(_MODULE): t for n, t in tensors.items() if n.startswith(_MODULE)}
    return Weights(projection, module or None)


def holds_backbone(path: Path) -> bool:
    """Whether a file has a tuned backbone, without reading its tensors.

    Raises EncoderError if it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as saved:
            return any(name.startswith(_MODULE) for name in saved.keys())  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise EncoderError(f"init: {path} does not hold saved weights: {error}") from error


def put_into(encoder: Any, weights: Weights, path: Path) -> None:
    """Give an image encoder the saved backbone.

    Raises EncoderError if it is of another architecture.
    """
    if weights.module is None:
        return
    try:
        encoder.module.load_state_dict(weights.module)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise EncoderError(f"init: {path} does not fit this encoder: {first}") from error
