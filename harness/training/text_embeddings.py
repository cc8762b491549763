"""Embeddings of class texts on disk: made once, one text at a time on the CPU, in batches on a GPU.

A GPU and the CPU have addresses of their own, as their last bits differ.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core import rates
from harness.core.cache import keep
from harness.core.cells import Choice
from harness.core.files import cache_folder
from harness.core.hashing import digest
from harness.core.text_findings import text_address
from harness.training.numerics import FLOAT32, float32_as
from harness.training.threads import cores, one_core_pool
from harness.training.transfer import moved

if TYPE_CHECKING:
    import torch

#: Texts per batch on a GPU; it is halved if memory is short.
GPU_BATCH = 512


def text_embeddings(
    encoder_weights: str,
    load: Callable[[], Any],
    prompt: Choice,
    texts: Sequence[Sequence[str]],
    average: str = "normalised",
    spent: Callable[[float], object] | None = None,
    torch_device: torch.device | None = None,
) -> torch.Tensor:
    """w_CD: one row per class, the mean over its texts of the embeddings, each normalised first
    unless `average` is `plain`.

    With one text per class this is the embedding itself. Cached by weights and texts. On a GPU
    (`torch_device`; None: the CPU) what `load` gives is a TunableText. `spent` is called with the
    seconds of one core, or of the GPU, that embedding them took, if they were not cached.

    Raises torch.OutOfMemoryError if the GPU has too little memory for one text.
    """
    import torch

    torch_device = torch_device or torch.device("cpu")
    path = text_file(encoder_weights, prompt, texts, torch_device.type)
    if path.is_file():
        try:
            return torch.from_numpy(np.load(path))
        except (OSError, ValueError, EOFError):
            pass  # damaged: it is computed again and overwritten
    tower = load()
    if torch_device.type == "cpu":
        rows, seconds = _on_cores(tower, texts, average)
    else:
        rows, seconds = _on_gpu(tower, texts, average, torch_device)
    w_CD = torch.stack(rows)
    keep(path, lambda f: np.save(f, w_CD.numpy()))
    key = rate_key(encoder_weights, torch_device.type)
    rates.remember(rates.TEXT, key, sum(map(len, texts)), seconds)
    if spent is not None:
        spent(seconds)
    return w_CD


def text_file(
    encoder_weights: str,
    prompt: Choice,
    texts: Sequence[Sequence[str]],
    device_type: str = "cpu",
) -> Path:
    """Where the embeddings of these texts are kept, by the type of the device."""
    address = text_address(encoder_weights, prompt, texts)
    if device_type != "cpu":
        address = digest([address, device_type], 32)
    return cache_folder() / "text" / f"{address}.npy"


def rate_key(encoder_weights: str, device_type: str) -> Any:
    """What the measured seconds of embedding a text are kept under."""
    return encoder_weights if device_type == "cpu" else [encoder_weights, device_type]


def _mean(w_ND: torch.Tensor, average: str) -> torch.Tensor:
    """w_D of the texts of one class."""
    from torch.nn import functional as F

    if len(w_ND) == 1:
        return w_ND[0]
    return (w_ND if average == "plain" else F.normalize(w_ND, dim=-1)).mean(dim=0)


def _on_cores(
    tower: Any, texts: Sequence[Sequence[str]], average: str
) -> tuple[list[torch.Tensor], float]:
    """w_D of each class, and the seconds of one core that embedding took.

    One text at a time: batches change last bits for little. open_clip's text tower of width 512
    with 4 layers took 36.6 ms a text of 77 tokens on one core; in batches of 2, which have the same
    bits, 32.5; in batches of 4 to 64, whose bits differ (by 1e-6 of the largest value), 28 to 32.
    """

    def one_class(class_texts: Sequence[str]) -> tuple[torch.Tensor, float]:
        began = time.thread_time()
        w_ND: torch.Tensor = tower.embed(class_texts)
        seconds = time.thread_time() - began
        return _mean(w_ND, average), seconds

    with one_core_pool(cores()) as pool:
        found = list(pool.map(one_class, texts))
    return [row_D for row_D, _ in found], sum(seconds for _, seconds in found)


def _on_gpu(
    tower: Any, texts: Sequence[Sequence[str]], average: str, torch_device: torch.device
) -> tuple[list[torch.Tensor], float]:
    """w_D of each class, and the seconds that embedding took. Masks keep the texts of a batch
    apart, so that neighbours change last bits alone.
    """
    import torch

    began = time.perf_counter()
    flat = list(itertools.chain(*texts))
    # Texts of a like length are neighbours, so that little is padding.
    order = sorted(range(len(flat)), key=lambda at: len(flat[at]))
    with (
        float32_as(FLOAT32, torch_device),
        moved(tower.module, torch_device),
        torch.inference_mode(),
    ):
        sorted_ND = torch.cat(list(_batches(tower, [flat[at] for at in order])))
    w_ND = torch.empty(sorted_ND.shape)  # outside inference mode, so that gradients can use it
    w_ND[order] = sorted_ND
    seconds = time.perf_counter() - began
    parts = w_ND.split([len(of_class) for of_class in texts])
    return [_mean(of_class_ND, average) for of_class_ND in parts], seconds


def _batches(tower: Any, texts: Sequence[str]) -> Iterator[torch.Tensor]:
    """Embeddings of the texts in order, on the CPU, in as large batches as there is memory for."""
    import torch

    most, done = GPU_BATCH, 0
    while done < len(texts):
        try:
            z_ND = tower.encode(texts[done : done + most]).float().cpu()
        except torch.OutOfMemoryError:
            if most == 1:
                raise
            most //= 2
            torch.cuda.empty_cache()
            continue
        done += len(z_ND)
        yield z_ND
