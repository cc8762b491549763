"""Files that hold tensors and are no whole model: adapters, shards, quantised weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import EncoderError

if TYPE_CHECKING:
    import torch

_ADAPTER = re.compile(r"(^|[._])lora_([AB]|down|up|embedding_[AB])([._]|$)|^base_model\.model\.")
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.\w+$")
#: Names of types of fewer than 16 bits, as safetensors and torch write them.
_SMALL_FLOAT = re.compile(r"^(F[468](_|$)|float[48])", re.IGNORECASE)
_SMALL_INT = re.compile(r"^(I8|U8|int8|uint8|qint|quint)", re.IGNORECASE)


def one_file(path: Path, names: Sequence[str]) -> Path:
    """The file of a checkpoint that is in one piece; of a folder the first of `names`.

    Raises EncoderError for a part of a checkpoint, the index of its parts, or a folder without one
    of the names.
    """
    path = path.expanduser()
    if path.is_dir():
        found = next((path / name for name in names if (path / name).is_file()), None)
        if found is None:
            raise EncoderError(f"{path} is a folder without {' or '.join(names)}: name the file")
        return found
    part = _SHARD.search(path.name)
    if part or path.name.endswith(".index.json"):
        what = "is the index of a checkpoint in several files"
        if part:
            what = f"is one of the {int(part[2])} files of a checkpoint"
        raise EncoderError(
            f"{path} {what}, and one file is read here: join them, with load_file "
            "of each and one save_file of safetensors.torch"
        )
    return path


def is_torchscript(path: Path) -> bool:
    """Whether it is an archive that holds code. Its list of contents tells it."""
    import zipfile

    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def refuse_parts(path: Path, types: Mapping[str, str]) -> None:
    """`types` are the names of the tensors with their types.

    Raises EncoderError for adapters and for weights of fewer than 16 bits.
    """
    if adapter := next((name for name in types if _ADAPTER.search(name)), None):
        raise EncoderError(
            f"{path} is an adapter, not a whole model (it holds {adapter}): merge it into its "
            "model (merge_and_unload() of PEFT) and save that"
        )
    for name, dtype in types.items():
        plain = dtype.removeprefix("torch.")
        weight = name.endswith(("weight", "proj"))
        if _SMALL_FLOAT.match(plain) or (weight and _SMALL_INT.match(plain)):
            raise EncoderError(
                f"{path} is quantised: {name} is stored as {plain}, and what scales it is not "
                "read here; save the weights as float16, bfloat16 or float32"
            )


def refuse_nan(path: Path, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Raises EncoderError for weights that are no numbers: every embedding would be none."""
    for name, tensor in tensors:
        if tensor.is_floating_point() and bool(tensor.isnan().any()):
            raise EncoderError(f"{path} is damaged: {name} holds values that are not numbers (NaN)")
