"""What an encoder costs: multiply-adds and parameters, in full and as the paper counts them.

The paper's Tables 7 and 12 print what the profiler thop counts for CLIP: convolutions and linear
layers. Attention is left out, its linear layers too (thop knows no nn.MultiheadAttention), and so
are CLIP's own kind of layer norm and all parameters that belong to no such layer. ViT-B/16 is
11.3 G and 57.3 M so, and 17.6 G and 86.2 M in full. What the tables call FLOPs are multiply-adds,
two operations each, for one view.

Full counts take the formulas of torch.utils.flop_counter. Everything runs on the meta device:
shapes only, no memory and no arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

#: Operations of a training step for one multiply-add of a forward pass: two for the pass itself,
#: four for the gradients of inputs and weights.
TRAINED, ONLY_READ = 6, 2
#: Operations a second that the paper's own days come to, so that days of another machine can be
#: told in them. V100: Table 6, 3.3 days for 30 epochs of 240,000 clips of 8 frames with ViT-B/16.
#: A100: Table 12, 0.5 days for 10 epochs of 1,281,167 pictures with ViT-B/16.
PAPER_OPERATIONS_A_SECOND = {"V100": 2.13e13, "A100": 3.13e13}
DAY = 86_400.0


@dataclass(frozen=True)
class EncoderCost:
    """Multiply-adds of one forward pass, and parameters."""

    macs: int
    params: int
    macs_paper: int
    params_paper: int

    def __add__(self, other: EncoderCost) -> EncoderCost:
        return EncoderCost(
            self.macs + other.macs,
            self.params + other.params,
            self.macs_paper + other.macs_paper,
            self.params_paper + other.params_paper,
        )

    def times(self, passes: int) -> EncoderCost:
        """The same parameters run `passes` times, as an image encoder over the frames of a clip."""
        return EncoderCost(
            self.macs * passes, self.params, self.macs_paper * passes, self.params_paper
        )


def module_cost(module: nn.Module, *shape: int) -> EncoderCost:
    """What one pass of a float input of this shape costs. The module is not changed.

    Raises what the module raises for a shape that it cannot read.
    """
    own = _on_meta(module)
    counted: dict[nn.Module, int] = {}
    for layer in _outside_attention(own):
        layer.register_forward_hook(_count_layer(counted))
    with _Operations() as operations, torch.enable_grad():
        own(torch.empty(shape, device="meta"))
    return EncoderCost(
        macs=operations.total // 2,
        params=_parameters(own),
        macs_paper=sum(counted.values()),
        params_paper=sum(_parameters(layer) for layer in counted),
    )


def encoder_cost(encoder: Any, resolution: int) -> EncoderCost:
    """What one picture costs an image encoder, up to its embedding z_D.

    The projection behind the module is in CLIP a bare parameter, which thop leaves out.
    """
    weight_DF, bias_D = encoder.projection()
    bias = 0 if bias_D is None else bias_D.numel()
    projection = EncoderCost(weight_DF.numel(), weight_DF.numel() + bias, 0, 0)
    return module_cost(encoder.module, 1, 3, resolution, resolution) + projection


def clip_cost(architecture: str) -> EncoderCost:
    """The image tower of an architecture of open_clip, one picture of its own size; no weights.

    Raises LookupError for a name that open_clip does not know.
    """
    import open_clip
    from open_clip.model import CLIP

    config = open_clip.get_model_config(architecture)
    if config is None:
        raise LookupError(f"open_clip knows no architecture '{architecture}'")
    with torch.device("meta"):
        visual = CLIP(**config).visual
    size = config["vision_cfg"]["image_size"]
    return module_cost(visual, 1, 3, size, size)


def gpu_days(gpu_s: float) -> float:
    """GPU-days as the paper counts them: GPUs times days, here from GPU-seconds."""
    return gpu_s / DAY


def training_operations(macs: float, samples: int, epochs: float, *, trained: bool) -> float:
    """Operations of a training: `macs` of a sample in full, every sample once an epoch.

    Where nothing of it is trained a sample is only read; features that are kept are read once, so
    their epochs are 1.
    """
    return (TRAINED if trained else ONLY_READ) * macs * samples * epochs


def estimated_days(operations: float, device: str) -> float:
    """Days on one of the paper's GPUs, at the speed that its tables come to. An estimate.

    It says what a training would have cost there, wherever it ran. Raises KeyError for a device
    other than V100 and A100.
    """
    return operations / PAPER_OPERATIONS_A_SECOND[device] / DAY


def _on_meta(module: nn.Module) -> nn.Module:
    """A copy of the module without its numbers: deepcopy takes the meta tensors for its tensors."""
    empty: dict[int, Any] = {}
    for parameter in module.parameters():
        # With gradients nn.MultiheadAttention takes no fused path, which no formula knows.
        empty[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"))
    for buffer in module.buffers():
        empty[id(buffer)] = torch.empty_like(buffer, device="meta")
    return deepcopy(module, empty)


def _outside_attention(module: nn.Module) -> list[nn.Module]:
    """Convolutions and linear layers, without those of attention."""
    if type(module).__name__.endswith(("Attention", "AttentionPool2d")):
        return []
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return [module]
    return [layer for child in module.children() for layer in _outside_attention(child)]


def _count_layer(counted: dict[nn.Module, int]) -> Callable[..., None]:
    """A hook: every output element is a sum over the weights of its channel."""

    def hook(layer: Any, _inputs: Any, output: torch.Tensor) -> None:
        per_output = layer.weight.numel() // layer.weight.shape[0]
        counted[layer] = counted.get(layer, 0) + per_output * output.numel()

    return hook


def _parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


class _Operations(TorchDispatchMode):
    """Adds up the formulas of torch. FlopCounterMode would do, but it hooks every module of the
    process while it counts, those of other threads too.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        given = kwargs or {}
        if func not in flop_registry:
            with self:
                parts = func.decompose(*args, **given)
                if parts is not NotImplemented:
                    return parts
        out = func(*args, **given)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **given, out_val=out)
        return out
