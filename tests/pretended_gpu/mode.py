"""The mode itself: what every function of torch does with tensors of the pretended GPU."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from pretended_gpu.rules import DRAWS, FACTORIES, LIKE, WAITS, drops, may_mix
from pretended_gpu.tags import CPU, CUDA, as_device, mark, marked, tensors_in

_MIX = "Expected all tensors to be on the same device, but found at least two devices"
_NUMPY = (
    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
    "memory first."
)


@dataclass
class Waits:
    """How often the host waited for the device, and copied to it, by function and place."""

    waits: Counter[str] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)


class PretendedGpu(TorchFunctionMode):
    """One for all threads, each of which enters it."""

    def __init__(self) -> None:
        super().__init__()
        self.warns = False  # of waits: torch.cuda.set_sync_debug_mode
        self._counting: list[Waits] = []
        self._backward = threading.local()
        self._process = os.getpid()

    @contextmanager
    def counted(self) -> Iterator[Waits]:
        """Count meanwhile, in all threads."""
        counts = Waits()
        self._counting.append(counts)
        try:
            yield counts
        finally:
            self._counting.remove(counts)

    def device_of(self, tensor: torch.Tensor) -> torch.device:
        """Autograd marks nothing: what it hands to a hook is where the model is."""
        known = marked(tensor)
        if known is None:
            return CUDA if getattr(self._backward, "on_gpu", False) else CPU
        return known

    @contextmanager
    def _in_backward(self, *, on_gpu: bool) -> Iterator[None]:
        before = getattr(self._backward, "on_gpu", False)
        self._backward.on_gpu = on_gpu
        try:
            yield
        finally:
            self._backward.on_gpu = before

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in ("__get__", "__set__"):
            return self._attribute(func, name, args)
        if name in ("to", "cpu", "cuda", "type_as") and isinstance(args[0], torch.Tensor):
            return self._moved(func, name, args, kwargs)
        if name == "pin_memory":
            return self._pinned(args[0])
        if name in FACTORIES or name in LIKE or kwargs.get("device") is not None:
            return self._made(func, name, args, kwargs)
        return self._computed(func, name, args, kwargs)

    def _attribute(self, func: Any, name: str, args: Sequence[Any]) -> Any:
        attribute, tensor = getattr(func.__self__, "__name__", ""), args[0]
        device = self.device_of(tensor)
        if name == "__set__":
            value = args[1]
            if attribute == "grad" and isinstance(value, torch.Tensor):
                self._refuse_a_mix("grad", [tensor, value], args, value)
            return func(*args)
        if attribute == "device":
            return device
        if attribute in ("is_cuda", "is_cpu"):
            return device.type == attribute.removeprefix("is_")
        result = func(*args)
        if isinstance(result, torch.Tensor):
            mark(result, device)
        return result

    def _moved(self, func: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """A tensor that changes its device is a copy, on a graph like any other."""
        tensor, source = args[0], self.device_of(args[0])
        wanted = {"cpu": CPU, "cuda": CUDA}.get(name)
        rest: list[Any] = []
        given: list[Any] = [*args[1:], *([kwargs.pop("other")] if "other" in kwargs else [])]
        for value in given if name in ("to", "type_as") else []:
            if isinstance(value, torch.Tensor):
                wanted = self.device_of(value)
                rest.append(value.dtype)
            elif (device := as_device(value)) is not None and not rest:
                wanted = device
            elif value is not None:
                rest.append(value)
        wanted = as_device(kwargs.pop("device", None)) or wanted or source
        if wanted.type == "meta":
            return tensor.to("meta")
        if not any(isinstance(value, torch.dtype) for value in rest):
            rest = []  # non_blocking and copy by position
        result = tensor.to(*rest, **kwargs) if rest or kwargs else tensor
        if wanted != source:
            result = result.clone() if result is tensor else result
            self._count("copies" if wanted == CUDA else "waits", name)
        mark(result, wanted, again=result is not tensor and _is_fresh(result, tensor))
        return result

    def _pinned(self, tensor: torch.Tensor) -> torch.Tensor:
        if self.device_of(tensor).type == "cuda":
            raise RuntimeError("cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be")
        mark(tensor, CPU)
        return tensor

    def _made(self, func: Any, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        device = as_device(kwargs.get("device"))
        first = args[0] if args and isinstance(args[0], torch.Tensor) else None
        if device is None and first is not None and name in LIKE | {"as_tensor", "tensor"}:
            device = self.device_of(first)
        on_gpu = device is not None and device.type == "cuda"
        if on_gpu:
            self._refuse_draws(name, args, kwargs)
            if name in ("tensor", "as_tensor", "new_tensor"):
                self._count("copies", name)
            if "device" in kwargs:
                kwargs["device"] = "cpu"
        if name not in FACTORIES | LIKE:
            return self._computed(func, name, args, kwargs, out=device)
        result = func(*args, **kwargs)
        for made in tensors_in(result):
            if first is not None and on_gpu and not _is_fresh(made, first):
                if self.device_of(first) == CUDA:
                    return result
                result = made.clone()
                mark(result, CUDA)
                return result
            mark(made, device or CPU)
        return result

    def _computed(
        self,
        func: Callable[..., Any],
        name: str,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        out: torch.device | None = None,
    ) -> Any:
        tensors = [*tensors_in(args), *tensors_in(kwargs)]
        on_gpu = any(self.device_of(t) == CUDA for t in tensors)
        if on_gpu:
            first = next(tensors_in(args), tensors[0])
            self._refuse_draws(name, args, kwargs)
            self._refuse_a_mix(name, tensors, args, first)
            self._count_a_wait(name, args)
        if name == "backward":
            with self._in_backward(on_gpu=on_gpu):
                return func(*args, **kwargs)
        result = func(*args, **kwargs)
        if name in ("__getitem__", "__deepcopy__") and isinstance(args[0], torch.Tensor):
            out = self.device_of(args[0])
        for made in tensors_in(result):
            mark(made, out or (CUDA if on_gpu else CPU))
        return result

    def _refuse_a_mix(
        self, name: str, tensors: Sequence[torch.Tensor], args: Sequence[Any], first: torch.Tensor
    ) -> None:
        if name in ("numpy", "__array__"):
            raise TypeError(_NUMPY)
        if os.getpid() != self._process:
            raise RuntimeError("Cannot re-initialize CUDA in forked subprocess")
        cpu = [t for t in tensors if self.device_of(t) == CPU]
        gpu = len(tensors) - len(cpu)
        is_cuda = self.device_of(first) == CUDA
        if cpu and gpu and not may_mix(name, cpu, args, first_is_cuda=is_cuda):
            shapes = [(tuple(t.shape), str(self.device_of(t))) for t in tensors][:4]
            raise RuntimeError(f"{_MIX}, cuda:0 and cpu! (in {name}: {shapes})")

    def _refuse_draws(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        generator = kwargs.get("generator")
        if generator is not None:
            raise RuntimeError(
                f"{name}: Expected a 'cuda' device type for generator but found 'cpu'"
            )
        if name in DRAWS or drops(name, args, kwargs):
            raise RuntimeError(
                f"{name} draws on the device: a seed would mean something else there"
            )

    def _count_a_wait(self, name: str, args: Sequence[Any]) -> None:
        if name in WAITS:
            self._count("waits", name)
        elif name in ("__getitem__", "__setitem__"):
            index = list(tensors_in(args[1]))
            if any(t.dtype == torch.bool for t in index):
                self._count("waits", name)  # how many are true
            elif any(self.device_of(t) == CPU for t in index):
                self._count("copies", name)

    def _count(self, kind: str, name: str) -> None:
        if self.warns and kind == "waits":
            warnings.warn("called a synchronizing CUDA operation", stacklevel=2)
        if self._counting:
            place = f"{name} at {_place()}"
            for counts in self._counting:
                getattr(counts, kind)[place] += 1


def _is_fresh(result: torch.Tensor, source: torch.Tensor) -> bool:
    """Whether a result has a storage of its own."""
    return bool(result.untyped_storage()._cdata != source.untyped_storage()._cdata)


def _place() -> str:
    """The innermost line of the project that is running."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if "/harness/" in path or "/baselines/" in path:
            return f"{path.rpartition('/')[2]}:{frame.f_lineno}"
        frame = frame.f_back
    return "a test"
