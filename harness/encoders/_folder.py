"""Folders as transformers writes them: which files matter, what they hold, how they are loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.core.errors import EncoderError
from harness.core.hashes import file_hash
from harness.core.hashing import digest
from harness.encoders import _hub
from harness.encoders._weights import CheckpointHeader, read_header, read_json

#: What `fetch` downloads: one form of the weights, configs, and every kind of tokenizer file.
PATTERNS = ("*.json", "*.txt", "*.model", "*.safetensors")
#: Files beside the weights that an embedding depends on: configs and tokenizers.
_TEXT_FILES = (".json", ".txt", ".model")


def locate(argument: str) -> Path:
    """A folder by its path, or the snapshot of a hub name in the cache.

    Raises EncoderError if there is neither, or for a folder that transformers did not write.
    """
    if not argument:
        raise EncoderError("name a model of the hub or a folder, as in hf_clip:openai/NAME")
    folder = Path(argument)
    if not folder.is_dir():
        if not is_hub_name(argument):
            raise EncoderError(f"there is no folder {argument}")
        folder = _hub.hub_folder(argument)
    if (folder / "adapter_config.json").is_file():  # transformers would load it, where it can
        raise EncoderError(
            f"{argument} holds an adapter (adapter_config.json): merge it into its model "
            "(merge_and_unload() of PEFT) and save that in a folder of its own"
        )
    if not (folder / "config.json").is_file():
        raise EncoderError(f"{argument} has no config.json: it is no folder of transformers")
    return folder


def fetch(argument: str) -> bool:
    """Bring a repository into the hub cache; False for a folder, which is there already.

    Raises EncoderError if the hub cannot be reached or knows no such repository.
    """
    if Path(argument).is_dir():
        return False
    _hub.download(argument, PATTERNS)
    return True


def is_hub_name(argument: str) -> bool:
    """Whether it may be the name of a repository: NAME or USER/NAME."""
    return re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", argument) is not None


def checkpoints(folder: Path) -> list[CheckpointHeader]:
    """The files of the weights, in the order in which transformers prefers them.

    Raises EncoderError if there are none or they cannot be read.
    """
    for whole in ("model.safetensors", "pytorch_model.bin"):
        if (folder / whole).is_file():
            return [read_header(folder / whole)]
        index = folder / f"{whole}.index.json"
        if index.is_file():
            file_of = read_json(index).get("weight_map")  # tensor -> file
            if not isinstance(file_of, dict) or not file_of:
                raise EncoderError(f"{index} names no files: it has no weight_map")
            return [read_header(folder / name) for name in sorted(set(file_of.values()))]
    raise EncoderError(f"{folder} holds no weights (model.safetensors or pytorch_model.bin)")


def shape(saved: Iterable[CheckpointHeader], *names: str) -> tuple[int, ...] | None:
    """The shape of the first of these tensors that the weights hold; None if they hold none."""
    for name in names:
        for each in saved:
            if name in each.shapes:
                return each.shapes[name]
    return None


def content(folder: Path, saved: Iterable[CheckpointHeader], revision: str) -> str:
    """A hash over the weights and all that says how to use them."""
    read = [p for p in sorted(folder.iterdir()) if p.suffix in _TEXT_FILES and p.is_file()]
    texts = [[path.name, file_hash(path)] for path in read]
    return digest([revision, [each.hash for each in saved], texts], 64)


def load(folder: Path, auto: Any, unused: tuple[str, ...] = ()) -> Any:
    """A model with every weight from the folder, in float32, without running code of the folder.

    `unused` are prefixes of tensors that may be missing.

    Raises EncoderError for weights that are missing or do not fit: transformers would draw them
    at random and go on.
    """
    import torch
    from transformers.utils import logging

    checkpoints(folder)  # damage is one sentence here; transformers would print a traceback
    logging.disable_progress_bar()
    level = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)  # its table of missing weights, reported below
    try:
        model, loading_info = auto.from_pretrained(
            str(folder), local_files_only=True, output_loading_info=True, dtype=torch.float32
        )
    except (RuntimeError, OSError, ValueError, KeyError, TypeError) as error:
        words = " ".join(str(error).split())
        raise EncoderError(f"the weights in {folder} cannot be loaded: {words[:300]}") from error
    finally:
        logging.set_verbosity(level)
    missing = sorted(n for n in loading_info["missing_keys"] if not n.startswith(unused))
    if missing:
        raise EncoderError(
            f"the weights in {folder} do not fit its config.json: {missing[0]} is missing"
            + (f" (and {len(missing) - 1} more)" if len(missing) > 1 else "")
        )
    return model.eval()


def tokenizer_class(folder: Path) -> str:
    """The name of the class that wrote the folder's tokenizer; empty where none is named."""
    file = folder / "tokenizer_config.json"
    return str(read_json(file).get("tokenizer_class") or "") if file.is_file() else ""


def tokenizer(folder: Path) -> Any:
    """The folder's tokenizer.

    Raises EncoderError for a folder without the files of a tokenizer, or for one that needs a
    package which is not installed.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    auto: Any = AutoTokenizer
    if tokenizer_class(folder) == "SiglipTokenizer" and (folder / "tokenizer.json").is_file():
        auto = PreTrainedTokenizerFast  # that class would read spiece.model, with sentencepiece
    try:
        return auto.from_pretrained(str(folder), local_files_only=True)
    except ImportError as error:
        raise EncoderError(
            f"the tokenizer in {folder} needs a package: pip install sentencepiece protobuf"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = " ".join(str(error).split())
        raise EncoderError(f"{folder} has no tokenizer that can be read: {words[:200]}") from error
