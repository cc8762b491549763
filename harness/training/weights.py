"""Trained weights in a file, which `save: last` writes and `init:` starts from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError
from harness.core.files import write_atomically
from harness.training.loader import TunedBackbone
from harness.training.model import Embedding, Projection

if TYPE_CHECKING:
    import torch

NAME = "weights.safetensors"
#: Prefixes of names: the backbone, modules inserted into it, and the temporal module after it.
_MODULE, _INSERTED, _TEMPORAL = "module.", "inserted.", "temporal."


@dataclass(frozen=True)
class Weights:
    """The projection; the backbone if it was tuned (None: it is the pretrained one), with inserted
    modules; and the temporal module.
    """

    projection: Projection
    module: Mapping[str, torch.Tensor] | None
    inserted: Mapping[str, torch.Tensor] = field(default_factory=dict)
    temporal: Mapping[str, torch.Tensor] = field(default_factory=dict)


def save_weights(path: Path, embedding: Embedding, backbone: TunedBackbone | None) -> None:
    """Raises DiskFull or OutputError."""
    from safetensors.torch import save

    tensors = {"projection.weight": embedding.projection.weight_DF}
    if embedding.projection.bias_D is not None:
        tensors["projection.bias"] = embedding.projection.bias_D
    if backbone is not None:
        tensors |= {f"{_MODULE}{name}": tensor for name, tensor in backbone.state().items()}
        tensors |= {f"{_INSERTED}{name}": tensor for name, tensor in backbone.inserted().items()}
    if embedding.temporal is not None:
        state = embedding.temporal.state_dict()
        tensors |= {f"{_TEMPORAL}{name}": tensor for name, tensor in state.items()}
    # A tensor with several names is written under each of them.
    data = save({name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()})
    write_atomically(path, lambda f: f.write(data))


def load_weights(path: Path) -> Weights:
    """Raises EncoderError if the file is not what save_weights writes."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
        projection = Projection(tensors["projection.weight"], tensors.get("projection.bias"))
    except (OSError, SafetensorError, KeyError) as error:
        raise EncoderError(_no_weights(path)) from error

    def below(prefix: str) -> dict[str, torch.Tensor]:
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    return Weights(projection, below(_MODULE) or None, below(_INSERTED), below(_TEMPORAL))


def holds_backbone(path: Path) -> bool:
    """Whether a file has a tuned backbone, without reading its tensors.

    Raises EncoderError if it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as saved:
            names = list(saved.keys())
    except (OSError, SafetensorError) as error:
        raise EncoderError(_no_weights(path)) from error
    if "projection.weight" not in names:
        raise EncoderError(_no_weights(path))
    return any(name.startswith(_MODULE) for name in names)


def _no_weights(path: Path) -> str:
    return f"init: {path} does not hold weights that `save: last` wrote, or is truncated"


def put_into(
    module: Any,
    tensors: Mapping[str, torch.Tensor],
    path: Path,
    what: str,
    wanted: Collection[str] | None = None,
) -> None:
    """Load saved tensors into a module: all of its tensors, or only those in `wanted`.

    Raises EncoderError if they are of another architecture.
    """
    state = module.state_dict()
    needed = state.keys() if wanted is None else wanted
    lacking = [name for name in needed if name not in tensors]
    surplus = [name for name in tensors if name not in state]
    other = [name for name, t in tensors.items() if name in state and t.shape != state[name].shape]
    for names, problem in (
        (lacking, "is in the {what} and not in the file"),
        (surplus, "is in the file and not in the {what}"),
        (other, "has another shape in the {what}"),
    ):
        if names:
            more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
            sentence = problem.format(what=what)
            raise EncoderError(
                f"init: {path} was saved from another {what}: '{names[0]}' {sentence}{more}"
            )
    module.load_state_dict(dict(tensors), strict=False)
