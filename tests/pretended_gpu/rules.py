"""Which functions take tensors of two devices, which draw, and which make the host wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from pretended_gpu.tags import tensors_in


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Functions that make tensors, on the CPU unless they are told otherwise.
FACTORIES = _names(
    "tensor zeros ones empty full arange eye rand randn randint randperm as_tensor "
    "linspace logspace tril_indices triu_indices from_numpy scalar_tensor empty_strided "
    "empty_permuted frombuffer asarray normal"
)
#: Those that make them where their first argument is.
LIKE = _names(
    "zeros_like ones_like empty_like full_like rand_like randn_like randint_like "
    "new_zeros new_ones new_empty new_full new_tensor"
)
DRAWS = _names(
    "rand randn randint randperm normal rand_like randn_like randint_like normal_ "
    "uniform_ random_ bernoulli bernoulli_ exponential_ multinomial kaiming_uniform_ "
    "kaiming_normal_ trunc_normal_ xavier_uniform_ xavier_normal_ poisson"
)
#: The host waits until the device has computed what these return.
WAITS = _names(
    "item tolist __bool__ __int__ __float__ __index__ __contains__ __format__ __repr__ "
    "nonzero argwhere unique unique_consecutive masked_select equal allclose is_nonzero "
    "bincount"
)
#: Functions that never mix: a single number of the CPU is refused too.
_STRICT = _names(
    "cat stack concat vstack hstack linear matmul __matmul__ __rmatmul__ mm bmm mv dot "
    "addmm baddbmm einsum embedding layer_norm batch_norm group_norm conv1d conv2d conv3d "
    "gather scatter scatter_ scatter_add_ index_select index_add_ index_copy_ "
    "take_along_dim cross_entropy nll_loss cosine_similarity scaled_dot_product_attention "
    "multi_head_attention_forward"
)
#: Copies, and questions about a pair.
_ANY = _names("copy_ __deepcopy__ _has_compatible_shallow_copy_type is_set_to set_ type_as to")


def may_mix(
    name: str, cpu: Sequence[torch.Tensor], args: Sequence[Any], *, first_is_cuda: bool
) -> bool:
    """Whether a function takes `cpu`, its tensors of the CPU, beside others of the GPU."""
    if name in _ANY:
        return True
    if name == "__getitem__":  # an index may be on the CPU
        return first_is_cuda
    if name in ("__setitem__", "index_put_", "index_put"):
        return _may_put(cpu, args, first_is_cuda=first_is_cuda)
    if name in _STRICT:
        return False
    return all(tensor.dim() == 0 for tensor in cpu)  # a single number takes part anywhere


def _may_put(cpu: Sequence[torch.Tensor], args: Sequence[Any], *, first_is_cuda: bool) -> bool:
    """Into the GPU: indices of the CPU, and a value of the GPU or a number. Into the CPU: a value
    of the GPU is copied, an index of the GPU is refused.
    """
    if not first_is_cuda:
        return all(any(t is mine for mine in cpu) for t in tensors_in(args[1]))
    value = args[2]
    if not isinstance(value, torch.Tensor) or value.dim() == 0:
        return True
    return not any(value is each for each in cpu)


def drops(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a function draws which elements to drop."""
    if name == "dropout":
        bound = dict(zip(("input", "p", "training"), args, strict=False)) | dict(kwargs)
        return bool(bound.get("training", True)) and float(bound.get("p", 0.5)) > 0
    if name == "scaled_dot_product_attention":
        bound = dict(zip(("q", "k", "v", "attn_mask", "dropout_p"), args, strict=False))
        return float((bound | dict(kwargs)).get("dropout_p", 0.0)) > 0
    return False
