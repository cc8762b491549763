"""Where the parts of an open_clip model are: architecture, config, weights, names on the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import EncoderError
from harness.encoders._checkpoint_kinds import one_file
from harness.encoders._hub import hub_file, hub_folder
from harness.encoders._open_clip_fit import check_fit
from harness.encoders._open_clip_library import (
    PREPROCESS,
    architectures,
    config_of,
    tag_of,
)
from harness.encoders._open_clip_trained import Stated, how_trained
from harness.encoders._weights import CheckpointHeader, read_header

#: Files of a hub repository, in the order in which open_clip looks for them.
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class OpenClipSource:
    """An architecture with the file of its weights."""

    arch: str
    config: Mapping[str, Any]
    preprocess: Mapping[str, Any]  # mean, std, interpolation, ... where they are not CLIP's
    saved: CheckpointHeader

    @property
    def file(self) -> Path:
        """The file of the weights."""
        return self.saved.path


def locate(argument: str, stated: Stated) -> OpenClipSource:
    """The architecture and the weights that `ARCH/PRETRAINED` or `ARCH@FILE` names, with the
    activation and the preprocessing that the weights were trained with.

    Raises EncoderError for an architecture or tag that open_clip does not know, weights that are
    not in the hub cache, a file that does not fit, and one of which it is not known how it was
    trained.
    """
    arch, tag, file = parts(argument)
    if file:
        return _of_file(arch, Path(file), stated)
    if stated != Stated():
        raise EncoderError(
            f"open_clip:{argument} names its weights, so it takes neither like nor quick_gelu: "
            "these are for ARCH@FILE"
        )
    config, pretrained = config_of(arch), tag_of(arch, tag)
    quick = f"{arch}-quickgelu"
    # open_clip warns and goes on, with features that are a little wrong.
    if pretrained.get("quick_gelu") and not config.get("quick_gelu") and quick in architectures():
        raise EncoderError(
            f"the weights '{tag}' were trained with QuickGELU: write open_clip:{quick}/{tag}"
        )
    repository, name = repository_of(pretrained)
    weights = hub_file(repository, candidates(name))
    preprocess = {key: pretrained[key] for key in PREPROCESS if key in pretrained}
    return OpenClipSource(arch, config, preprocess, read_header(weights))


def _of_file(arch: str, path: Path, stated: Stated) -> OpenClipSource:
    config = config_of(arch)
    saved = read_header(one_file(path, WEIGHTS))
    check_fit(saved.path, arch, config, saved.shapes, architectures())
    trained = how_trained(arch, config, saved, stated)
    if trained.quick_gelu != bool(config.get("quick_gelu")):
        config = {**config, "quick_gelu": trained.quick_gelu}
    return OpenClipSource(arch, config, trained.preprocess, saved)


def parts(argument: str) -> tuple[str, str, str]:
    """(architecture, tag, file), one of the last two empty.

    Raises EncoderError for an argument that does not say which weights.
    """
    arch, at, file = argument.partition("@")
    if at and arch and file:
        return arch, "", file
    name, _, tag = argument.rpartition("/")
    if at or not name or not tag:
        raise EncoderError(
            f"'open_clip:{argument}' does not say which weights: write open_clip:ARCH/PRETRAINED, "
            "or open_clip:ARCH@FILE for a checkpoint of your own"
        )
    if argument.endswith(".json"):
        raise EncoderError(
            f"open_clip:{argument} is a config: say its weights, as in {argument}@FILE"
        )
    return name.replace("/", "-"), tag, ""


def repository_of(tag: Mapping[str, Any]) -> tuple[str, str]:
    """(hub repository, file or '' for the usual names).

    Raises EncoderError for weights that are somewhere else.
    """
    repository, _, name = str(tag.get("hf_hub") or "").rpartition("/")
    if not repository:
        raise EncoderError("these weights are not on the hub: bring the file, and write ARCH@FILE")
    return repository, name


def candidates(name: str) -> tuple[str, ...]:
    """Files to look for, safetensors first, as open_clip does."""
    return (str(Path(name).with_suffix(".safetensors")), name) if name else WEIGHTS


def with_local_files(text: dict[str, Any]) -> dict[str, Any]:
    """A text config whose hub names are folders of the hub cache, so that nothing is asked of the
    network.
    """
    local = dict(text)
    for key in ("hf_model_name", "hf_tokenizer_name"):
        if local.get(key) and not Path(local[key]).is_dir():
            local[key] = str(hub_folder(local[key]))
    return local


def does_not_fit(source: OpenClipSource, why: str) -> EncoderError:
    """The error for weights of another architecture."""
    return EncoderError(f"{source.file} is no checkpoint of {source.arch}: {why}")
