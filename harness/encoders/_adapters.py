"""Which towers have attention that adapters (`tuning: lora`) fit, known while planning."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from harness.core.cache import cached_json
from harness.core.errors import EncoderError, did_you_mean, nearest

#: Classes of timm whose `qkv` gives q, k and v, in this order, of samples in the first dimension.
TIMM_FUSED = (
    ("timm.layers.attention", "Attention"),
    ("timm.layers.attention", "AttentionRope"),
    ("timm.layers.diff_attention", "DiffAttention"),
    ("timm.models.eva", "EvaAttention"),
    ("timm.models.beit", "Attention"),
)
#: Names of the layers of an MLP in timm: a block has one, and pooling by attention has none.
TIMM_MLP = ("mlp.fc1", "mlp.fc1_g", "mlp.fc1_x", "mlp.fc2")
#: Types of text models of transformers whose attention has another form than that of BERT, T5,
#: MPNet, DistilBERT or Llama: one matrix of another layout, or other names.
OTHER_TEXT_MODELS = (
    "albert", "bart", "bloom", "deberta", "deberta-v2", "flaubert", "fnet", "gpt2", "gpt_neo",
    "gpt_neox", "gptj", "m2m_100", "marian", "mbart", "modernbert", "openai-gpt", "opt", "pegasus",
    "phi", "squeezebert", "xlm", "xlnet",
)  # fmt: skip


def of_text_model(config: Mapping[str, Any]) -> bool | None:
    """By the config.json of a text model; None: known once it is built."""
    return False if config.get("model_type") in OTHER_TEXT_MODELS else None


def of_timm_name(name: str) -> bool:
    """By the name of a model of timm.

    Raises EncoderError for a name that timm does not know.
    """
    key = f"{version('timm')} {name} adapters"
    return bool(cached_json("timm", key, lambda: of_timm_model(skeleton(name))))


def skeleton(name: str) -> Any:
    """A model of timm without its classifier and without values.

    Raises EncoderError for a name that timm does not know.
    """
    import timm
    import torch

    if not timm.is_model(name):
        close = nearest(name.partition(".")[0], timm.list_models())
        raise EncoderError(f"timm knows no model '{name}'" + did_you_mean(close))
    try:
        with torch.device("meta"):  # shapes only: no memory, and nothing is drawn
            return timm.create_model(name, pretrained=False, num_classes=0)
    except (RuntimeError, ValueError) as error:
        raise EncoderError(f"timm cannot build '{name}': {error}") from error


def of_timm_model(model: Any) -> bool:
    """Whether a model of timm has such blocks."""
    return any(_is_block(module) for module in model.modules())


def _is_block(module: Any) -> bool:
    attention = getattr(module, "attn", None)
    has_mlp = any(_is_linear(module, name) for name in TIMM_MLP)
    if attention is None or not has_mlp or not _is_linear(attention, "proj"):
        return False
    if all(_is_linear(attention, f"{name}_proj") for name in "qkv"):
        return True
    kind = type(attention).__module__, type(attention).__name__
    return kind in TIMM_FUSED and _is_linear(attention, "qkv")


def _is_linear(module: Any, name: str) -> bool:
    from torch import nn

    for part in name.split("."):
        module = getattr(module, part, None)
    return isinstance(module, nn.Linear)
