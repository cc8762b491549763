"""What timm declares of its published weights: how pictures are prepared, and the activation."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from harness.core.cache import cached_json
from harness.core.errors import EncoderError

#: What a transform depends on.
_PREPARED_BY = ("mean", "std", "interpolation", "crop_pct", "crop_mode")
_PLAIN, _QUICK = "_clip_", "_clip_quickgelu_"


def check_activation(name: str) -> None:
    """Raises EncoderError for weights of QuickGELU under the architecture with GELU: timm loads
    them, and says so in a note that nobody reads.
    """
    arch, _, tag = name.partition(".")
    if not tag or not _tags(arch).get(tag, {}).get("quick"):
        return
    other = f"{arch.replace(_PLAIN, _QUICK)}.{tag}"
    raise EncoderError(
        f"the weights '{tag}' of timm's {arch} were trained with QuickGELU, and it computes GELU: "
        f"write timm:{other}"
    )


def check_preparation(name: str, file: str) -> None:
    """For a FILE under a NAME without a tag: how its pictures are prepared must be clear.

    Raises EncoderError if the published weights of the architecture differ in it.
    """
    tags = _tags(name)
    if "." in name or len({str(tag["prepared"]) for tag in tags.values()}) <= 1:
        return
    raise EncoderError(
        f"{file} does not say with which mean, std and crop it was trained, and the weights that "
        f"timm knows of {name} differ in it: name those that were trained in the same way, as in "
        f"timm:{name}.{next(iter(tags))}@{file}; known: {', '.join(tags)}"
    )


def _tags(arch: str) -> dict[str, dict[str, Any]]:
    """Tag -> how pictures are prepared, and whether the weights are of QuickGELU."""
    found: dict[str, dict[str, Any]] = cached_json(
        "timm tags", f"{version('timm')} {arch}", lambda: _look_up(arch)
    )
    return found


def _look_up(arch: str) -> dict[str, dict[str, Any]]:
    import timm

    declared: dict[str, Any] = {}
    for name in timm.list_pretrained(f"{arch}.*"):
        config = timm.get_pretrained_cfg(name)
        if config is not None and name.partition(".")[0] == arch:
            declared[name.partition(".")[2]] = _declared(config.to_dict(), arch)
    return declared


def _declared(config: Mapping[str, Any], arch: str) -> dict[str, Any]:
    notes = " ".join(config.get("notes") or ())
    return {
        "prepared": [config.get(key) for key in _PREPARED_BY],
        "quick": "natively QuickGELU" in notes and _PLAIN in arch and _QUICK not in arch,
    }
