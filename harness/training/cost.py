"""The cost of an encoder: multiply-adds and parameters, in full and as the paper counts them.

The paper's Tables 7 and 12 print what the profiler thop counts for CLIP: convolutions and linear
layers. It omits attention with its linear layers (thop does not support nn.MultiheadAttention),
CLIP's own layer norm, and all other parameters. So ViT-B/16 has 11.3 G and 57.3 M there, and 17.6 G
and 86.2 M in full. The tables' FLOPs are multiply-adds, two operations each, for one view.

Full counts use the formulas of torch.utils.flop_counter. Everything runs on the meta device: shapes
only, without memory and arithmetic.
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

from harness.core.multiply_adds import ONLY_READ, TRAINED

#: Operations per second that follow from the paper's GPU-days, to convert the cost of other
#: machines into them. V100: Table 6, 3.3 days for 30 epochs of 240,000 clips of 8 frames with
#: ViT-B/16. A100: Table 12, 0.5 days for 10 epochs of 1,281,167 pictures with ViT-B/16.
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
    """The cost of one pass of a float input of this shape. The module is not changed.

    Raises what the module raises for a wrong shape.
    """
    on_meta = _on_meta(module)
    counted: dict[nn.Module, int] = {}
    for layer in _outside_attention(on_meta):
        layer.register_forward_hook(_count_layer(counted))
    with _Operations() as operations, torch.enable_grad():
        on_meta(torch.empty(shape, device="meta"))
    return EncoderCost(
        macs=operations.total // 2,
        params=_parameters(on_meta),
        macs_paper=sum(counted.values()),
        params_paper=sum(_parameters(layer) for layer in counted),
    )


def encoder_cost(encoder: Any, resolution: int) -> EncoderCost:
    """The cost of one image, up to its embedding z_D.

    The projection after the module is a bare parameter in CLIP, which thop does not count.
    """
    weight_DF, bias_D = encoder.projection()
    bias = 0 if bias_D is None else bias_D.numel()
    projection = EncoderCost(weight_DF.numel(), weight_DF.numel() + bias, 0, 0)
    return module_cost(encoder.module, 1, 3, resolution, resolution) + projection


def clip_cost(architecture: str) -> EncoderCost:
    """The image tower of an open_clip architecture for one image of its input size; no weights.

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


def training_operations(macs: float, samples: int, epochs: float, *, trained: bool) -> float:
    """Operations of a training: `macs` per sample in full, every sample once per epoch.

    If the encoder is not trained, there is only a forward pass. Cached features are computed once,
    so their `epochs` are 1.
    """
    return (TRAINED if trained else ONLY_READ) * macs * samples * epochs


def estimated_days(operations: float, device: str) -> float:
    """Estimated days on one of the paper's GPUs, at the speed that follows from its tables.

    It does not depend on where the training ran. Raises KeyError for a device
    other than V100 and A100.
    """
    return operations / PAPER_OPERATIONS_A_SECOND[device] / DAY


def _on_meta(module: nn.Module) -> nn.Module:
    """A copy of the module on the meta device: deepcopy replaces its tensors by meta tensors."""
    empty: dict[int, Any] = {}
    for parameter in module.parameters():
        # With gradients nn.MultiheadAttention does not use its fused path, which has no formula.
        empty[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"))
    for buffer in module.buffers():
        empty[id(buffer)] = torch.empty_like(buffer, device="meta")
    return deepcopy(module, empty)


def _outside_attention(module: nn.Module) -> list[nn.Module]:
    """Convolutions and linear layers outside attention."""
    if type(module).__name__.endswith(("Attention", "AttentionPool2d")):
        return []
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return [module]
    return [layer for child in module.children() for layer in _outside_attention(child)]


def _count_layer(counted: dict[nn.Module, int]) -> Callable[..., None]:
    """A hook that counts: every output element is a sum over the weights of its channel."""

    def hook(layer: Any, _inputs: Any, output: torch.Tensor) -> None:
        per_output = layer.weight.numel() // layer.weight.shape[0]
        counted[layer] = counted.get(layer, 0) + per_output * output.numel()

    return hook


def _parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


class _Operations(TorchDispatchMode):
    """Adds up the formulas of torch. FlopCounterMode would do the same, but it hooks every module
    of the process while it counts, also those of other threads.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        keywords = kwargs or {}
        if func not in flop_registry:
            with self:
                parts = func.decompose(*args, **keywords)
                if parts is not NotImplemented:
                    return parts
        out = func(*args, **keywords)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **keywords, out_val=out)
        return out
