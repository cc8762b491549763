"""Who takes part in a training, and that N processes over gloo take the steps of one process on
the whole batch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import BadInput
from harness.training.distributed import World, declared, process_group, world

from . import examples
from .processes import in_processes

VARIABLES = (
    "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"
)  # fmt: skip


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the variables of torchrun and srun; all others of theirs are unset."""

    def call(**variables: str) -> None:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return call


def test_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    """Loss and weights after some steps, of every kind of head; dropout, and texts that are
    trained. Of the four micro-batches one process has two, the others one. Where each computes the
    gradients of head and texts itself, their weights stay equal even if those are not.
    """
    one = examples.solve_all()
    processes = in_processes(3, tmp_path)
    statistics = torch.tensor(examples.batch_norm())
    for solved in processes:  # of the protocol text4vis
        torch.testing.assert_close(torch.tensor(solved["batch norm"][0]), statistics)
    assert (statistics[:4] > 0.3).all(), "they moved"
    for solved in processes:
        for kind in one:
            losses, weights = solved[kind]
            torch.testing.assert_close(
                torch.tensor(losses), torch.tensor(one[kind][0]), atol=1e-5, rtol=1e-5, msg=kind
            )
            torch.testing.assert_close(
                torch.tensor(weights), torch.tensor(one[kind][1]), atol=1e-5, rtol=1e-5, msg=kind
            )
    assert len({tuple(losses) for losses, _ in one.values()}) == len(one), "kinds must differ"
    for kind in examples.CONTRASTED:
        drifting = [solved[f"{kind}, drifting"][1] for solved in processes]
        assert drifting[0] == drifting[1] == drifting[2], f"{kind}: processes drift apart"
        assert drifting[0] != processes[0][kind][1], "gradients differed"


def test_without_the_gather_less_is_contrasted() -> None:
    gathered, apart = (examples.solve(kind)[0][0] for kind in ("gathered", "apart"))
    assert gathered > apart, "fewer negatives are easier to tell"


def test_micro_batches_are_shared_out_in_turn() -> None:
    group = [World(rank, 3) for rank in range(3)]
    owners = [[w.rank for w in group if w.mine(number)] for number in range(7)]
    assert owners == [[0], [1], [2], [0], [1], [2], [0]]


def test_one_process_exchanges_nothing() -> None:
    tensor = torch.ones(2)
    alone = World()
    alone.add([tensor])
    alone.wait()
    with alone.first():
        pass
    assert tensor.tolist() == [1, 1]
    assert alone.total(1.5, 2) == [1.5, 2]
    assert alone.maximum(7) == 7


def test_one_process_needs_no_meeting_point(declare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    declare()
    monkeypatch.setenv("SLURM_NTASKS", "8")  # of a batch script, which is one process all the same
    assert declared() == (0, 1)
    with process_group() as group:
        assert group == world() == World(0, 1)


def test_what_torchrun_and_srun_declare(declare: Any) -> None:
    declare(RANK="1", WORLD_SIZE="2")
    assert declared() == (1, 2)
    declare(SLURM_PROCID="3", SLURM_STEP_NUM_TASKS="4")
    assert declared() == (3, 4)
    declare(SLURM_PROCID="3", SLURM_STEP_NUM_TASKS="1")
    assert declared() == (0, 1)
    declare(RANK="1", WORLD_SIZE="2", SLURM_PROCID="3", SLURM_STEP_NUM_TASKS="4")
    assert declared() == (1, 2), "torchrun inside a step of SLURM"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SLURM_STEP_NUM_TASKS": "4"}, "but MASTER_ADDR is not set"),
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE must be a whole number, not 'two'"),
        (
            {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "http"},
            "MASTER_PORT must be a whole number, not 'http'",
        ),
    ],
)
def test_processes_that_cannot_meet(declare: Any, variables: Any, words: str) -> None:
    declare(**variables)
    with pytest.raises(BadInput, match=words), process_group():
        pass
