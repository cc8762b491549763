"""What torch says of a machine with one GPU, and every thread in the mode."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
import torch.distributed as dist
import torch.utils.checkpoint

from pretended_gpu.mode import PretendedGpu
from pretended_gpu.tags import CPU

#: How many GPUs are pretended, and what they are called.
GPUS, NAME = 1, "a pretended GPU"
_MEMORY = 8 * 2**30

_mode = PretendedGpu()
_entered = threading.local()


@contextmanager
def pretended_gpu() -> Iterator[PretendedGpu]:
    """A machine with a GPU, in this thread and those that it starts. It may be entered twice."""
    if getattr(_entered, "in_mode", False):
        yield _mode
        return
    _mode._process = os.getpid()
    with ExitStack() as stack:
        for owner, replacements in _machine():
            stack.enter_context(patch.multiple(owner, **replacements))
        stack.enter_context(_this_thread())
        yield _mode


def enter() -> PretendedGpu:
    """Pretend for the rest of the process."""
    if not getattr(_entered, "in_mode", False):
        _forever.enter_context(pretended_gpu())
    return _mode


_forever = ExitStack()


@contextmanager
def _this_thread() -> Iterator[None]:
    with _mode:
        _entered.in_mode = True
        try:
            yield
        finally:
            _entered.in_mode = False


def _machine() -> list[tuple[Any, dict[str, Any]]]:
    cuda: dict[str, Callable[..., Any]] = {
        "is_available": lambda: True,
        "device_count": lambda: GPUS,
        "current_device": lambda: 0,
        "get_device_name": lambda *_: NAME,
        "get_device_properties": lambda *_: SimpleNamespace(
            name=NAME, total_memory=_MEMORY, major=9, minor=0, multi_processor_count=1
        ),
        "get_device_capability": lambda *_: (9, 0),
        "mem_get_info": lambda *_: (_MEMORY, _MEMORY),
        "memory_allocated": lambda *_: 0,
        "max_memory_allocated": lambda *_: 0,
        "get_rng_state": lambda *_: torch.get_rng_state(),
        "is_bf16_supported": lambda *_: True,
        "device": lambda *_: nullcontext(),
        "Event": _Event,
        "set_sync_debug_mode": _set_sync_debug_mode,
    }
    for name in (
        "synchronize", "reset_peak_memory_stats", "empty_cache", "set_device", "set_rng_state",
        "_lazy_init",
    ):  # fmt: skip
        cuda[name] = lambda *_: None
    accelerator: dict[str, Callable[..., Any]] = {
        "is_available": lambda: True,
        "device_count": lambda: GPUS,
        "current_device_index": lambda: 0,
        "current_accelerator": lambda *_, **__: torch.device("cuda"),
        "current_stream": lambda *_: SimpleNamespace(is_capturing=lambda: False),
        "synchronize": lambda *_: None,
        "set_device_index": lambda *_: None,
    }
    casts = {"autocast": _autocast()}
    exchanges = {name: _on_the_gpu(name) for name in ("all_reduce", "broadcast", "all_gather")}
    return [
        (torch.cuda, cuda),
        (torch.accelerator, accelerator),
        (torch, {"load": _load(), **casts}),
        (torch.amp, casts),
        (torch.amp.autocast_mode, casts),
        (torch.autograd, {"_engine_run_backward": _in_the_mode(torch.autograd)}),
        (torch.utils.checkpoint, {"_allowed_determinism_checks_to_fns": _checks()}),
        (threading.Thread, {"run": _thread()}),
        (dist, {"init_process_group": _process_group(), **exchanges}),
    ]


class _Event:
    """Passes when it is recorded, as the device has no work that is waiting."""

    def __init__(self, *, enable_timing: bool = False) -> None:
        self._timed, self._passed = enable_timing, 0.0

    def record(self, *_: Any) -> None:
        self._passed = time.perf_counter()

    def elapsed_time(self, end: _Event) -> float:
        """Milliseconds."""
        if not (self._timed and end._timed):
            raise RuntimeError("Both events must be created with argument 'enable_timing=True'.")
        return 1000 * (end._passed - self._passed)


def _set_sync_debug_mode(debug_mode: int | str) -> None:
    _mode.warns = debug_mode in (1, "warn")


def _autocast() -> Any:
    """Of the GPU's operators those of the CPU are computed in the lower precision."""
    real: Any = torch.autocast

    class Autocast(real):  # type: ignore[misc]
        def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
            super().__init__("cpu" if device_type == "cuda" else device_type, *args, **kwargs)

    return Autocast


def _load() -> Any:
    real = torch.load

    def load(*args: Any, **kwargs: Any) -> Any:
        anywhere = len(args) < 2 and kwargs.get("map_location") is None
        if anywhere and "/harness/" in sys._getframe(1).f_code.co_filename:
            raise RuntimeError("torch.load without map_location: a machine without a GPU fails")
        return real(*args, **kwargs)

    return load


def _in_the_mode(autograd: Any) -> Any:
    """Hooks and what is computed again see the GPU too."""
    real = autograd._engine_run_backward

    def run(*args: Any, **kwargs: Any) -> Any:
        with _mode:
            return real(*args, **kwargs)

    return run


def _checks() -> dict[str, Any]:
    """What is computed again is compared with what was, which autograd saw before it was marked."""
    real = torch.utils.checkpoint._allowed_determinism_checks_to_fns
    return real | {"default": lambda x: {"shape": x.shape, "dtype": x.dtype}}


def _thread() -> Any:
    real = threading.Thread.run

    def run(self: threading.Thread) -> None:
        with _this_thread():
            real(self)

    return run


_backends: list[str] = []


def _process_group() -> Any:
    """Gloo stands in for nccl, which takes tensors of a GPU alone."""
    real = dist.init_process_group

    def init(backend: str | None = None, *args: Any, **kwargs: Any) -> None:
        _backends.append(str(backend))
        real("gloo" if "nccl" in str(backend) else backend, *args, **kwargs)

    return init


def _on_the_gpu(name: str) -> Any:
    real = getattr(dist, name)

    def exchange(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        first = tensor[0] if isinstance(tensor, list) else tensor
        if _backends[-1:] == ["nccl"] and _mode.device_of(first) == CPU:
            raise RuntimeError(f"{name}: No backend type associated with device type cpu")
        return real(tensor, *args, **kwargs)

    return exchange
