"""Backbone features on disk, computed once for every encoder, resolution and picture.

A folder of the cache holds shards of (ids, h_NF); an id is the fingerprint of a picture, with the
frame and the crop that were read, so that no picture is taken for another of the same name.
Last bits differ between a GPU and the CPU, so each has its own folder. A reader looks an id up in
all of them; a writer adds a whole shard by rename. So what was computed before an interruption
stays, and two writers at once cost time but never a wrong row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cells import Choice
from harness.core.errors import DataError
from harness.core.facts import EncoderFacts
from harness.core.files import cache_folder, write_atomically
from harness.core.hashing import digest
from harness.core.protocols.dataset import Dataset
from harness.sampling.views import FrameView
from harness.training.device import device
from harness.training.pictures import read_pictures
from harness.training.threads import cores, one_core_pool

if TYPE_CHECKING:
    import torch

SHARD = 512
#: Pictures at once: on one core, and on a GPU.
BATCH = {"cpu": 16, "cuda": 64}

#: called with (done, total) pictures
Progress = Callable[[int, int], object]


class FeatureStore:
    """Features of one encoder at one resolution on one dataset."""

    def __init__(
        self, dataset: Dataset, facts: EncoderFacts, load: Callable[[], Any], resolution: int
    ) -> None:
        self._dataset, self._load, self._resolution = dataset, load, resolution
        self._dim = facts.feature_dim
        self._device = device()
        self._batch_size = BATCH[self._device.type]
        apart = [] if self._device.type == "cpu" else [self._device.type]
        address = digest([facts.backbone, resolution, *apart], 32)
        self.folder = cache_folder() / "features" / address

    def get(
        self, wanted: Sequence[str | FrameView], progress: Progress | None = None
    ) -> torch.Tensor:
        """h_NF in the order of `wanted`; what is missing is computed and kept. A name alone is an
        item that is a picture.

        Raises DataError for a picture that cannot be read.
        """
        import torch

        chosen = [w if isinstance(w, FrameView) else FrameView(w) for w in wanted]
        prints = {
            item: self._dataset.fingerprint(item) for item in dict.fromkeys(k.item for k in chosen)
        }
        ids = {view: view.address(prints[view.item]) for view in dict.fromkeys(chosen)}
        found = self._read(set(ids.values()))
        # One view of every picture that is missing, in the order of `wanted`.
        first = {ids[view]: view for view in reversed(ids)}
        missing = [i for i in dict.fromkeys(ids.values()) if i not in found]
        for start in range(0, len(missing), SHARD):
            part = missing[start : start + SHARD]
            done = lambda n, start=start: progress and progress(start + n, len(missing))  # noqa: E731
            rows = self._compute([first[i] for i in part], done)
            self._write(part, rows)
            found |= dict(zip(part, rows, strict=True))
        h_NF = np.stack([found[ids[k]] for k in chosen]) if chosen else np.zeros((0, self._dim))
        return torch.from_numpy(h_NF.astype(np.float32))

    def _read(self, wanted: set[str]) -> dict[str, np.ndarray[Any, Any]]:
        """Rows of `wanted`: the folder may hold many other data sets."""
        found: dict[str, np.ndarray[Any, Any]] = {}
        for ids_file in sorted(self.folder.glob("*.ids.json")):
            try:
                ids = json.loads(ids_file.read_text(encoding="utf-8"))
                if wanted.isdisjoint(ids):
                    continue
                rows = np.load(ids_file.with_name(ids_file.name.replace(".ids.json", ".npy")))
                found.update({i: h for i, h in zip(ids, rows, strict=True) if i in wanted})
            except (OSError, ValueError, TypeError, EOFError):
                continue  # damaged: computed again, and written over
        return found

    def _write(self, ids: Sequence[str], rows: np.ndarray[Any, Any]) -> None:
        name = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32]
        # The ids go last: a shard without them is not read.
        write_atomically(self.folder / f"{name}.npy", lambda f: np.save(f, rows))
        text = json.dumps(list(ids)).encode()
        write_atomically(self.folder / f"{name}.ids.json", lambda f: f.write(text))

    def _compute(
        self, chosen: Sequence[FrameView], progress: Callable[[int], object]
    ) -> np.ndarray[Any, Any]:
        encoder, size = self._load(), self._batch_size
        batches = [chosen[i : i + size] for i in range(0, len(chosen), size)]
        rows, done = [], 0
        # A GPU is fed by all cores as well: they read and prepare the pictures.
        with one_core_pool(cores()) as pool:
            for batch, h_BF in zip(
                batches, pool.map(lambda b: self._batch(encoder, b), batches), strict=True
            ):
                rows.append(h_BF)
                done += len(batch)
                progress(done)
        h_NF = np.concatenate(rows)
        if not np.isfinite(h_NF).all():
            raise DataError("the encoder gives features that are not finite numbers")
        return h_NF

    def _batch(self, encoder: Any, batch: Sequence[FrameView]) -> np.ndarray[Any, Any]:
        """h_BF of one batch, on one core or the GPU.

        A short batch is filled up: kernels differ by batch size in the last bits, and a feature
        must not depend on which others were missing beside it.
        """
        import torch

        images = read_pictures(self._dataset, batch)
        x_BCHW = torch.stack([encoder.preprocess(image, self._resolution) for image in images])
        fill = x_BCHW[-1:].expand(self._batch_size - len(batch), -1, -1, -1)
        with torch.inference_mode():
            h_BF = encoder.features(torch.cat([x_BCHW, fill]).to(self._device))
        rows: np.ndarray[Any, Any] = h_BF.cpu().numpy()[: len(batch)]
        return rows


def text_embeddings(
    encoder_weights: str,
    load: Callable[[], Any],
    prompt: Choice,
    texts: Sequence[Sequence[str]],
    average: str = "normalised",
) -> torch.Tensor:
    """w_CD: one row per class, the mean over its texts of the embeddings, each normalised first
    unless `average` is `plain`.

    With one text per class this is the embedding itself. Cached by weights and texts.
    """
    import torch
    from torch.nn import functional as F

    address = digest([encoder_weights, prompt.plain(), [list(t) for t in texts]], 32)
    path: Path = cache_folder() / "text" / f"{address}.npy"
    if path.is_file():
        try:
            return torch.from_numpy(np.load(path))
        except (OSError, ValueError, EOFError):
            pass  # damaged: made again, and written over
    tower = load()

    def one_class(class_texts: Sequence[str]) -> torch.Tensor:
        w_ND: torch.Tensor = tower.embed(class_texts)
        if len(w_ND) == 1:
            return w_ND[0]
        return (w_ND if average == "plain" else F.normalize(w_ND, dim=-1)).mean(dim=0)

    with one_core_pool(cores()) as pool:
        rows = list(pool.map(one_class, texts))
    w_CD = torch.stack(rows)
    write_atomically(path, lambda f: np.save(f, w_CD.numpy()))
    return w_CD
