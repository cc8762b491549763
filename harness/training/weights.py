"""Trained weights in a file, which `save: last` writes and `init:` starts from.

A file holds the whole trained model, also what an earlier training changed and the one that saved
it only kept. `read_info` says what is in it without reading tensors, and without torch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError
from harness.core.files import write_atomically
from harness.core.protocols.paradigm import CLASSIFIER, LOGIT_SCALE
from harness.training.model import Projection

if TYPE_CHECKING:
    import torch

NAME = "weights.safetensors"
#: Written into every file. Files of version 0 hold the projection, the backbone and the modules
#: over time alone, and say nothing about the rest.
VERSION = 1
#: Of files whose context is not before the class name: they say where it is.
WITH_POSITION = 2
#: Parts of a file: each is a tensor, or the prefix of the names of several.
PROJECTION, BACKBONE, INSERTED, TEMPORAL = "projection", "module", "inserted", "temporal"
TEXT, CONTEXT, ALIGNMENT, HEAD = "text", "context", "alignment", "head"
#: Where a context is unless a file says another position.
BEFORE = "before"
#: The one key of the metadata: several would be written in any order.
_KEY = "harness"

#: What readers call the parts, and what a head has.
TITLES: Mapping[str, str] = {
    PROJECTION: "projection", BACKBONE: "backbone", INSERTED: "module over time",
    TEMPORAL: "module over time", TEXT: "text tower", CONTEXT: "learned context",
    ALIGNMENT: "alignment", CLASSIFIER: "W", LOGIT_SCALE: "logit scale",
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """What a file says about the training that saved it."""

    version: int = VERSION
    classes: tuple[str, ...] = ()  # of W, in its order
    normalise: bool = True  # whether the length of a row of W does not count
    temporal: str | None = None  # the name of the module over time
    encoder: str | None = None  # content hash of the pretrained image encoder
    text_encoder: str | None = None  # content hash of the pretrained text encoder
    alignment: str | None = None  # its name
    unnamed: int = 0  # trained tensors of the head that its `state` does not name
    position: str = BEFORE  # where the learned context is in a text


@dataclass(frozen=True)
class Info:
    """What is in a file: the parts, and the names of the head's state; (D, F) of the projection;
    (M, E) or (C, M, E) of the learned context, if there is one.
    """

    source: Source
    parts: frozenset[str]
    shape: tuple[int, ...]
    context: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Weights:
    """The projection; the backbone where it was tuned (None: it is the pretrained one), with
    inserted modules; the temporal module; the text tower where it was trained; the learned context
    (M, E), or (C, M, E) of the classes of W; the map of the alignment; and the state of the head,
    with W.
    """

    projection: Projection
    module: Mapping[str, torch.Tensor] | None = None
    inserted: Mapping[str, torch.Tensor] = field(default_factory=dict)
    temporal: Mapping[str, torch.Tensor] = field(default_factory=dict)
    text: Mapping[str, torch.Tensor] = field(default_factory=dict)
    context: torch.Tensor | None = None
    map_ED: torch.Tensor | None = None
    head: Mapping[str, torch.Tensor] = field(default_factory=dict)
    source: Source = Source(version=0)


def save_weights(path: Path, weights: Weights) -> None:
    """Raises DiskFull or OutputError."""
    from safetensors.torch import save

    projection = weights.projection
    single = {
        f"{PROJECTION}.weight": projection.weight_DF, f"{PROJECTION}.bias": projection.bias_D,
        CONTEXT: weights.context, ALIGNMENT: weights.map_ED,
    }  # fmt: skip
    tensors = {name: tensor for name, tensor in single.items() if tensor is not None}
    for part, state in (
        (BACKBONE, weights.module or {}), (INSERTED, weights.inserted),
        (TEMPORAL, weights.temporal), (TEXT, weights.text), (HEAD, weights.head),
    ):  # fmt: skip
        tensors |= {f"{part}.{name}": tensor for name, tensor in state.items()}
    # A tensor with several names is written under each of them.
    copies = {name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()}
    data = save(copies, {_KEY: json.dumps(_said(weights.source), sort_keys=True)})
    write_atomically(path, lambda f: f.write(data))


def load_weights(path: Path) -> Weights:
    """Raises EncoderError if the file is not what save_weights writes."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    info = read_info(path)
    try:
        tensors = load_file(path)
        projection = Projection(tensors[f"{PROJECTION}.weight"], tensors.get(f"{PROJECTION}.bias"))
    except (OSError, SafetensorError, KeyError) as error:
        raise EncoderError(_no_weights(path)) from error

    def below(part: str) -> dict[str, torch.Tensor]:
        prefix = f"{part}."
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    return Weights(
        projection, below(BACKBONE) or None, below(INSERTED), below(TEMPORAL), below(TEXT),
        tensors.get(CONTEXT), tensors.get(ALIGNMENT), below(HEAD), info.source,
    )  # fmt: skip


def read_info(path: Path) -> Info:
    """What is in a file, without reading its tensors.

    Raises EncoderError if it is not what save_weights writes, or of a newer version.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as saved:
            names, said = list(saved.keys()), (saved.metadata() or {}).get(_KEY)
            shape = tuple(saved.get_slice(f"{PROJECTION}.weight").get_shape())
            context = tuple(saved.get_slice(CONTEXT).get_shape()) if CONTEXT in names else None
    except (OSError, SafetensorError) as error:
        raise EncoderError(_no_weights(path)) from error
    if len(shape) != 2:
        raise EncoderError(_no_weights(path))
    return Info(_source(said, path), _parts(names), shape, context)


def _said(source: Source) -> dict[str, Any]:
    """What a file says of its source; as before there were positions where it has the default."""
    values = asdict(source)
    if source.position == BEFORE:
        del values["position"]
        return values
    return values | {"version": WITH_POSITION}


def _source(said: str | None, path: Path) -> Source:
    if said is None:
        return Source(version=0)
    try:
        values = json.loads(said)
        version = values["version"]
        if version > WITH_POSITION:
            raise EncoderError(f"init: {path} was saved by a newer version of the harness: update")
        return Source(**values | {"classes": tuple(values["classes"])})
    except (ValueError, TypeError, KeyError) as error:
        raise EncoderError(_no_weights(path)) from error


def _parts(names: Iterable[str]) -> frozenset[str]:
    """The parts of a file; in place of the head what it has."""
    found = set()
    for name in names:
        part, _, rest = name.partition(".")
        found.add(rest if part == HEAD else part)
    return frozenset(found)


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
    if module is None:
        raise EncoderError(f"init: {path} was saved from another {what}: this one has no module")
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
