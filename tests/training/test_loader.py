"""Reading ahead: the same tensors for any number of workers, and what becomes of one that dies."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.core.cells import Recipe
from harness.core.errors import CellError, DataError
from harness.training import loader
from harness.training.distributed import World
from harness.training.loader import default_workers, read_ahead, shared_workers
from harness.training.pictures import Pictures
from harness.training.schedule import Place, Schedule
from harness.training.training_views import Sampling, TrainingViews

from .examples import CELL
from .grey import Grey, Mean

ITEMS = [str(k) for k in range(12)]


def squared(request: int) -> torch.Tensor:
    return torch.tensor([request, request**2])


@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_results_come_in_the_order_of_their_requests(workers: int) -> None:
    found = list(read_ahead(squared, iter(range(20)), workers=workers))
    assert [x.tolist() for x in found] == [[k, k * k] for k in range(20)]


class Drawn(Mean):
    """Its pixels tell frames and crops of unlike pictures apart."""


class Ramps(Grey):
    """Frames whose grey level rises from left to right, so that a crop changes the picture."""

    def frames(self, item: str, indices: Any) -> Any:
        from PIL import Image

        ramp = Image.linear_gradient("L").resize((16, 12)).convert("RGB")
        return [ramp.point(lambda v, n=n: (v + 10 * int(item) + n) % 256) for n in indices]


def digest_of_epochs(workers: int, processes: int) -> str:
    """Of two epochs in micro-batches of 3, in their order over all processes."""
    views = TrainingViews(Pictures(Ramps(), Drawn(), 8), ITEMS, Sampling(0, 4, "crop_flip"))  # type: ignore[arg-type]
    recipe = Recipe(epochs=2, batch=6, micro_batch=3)
    problem: Any = SimpleNamespace(
        model=SimpleNamespace(source=ITEMS), repeats=1, recipe=recipe, seed=0, cell=CELL
    )
    by_rank: list[Iterator[torch.Tensor]] = []
    for rank in range(processes):
        ahead = Schedule(problem, World(rank, processes)).ahead(Place())
        requests = ((epoch, part_B.tolist()) for epoch, part_B in ahead)
        by_rank.append(read_ahead(views.read, requests, workers=workers))
    schedule, content = Schedule(problem, World()), hashlib.sha256()
    for epoch in range(2):
        for batch_B in schedule.batches(epoch):
            for number in range(len(schedule.parts(batch_B))):
                x_NCHW = next(by_rank[number % processes])
                content.update(x_NCHW.contiguous().numpy().tobytes())
    assert all(next(left, None) is None for left in by_rank)
    return content.hexdigest()


def test_an_epoch_has_the_same_tensors_for_any_number_of_workers_and_processes() -> None:
    expected = digest_of_epochs(0, 1)
    assert digest_of_epochs(0, 2) == expected
    for workers, processes in ((1, 1), (2, 1), (4, 1), (1, 2), (2, 4)):
        assert digest_of_epochs(workers, processes) == expected


def test_a_training_may_go_on_at_any_step() -> None:
    recipe = Recipe(epochs=2, batch=5, iterations=4)
    problem: Any = SimpleNamespace(
        model=SimpleNamespace(source=ITEMS), repeats=1, recipe=recipe, seed=3, cell=CELL
    )
    schedule = Schedule(problem, World())
    whole = [(epoch, part_B.tolist()) for epoch, part_B in schedule.ahead(Place())]
    assert [epoch for epoch, _ in whole] == [0, 0, 0, 1]
    rest = [(epoch, part_B.tolist()) for epoch, part_B in schedule.ahead(Place(0, 2))]
    assert rest == whole[2:]
    assert [part for _, part in schedule.ahead(Place(1, 1))] == []


def broken(request: int) -> torch.Tensor:
    if request == 3:
        raise DataError("picture 3 cannot be read")
    return squared(request)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_a_worker_is_that_of_the_reader(workers: int) -> None:
    results = read_ahead(broken, iter(range(6)), workers=workers)
    assert [next(results)[0].item() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError, match=r"^picture 3 cannot be read$"):
        next(results)


class Peculiar(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


def peculiar(request: int) -> torch.Tensor:
    raise Peculiar(request, 1)


def test_an_error_that_cannot_be_sent_is_told_in_words() -> None:
    with pytest.raises(CellError, match="Peculiar: 0 and 1"):
        list(read_ahead(peculiar, iter(range(4)), workers=1))


def killed(request: int) -> torch.Tensor:
    if request == 2:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(10)
    return squared(request)


def test_a_worker_that_is_killed_is_the_reason_of_the_cell() -> None:
    with pytest.raises(CellError, match="a process that reads data was killed"):
        list(read_ahead(killed, iter(range(6)), workers=2))


def test_a_full_shared_memory_is_named() -> None:
    bus = RuntimeError(
        "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that "
        "dataloader's workers are out of shared memory."
    )
    assert str(loader._reason(bus)).startswith(
        f"a process that reads data was killed (Bus error): {loader.SHARED_MEMORY} is full"
    )
    other = RuntimeError("shapes do not match")
    assert loader._reason(other) is other


def test_results_on_their_way_fit_into_shared_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """20 MB are free, of which half may be used: ten of 1 MB, so five workers that read two."""
    free = SimpleNamespace(f_bavail=20, f_frsize=1_000_000)
    monkeypatch.setattr(os, "statvfs", lambda path: free)
    assert loader._with_room(16, 1_000_000) == 5
    assert loader._with_room(3, 1_000_000) == 3
    assert loader._with_room(16, 4_000_000) == 1
    assert capsys.readouterr().err == ""
    assert loader._with_room(16, 6_000_000) == 0
    assert "has room for less than two batches of 6,000,000 bytes" in capsys.readouterr().err


def signalled(request: int) -> torch.Tensor:
    for number in (signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        os.kill(os.getpid(), number)
    return squared(request)


def test_signals_of_a_run_are_for_the_parent_alone() -> None:
    """Ctrl-C reaches every process of a terminal; the parent ends its workers."""
    assert len(list(read_ahead(signalled, iter(range(4)), workers=2))) == 4


def test_closing_ends_the_workers() -> None:
    before = set(multiprocessing.active_children())
    results = read_ahead(squared, iter(range(10**9)), workers=2)
    next(results)
    ours = set(multiprocessing.active_children()) - before
    assert len(ours) == 2
    results.close()
    assert not ours & set(multiprocessing.active_children())


def test_the_generator_of_everybody_is_left_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    list(read_ahead(squared, iter(range(4)), workers=1))
    assert torch.equal(torch.rand(3), expected)


def test_cores_are_shared_by_processes_and_by_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "cores", lambda: 16)
    assert default_workers() == 16
    assert (shared_workers(None, 1), shared_workers(None, 4), shared_workers(None, 40)) == (
        16,
        4,
        1,
    )
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")  # torchrun: eight processes of a node
    assert default_workers() == 2
    assert shared_workers(0, 4) == 0
    assert shared_workers(5, 4) == 5
