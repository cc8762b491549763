"""The command line where one process fails: `failing_process.py FAULTS ...`.

FAULTS are SEED=WHAT, with commas between them: what fails in the cell of that seed. It is `worker`
(one that reads ahead is killed in the second epoch), `picture` (cannot be read), `build` (of the
model) or `evaluation` in process 1; `search` (the evaluation of the first trial) there too; and
`record` (no space for it) in process 0.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from harness import cli
from harness.core.errors import CellError, DataError, DiskFull
from harness.core.store import Store
from harness.run import evaluate, recording, train
from harness.training.training_views import TrainingViews

OF_FIRST = ("record",)


def main(faults: dict[int, str], arguments: list[str]) -> int:
    """The exit status."""
    read, write, trials = TrainingViews.read, Store.write, [0]
    this = os.getpid()

    def reading(self: TrainingViews, request: Any) -> Any:
        what = faults.get(self.sampling.seed or 0)
        if what == "worker" and request[0] == 1:
            assert os.getpid() != this, "a worker reads"
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "picture" and request[0] == 1:
            raise DataError("cannot read clip.mp4")
        return read(self, request)

    def writing(self: Store, record: Any, *rest: Any) -> bool:
        if faults.get(record.cell["seed"]) == "record":
            raise DiskFull("no space left")
        return write(self, record, *rest)

    def failing(what: str, error: Exception, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(resolved: Any, *rest: Any) -> Any:
            if faults.get(resolved.cell.seed) == what:
                trials[0] += 1
                if what != "search" or trials[0] == 1:
                    raise error
            return real(resolved, *rest)

        return call

    odd = RuntimeError("odd")
    with pytest.MonkeyPatch.context() as patch:
        if os.environ["RANK"] == "0":
            patch.setattr(Store, "write", writing)
        else:
            patch.setattr(TrainingViews, "read", reading)
            patch.setattr(recording, "on_test", failing("evaluation", odd, evaluate.on_test))
            patch.setattr(train, "on_validation", failing("search", odd, evaluate.on_validation))
            no_model = CellError("there is no model")
            patch.setattr(train, "build_model", failing("build", no_model, train.build_model))
        return cli.main(arguments)


if __name__ == "__main__":
    pairs = (fault.split("=") for fault in sys.argv[1].split(","))
    raise SystemExit(main({int(seed): what for seed, what in pairs}, sys.argv[2:]))
