"""The pretended GPU refuses what a real one refuses, and takes what a real one takes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pretended_gpu import pretended_gpu
from pretended_gpu.mode import PretendedGpu

MIX = "Expected all tensors to be on the same device"
GPU = "cuda:0"


@pytest.fixture(autouse=True)
def gpu() -> Iterator[PretendedGpu]:
    with pretended_gpu() as mode:
        yield mode


def a() -> Tensor:
    return torch.ones(2, 3, device=GPU)


def c() -> Tensor:
    return torch.ones(2, 3)


REFUSED: dict[str, Callable[[], Any]] = {
    "add": lambda: a() + c(),
    "add in place": lambda: c().add_(a()),
    "a number of the GPU with a matrix of the CPU": lambda: c() * a().sum(),
    "matmul": lambda: a() @ c().T,
    "linear": lambda: F.linear(a(), c()),
    "cat": lambda: torch.cat([a(), c()]),
    "stack of numbers": lambda: torch.stack([a().sum(), c().sum()]),
    "where": lambda: torch.where(a() > 0, c(), a()),
    "cross entropy": lambda: F.cross_entropy(a(), torch.zeros(2, dtype=torch.long)),
    "index of the GPU": lambda: c()[torch.zeros(1, dtype=torch.long, device=GPU)],
    "index_select": lambda: a().index_select(0, torch.zeros(1, dtype=torch.long)),
    "put": lambda: a().__setitem__(0, torch.ones(3)),
    "embedding": lambda: F.embedding(torch.zeros(1, dtype=torch.long), a()),
    "module": lambda: nn.Linear(3, 1).to(GPU)(c()),
    "equal": lambda: torch.equal(a(), c()),
    "gradient": lambda: a().requires_grad_().backward(c()),
    "grad": lambda: setattr(a().requires_grad_(), "grad", c()),
}
TAKEN: dict[str, Callable[[], Any]] = {
    "a number of the CPU": lambda: a() * torch.tensor(2.0),
    "a number of Python": lambda: a() * 2 + 1,
    "index of the CPU": lambda: a()[torch.zeros(1, dtype=torch.long)],
    "view": lambda: a()[:, 1:].T.reshape(-1),
    "detached": lambda: a().requires_grad_().detach(),
    "data": lambda: a().requires_grad_().data,
    "like": lambda: torch.zeros_like(a()),
    "new": lambda: a().new_tensor([1.0]),
    "to": lambda: c().to(GPU, non_blocking=True),
    "to with a type": lambda: c().to(GPU, torch.float64),
    "to another": lambda: c().to(a()),
    "type_as": lambda: c().type_as(a()),
    "copy": lambda: a().copy_(c()),
    "parameter": lambda: nn.Parameter(a()),
    "deep copy": lambda: deepcopy(nn.Linear(2, 2).to(GPU)).weight,
    "split": lambda: a().split(1)[1],
    "where with a number": lambda: torch.where(a() > 0, a(), 1.0),
    "half": lambda: a().half(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mix_of_devices_is_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match=MIX):
        REFUSED[name]()


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_made_of_the_gpus_tensors_is_there(name: str) -> None:
    result = TAKEN[name]()
    assert result.device == torch.device("cuda", 0)
    assert result.is_cuda
    assert result.cpu().device == torch.device("cpu")


def test_numbers_are_real() -> None:
    assert (a() * 3 - 1).sum().item() == 12
    assert c().to(GPU).cpu().numpy().sum() == 6


@pytest.mark.parametrize("of", [lambda t: t.numpy(), np.asarray, lambda t: t.detach().numpy()])
def test_numpy_takes_tensors_of_the_cpu_alone(of: Callable[[Tensor], Any]) -> None:
    with pytest.raises(TypeError, match="can't convert cuda:0"):
        of(a())


def test_numbers_are_drawn_on_the_cpu() -> None:
    stream = torch.Generator().manual_seed(0)
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator"):
        torch.rand(2, device=GPU, generator=stream)
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator"):
        torch.Tensor.uniform_(a(), generator=stream)
    for draws in (lambda: torch.rand(2, device=GPU), lambda: F.dropout(a()), lambda: a().normal_()):
        with pytest.raises(RuntimeError, match="draws on the device"):
            draws()
    assert F.dropout(a(), training=False).is_cuda
    assert torch.rand(2, generator=stream).to(GPU).is_cuda


def test_a_thread_is_on_the_same_machine() -> None:
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(a() + c())
        except RuntimeError as error:
            found.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert MIX in found[0]


def test_a_forked_process_has_no_gpu() -> None:
    tensor = a()
    child = os.fork()
    if child == 0:
        try:
            tensor.sum()
        except RuntimeError as error:
            os._exit(17 if "forked subprocess" in str(error) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17


@pytest.mark.parametrize("settings", [{"fused": True}, {"foreach": True}, {}])
def test_optimisers_train_there(settings: dict[str, Any]) -> None:
    on_gpu, on_cpu = nn.Linear(3, 1), nn.Linear(3, 1)
    on_cpu.load_state_dict(on_gpu.state_dict())
    on_gpu.to(GPU)
    for module, x in ((on_gpu, a()), (on_cpu, c())):
        optimiser = torch.optim.AdamW(module.parameters(), lr=0.1, **settings)
        for _ in range(3):
            optimiser.zero_grad()
            module(x).square().sum().backward()
            optimiser.step()
        saved = optimiser.state_dict()
        optimiser.load_state_dict(saved)
        optimiser.step()
    assert on_gpu.weight.grad is not None
    assert on_gpu.weight.grad.is_cuda
    assert on_gpu.weight.is_cuda
    assert torch.allclose(on_gpu.weight.cpu(), on_cpu.weight)


def test_hooks_see_gradients_of_the_gpu() -> None:
    module = nn.Linear(3, 1).to(GPU)
    seen: list[bool] = []
    module.weight.register_hook(lambda gradient: seen.append((gradient + a()[:1]).is_cuda))
    module.weight.register_post_accumulate_grad_hook(lambda w: seen.append(w.device.type == "cuda"))
    module(a()).sum().backward()
    assert seen == [True, True]


def test_a_scaler_and_autocast() -> None:
    module = nn.Linear(3, 1).to(GPU)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda", init_scale=4.0)
    before = module.weight.detach().cpu().clone()
    with torch.autocast("cuda", dtype=torch.float16):
        out = module(a())
    assert out.dtype == torch.float16
    scaler.scale(out.float().sum()).backward()
    scaler.step(optimiser)
    scaler.update()
    assert torch.allclose(module.weight.cpu(), before - 0.2)


def test_waits_and_copies_are_counted(gpu: PretendedGpu) -> None:
    x, host = a(), c()
    with gpu.counted() as counts:
        y = (x * 2).sum() + x[0, 0]
        host.to(GPU)
        torch.ones(3).sum().item()  # of the CPU: nobody waits
    assert (counts.waits, counts.copies.total()) == ({}, 1)
    with gpu.counted() as counts:
        y.item()
        bool(y > 0)
        float(y)
        y.tolist()
        y.cpu()
        x[x > 0]
        torch.nonzero(x)
    assert counts.waits.total() == 7
    torch.cuda.set_sync_debug_mode("warn")
    with pytest.warns(UserWarning, match="called a synchronizing CUDA operation"):
        y.item()
    torch.cuda.set_sync_debug_mode("default")
    y.item()  # without a warning, which would be an error
    assert all(place.endswith(" at a test") for place in counts.waits)
