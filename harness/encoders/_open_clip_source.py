"""Where the parts of an open_clip model are: architecture, config, weights, names on the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.encoders._hub import hub_file, hub_folder
from harness.encoders._weights import cached_json, read_json

#: Files of a hub repository, in the order in which open_clip looks for them.
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
#: What weights may declare of the preprocessing that they were trained with.
_PREPROCESS = ("mean", "std", "interpolation", "resize_mode", "fill_color")


@dataclass(frozen=True)
class OpenClipSource:
    """An architecture with the file of its weights."""

    arch: str
    config: Mapping[str, Any]
    preprocess: Mapping[str, Any]  # mean, std, interpolation, ... where the weights declare them
    file: Path


def locate(argument: str) -> OpenClipSource:
    """The architecture and the weights that `ARCH/PRETRAINED` or `ARCH@FILE` names.

    Raises EncoderError for an architecture or tag that open_clip does not know, weights that are
    not in the hub cache, or that were trained with another activation.
    """
    arch, tag, file = parts(argument)
    config = config_of(arch)
    if file:
        return OpenClipSource(arch, config, _declared_preprocessing(arch), Path(file))
    pretrained = tag_of(arch, tag)
    quick = f"{arch}-quickgelu"
    # open_clip warns and goes on, with features that are a little wrong.
    if pretrained.get("quick_gelu") and not config.get("quick_gelu") and quick in _architectures():
        raise EncoderError(
            f"the weights '{tag}' were trained with QuickGELU: write open_clip:{quick}/{tag}"
        )
    repository, name = repository_of(pretrained)
    weights = hub_file(repository, candidates(name))
    preprocess = {key: pretrained[key] for key in _PREPROCESS if key in pretrained}
    return OpenClipSource(arch, config, preprocess, weights)


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


def config_of(arch: str) -> dict[str, Any]:
    """The model config of an architecture, from open_clip's folder or a file of one's own.

    Raises EncoderError for a name that open_clip does not know, or a file that is no model config.
    """
    if arch.endswith(".json"):
        data = read_json(Path(arch))
        config = data.get("model_cfg", data)  # in the form in which open_clip saves it, or bare
        lacking = [k for k in ("embed_dim", "vision_cfg", "text_cfg") if k not in config]
        if lacking:
            raise EncoderError(f"{arch} is no model config of open_clip: it has no {lacking[0]}")
        return dict(config)
    known = _architectures()
    if arch not in known:
        raise EncoderError(
            f"open_clip knows no architecture '{arch}'" + did_you_mean(_nearest(arch, known))
        )
    return read_json(known[arch])


def _declared_preprocessing(arch: str) -> dict[str, Any]:
    """What the preprocess_cfg of an own config says, as open_clip writes it beside its weights."""
    declared = read_json(Path(arch)).get("preprocess_cfg") if arch[-5:] == ".json" else {}
    return {key: value for key, value in (declared or {}).items() if key in _PREPROCESS}


@cache
def _architectures() -> dict[str, Path]:
    """Names of open_clip's model configs -> their files; the package is not imported."""
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError("encoder 'open_clip' needs the package: pip install open_clip_torch")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model_configs"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


def tag_of(arch: str, tag: str) -> dict[str, Any]:
    """What open_clip knows of a pretrained tag.

    Raises EncoderError for a tag that the architecture does not have.
    """
    known = cached_json("open_clip", version("open_clip_torch"), _tags).get(arch, {})
    clean = tag.lower().replace("-", "_")
    if clean not in known:
        listed = f"; allowed: {', '.join(sorted(known))}" if known else ""
        raise EncoderError(
            f"open_clip knows no weights '{tag}' of {arch}{listed}"
            + did_you_mean(nearest(clean, known))
        )
    return dict(known[clean])


def _tags() -> dict[str, dict[str, Any]]:
    from open_clip import pretrained

    return {
        arch: {tag: pretrained.get_pretrained_cfg(arch, tag)
               for tag in pretrained.list_pretrained_tags_by_model(arch)}
        for arch in {arch for arch, _ in pretrained.list_pretrained()}
    }  # fmt: skip


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


def _nearest(arch: str, known: Mapping[str, Path]) -> str | None:
    lower = {name.lower(): name for name in known}  # names mix upper and lower case
    return lower.get(nearest(arch, lower) or "")


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
