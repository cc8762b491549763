"""Gradients are summed over processes, whatever each one's backward does; an error of one process
is raised by all.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.training.agreement import Turn, agree, agreement
from harness.training.buckets import buckets
from harness.training.distributed import World
from harness.training.exchange import GradientExchange

from . import exchange_examples as examples
from .processes import in_processes


@pytest.mark.parametrize("number", [2, 4])
def test_processes_have_the_gradients_of_one(tmp_path: Path, number: int) -> None:
    """Of the three micro-batches two processes have two and one, four have one, one, one, none."""
    one = examples.gradients(World())
    for rank, found in enumerate(in_processes(number, tmp_path, "exchange_examples")):
        for mine, alone in zip(found["gradients"], one, strict=True):
            assert [g is None for g in mine] == [g is None for g in alone]
            for a, b in zip(mine, alone, strict=True):
                if a is not None and b is not None:
                    torch.testing.assert_close(torch.tensor(a), torch.tensor(b))
        assert found["errors"] == expected_errors(number), rank
        assert found["same"] == "DataError: cannot be read"
        assert found["of any"] == expected_of_any(number)
        assert found["turn"] == [True, False]
        assert found["any"] == [True, False]
        assert found["of first"] == {"rank": 0}
    released = [step[5] is not None for step in one]
    assert released == [False, False, True, True], "the example has to release it"


def expected_errors(number: int) -> list[str]:
    """What every process raises in exchange_examples.CASES."""
    first, second = (f"in process {rank} of {number}: " for rank in range(2))
    memory, data = f"OutOfMemory: {second}too large", f"DataError: {second}cannot be read"
    return [
        memory, memory, memory, data,
        f"CellError: {second}a worker was killed",
        f"CellError: {second}RuntimeError: odd",
        f"BadInput: {second}t.yaml: lr: is negative",
        f"KeyboardInterrupt: {second}",
        data,
        f"CellError: {first}a worker was killed",
        "nothing",
    ]  # fmt: skip


def expected_of_any(number: int) -> dict[str, str]:
    own = {f"by {r}": f"DataError: in process {r} of {number}: mine" for r in range(number)}
    return own | {"by two": f"EncoderError: in process 0 of {number}: that of 0"}


def test_one_process_has_its_own_gradients() -> None:
    def around(tensors: examples.Tensors) -> object:
        return GradientExchange(tensors.all(), World()).step

    assert examples.gradients(World(), around) == examples.gradients(World())


def test_one_process_has_its_own_errors() -> None:
    exchange = GradientExchange([torch.ones(1, requires_grad=True)], World())
    with pytest.raises(torch.OutOfMemoryError, match="mine"), exchange.step(1):
        raise torch.OutOfMemoryError("mine")
    with pytest.raises(torch.OutOfMemoryError, match="mine"), agreement(World()):
        raise torch.OutOfMemoryError("mine")
    assert agree(World()) == Turn()
    assert agree(World(), interrupted=True) == Turn(interrupted=True)
    assert agree(World(), save=True) == Turn(save=True)


def test_buckets_hold_one_type_and_about_their_size() -> None:
    tensors = [torch.zeros(n, dtype=d) for n, d in [(4, torch.float32)] * 3 + [(4, torch.float64)]]
    found = buckets(tensors, [2, 0, 1, 3], 32)
    assert [list(b.views) for b in found] == [[2, 0], [1], [3]]
    assert [v.dtype for v in found[2].views.values()] == [torch.float64]


def test_a_gradient_in_a_bucket_has_the_layout_of_its_tensor() -> None:
    image = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    (bucket,) = buckets([torch.zeros(5), image], [0, 1], 1000)
    view = bucket.put(1, image)
    assert view.stride() == image.stride()
    assert torch.equal(view, image)
    assert bucket.put(0, None).tolist() == [0] * 5
    assert not bucket.missing
