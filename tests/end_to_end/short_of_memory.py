"""The command line with a GPU that is too small in process 1: `short_of_memory.py WHERE ...`.

WHERE: `first` or `later`, a step from which on micro-batches of more than 2 samples do not fit; or
`optimiser`, whose moments do not fit once.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
import torch

from harness import cli
from harness.training.precision import Precision
from harness.training.step import Stepper

FITS, FRAMES = 2, 2


def main(where: str, arguments: list[str]) -> int:
    """The exit status."""
    passes, steps = [0], [0]
    embed, update = Stepper._embed, Precision.step

    def limited(self: Stepper, inputs: Any, drop: torch.Generator) -> torch.Tensor:
        passes[0] += 1
        begins = {"first": 0, "later": 3, "optimiser": 10**9}[where]
        if passes[0] > begins and len(inputs) > FITS * FRAMES:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return embed(self, inputs, drop)

    def once(self: Precision, optimiser: torch.optim.Optimizer) -> None:
        steps[0] += 1
        if where == "optimiser" and steps[0] == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        update(self, optimiser)

    with pytest.MonkeyPatch.context() as patch:
        if os.environ["RANK"] == "1":
            patch.setattr(Stepper, "_embed", limited)
            patch.setattr(Precision, "step", once)
        return cli.main(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
