"""Checkpoints of two processes, for test_checkpoint: `checkpoint_examples.py FILE`.

Every process has a folder of its own, so that only process 0 sees what was saved.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import HarnessError
from harness.training import checkpoint, checkpoint_files
from harness.training.broadcast import from_first
from harness.training.cached import CachedFeatures
from harness.training.checkpoint import Checkpoint
from harness.training.distributed import World, process_group
from harness.training.failure import OutOfMemory
from harness.training.model import Embedding, Model, Projection
from tests.training.examples import FEATURES, D, data, text_head


def model(seed: int) -> Model:
    generator = torch.Generator().manual_seed(seed)
    start = Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))
    h_NF, _ = data(torch.Generator().manual_seed(0))
    return Model(CachedFeatures(h_NF), Embedding(start.trainable()), text_head("trained"))


def adam(of: Model) -> torch.optim.Optimizer:
    return torch.optim.AdamW([*of.pretrained(), *of.new()])


def saved(at: Checkpoint) -> None:
    """A state after one step, in process 0."""
    trained = model(7)
    optimiser = adam(trained)
    for t in trained.pretrained():
        t.grad = torch.ones_like(t) if t.requires_grad else None
    optimiser.step()
    at.save(trained, optimiser, {"step": 1, "sums_2": torch.tensor([1.5, 2.0]).double()})


def loaded(at: Checkpoint) -> Any:
    """Everything that was loaded, as numbers; or what was raised."""
    target = model(8)
    optimiser = adam(target)
    try:
        progress = at.load(target, optimiser)
    except (HarnessError, OutOfMemory) as error:
        return f"{type(error).__name__}: {error}"
    if progress is None:
        return None
    moments = [float(s["exp_avg"].sum()) for s in optimiser.state.values()]
    steps = [float(s["step"]) for s in optimiser.state.values()]
    weights = [float(t.sum()) for t in target.tensors()]
    return [progress["step"], progress["sums_2"].tolist(), weights, moments, steps]


@contextmanager
def broken(name: str, error: Exception, where: Any) -> Iterator[None]:
    """A function that raises, in process 0 alone: it alone reads."""

    def raising(*_: Any, **__: Any) -> None:
        raise error

    with pytest.MonkeyPatch.context() as patch:
        if os.environ["RANK"] == "0":
            patch.setattr(where, name, raising)
        patch.setattr(checkpoint_files, "WAITS", (0.0,))
        yield


def sent(group: World) -> list[Any]:
    """Tensors of every type, as process 0 has them."""
    first = group.rank == 0
    mine = {
        "bool": torch.tensor([first, False]), "half": torch.full((2,), 1.5 * first).bfloat16(),
        "alone": torch.tensor(7 * first), "turned": (torch.arange(6.0) * first).view(2, 3).T,
        "none": torch.zeros(0), "plain": (1, [None, "a"]) if first else None,
    }  # fmt: skip
    got = from_first(mine, group)
    return [v.tolist() if isinstance(v, torch.Tensor) else v for v in got.values()]


def main(file: Path) -> None:
    with process_group() as group:
        at = Checkpoint(file.with_suffix("") / "0.pt")
        found = {"nothing": loaded(at)}
        saved(at)
        found["files"] = at.path.is_file()
        with broken("_state", OSError(116, "Stale file handle"), checkpoint_files):
            found["unreachable"] = loaded(at)
        with broken("_put", torch.OutOfMemoryError("too large"), checkpoint):
            found["memory"] = loaded(at)
        found["state"] = loaded(at)
        found["due"] = Checkpoint(at.path, minutes=0).due()
        found["sent"] = sent(group)
    file.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
