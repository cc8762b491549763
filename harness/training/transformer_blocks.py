"""Where the towers of open_clip, timm and transformers have their attention and their MLPs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from harness.encoders._adapters import TIMM_MLP
from harness.training.split_attention import Split, is_fused, split

#: Layers of a block that an adapter can be put beside.
TARGETS = ("q", "k", "v", "o", "mlp")


@dataclass(frozen=True)
class Layout:
    """Layers of a kind of block, by their names in it.

    q, k and v are three layers, or one module that holds them in one matrix. Of the names of the
    MLP's layers those count that the block has.
    """

    qkv: tuple[str, ...]
    o: str
    mlp: tuple[str, ...]


def _three(before: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{before}.{name}" for name in names)


BERT_MLP = ("intermediate.dense", "output.dense")
LAYOUTS = (
    Layout(("attn",), "attn.out_proj", ("mlp.c_fc", "mlp.c_proj")),  # open_clip
    Layout(("attn.qkv",), "attn.proj", TIMM_MLP),  # timm: ViT, DeiT, BEiT, EVA, SigLIP, DINO
    Layout(_three("attn", "q_proj", "k_proj", "v_proj"), "attn.proj", TIMM_MLP),  # timm: EVA-02
    Layout(
        _three("self_attn", "q_proj", "k_proj", "v_proj"), "self_attn.out_proj",
        ("mlp.fc1", "mlp.fc2"),
    ),  # CLIP and SigLIP of transformers
    Layout(
        _three("self_attn", "q_proj", "k_proj", "v_proj"), "self_attn.o_proj",
        _three("mlp", "gate_proj", "up_proj", "down_proj"),
    ),  # Qwen, Llama, Gemma, Nomic's BERT
    Layout(
        _three("attention.self", "query", "key", "value"), "attention.output.dense", BERT_MLP
    ),  # BERT, MiniLM, RoBERTa, XLM-RoBERTa, Electra
    Layout(
        _three("attention", "q_lin", "k_lin", "v_lin"), "attention.out_lin",
        ("ffn.lin1", "ffn.lin2"),
    ),  # DistilBERT
    Layout(_three("attention.attn", "q", "k", "v"), "attention.attn.o", BERT_MLP),  # MPNet
    Layout(
        _three("layer.0.SelfAttention", "q", "k", "v"), "layer.0.SelfAttention.o",
        _three("layer.1.DenseReluDense", "wi", "wi_0", "wi_1", "wo"),
    ),  # T5's encoder
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A block of a tower: for every target the paths of its linear layers in the tower."""

    layers: Mapping[str, tuple[str, ...]]
    batch_dim: int  # the dimension of the samples in what its layers read


def split_blocks(
    tower: nn.Module, targets: tuple[str, ...]
) -> tuple[list[Block], dict[str, Split]]:
    """The blocks of a tower in their order, after q, k and v have got layers of their own wherever
    one of these targets needs it; and what was put in place, by its path.
    """
    blocks: list[Block] = []
    splits: dict[str, Split] = {}
    for path, module in list(tower.named_modules()):
        for layout in LAYOUTS:
            if _fits(module, layout):
                start = f"{path}." if path else ""
                replaced = _split(module, layout, targets)
                splits |= {start + name: part for name, part in replaced.items()}
                blocks.append(_block(module, layout, start))
                break
    return blocks, splits


def _split(module: nn.Module, layout: Layout, targets: tuple[str, ...]) -> dict[str, Split]:
    """Give q, k and v of this block layers of their own, where they have none."""
    (name, *others) = layout.qkv
    # nn.MultiheadAttention reads the matrix of `o` itself, and calls no layer.
    if others or not {"q", "k", "v", "o"} & set(targets):
        return {}
    above, _, leaf = name.rpartition(".")
    parent = module.get_submodule(above)
    made = split(parent.get_submodule(leaf), parent)
    setattr(parent, leaf, made)
    return {name: made}


def _block(module: Any, layout: Layout, start: str) -> Block:
    """Paths as they are after the splits."""
    (first, *others) = layout.qkv
    q_k_v = layout.qkv if others else _three(first, "q_proj", "k_proj", "v_proj")
    mlp = tuple(start + name for name in _linears(module, layout.mlp))
    layers = {target: (start + name,) for target, name in zip("qkv", q_k_v, strict=True)}
    batch_first = getattr(getattr(module, "attn", None), "batch_first", True)
    return Block(layers | {"o": (start + layout.o,), "mlp": mlp}, 0 if batch_first else 1)


def _fits(module: nn.Module, layout: Layout) -> bool:
    """Whether it is a block of this layout: one with an MLP, which pooling by attention lacks."""
    if not _linears(module, layout.mlp) or not _linears(module, (layout.o,)):
        return False
    if len(layout.qkv) > 1:
        return len(list(_linears(module, layout.qkv))) == len(layout.qkv)
    name = layout.qkv[0]
    fused, parent = _inside(module, name), _inside(module, name.rpartition(".")[0])
    return fused is not None and is_fused(fused, parent)


def _linears(module: nn.Module, names: tuple[str, ...]) -> list[str]:
    """Those of the names under which it has a linear layer."""
    return [name for name in names if isinstance(_inside(module, name), nn.Linear)]


def _inside(module: nn.Module, name: str) -> nn.Module | None:
    try:
        return module.get_submodule(name)
    except AttributeError:
        return None
