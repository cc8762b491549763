"""What the open_clip package knows without being imported: architectures, and weights by tag."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.core.cache import cached_json
from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.encoders._weights import read_json

#: What weights may declare of the preprocessing that they were trained with.
PREPROCESS = ("mean", "std", "interpolation", "resize_mode", "fill_color")
#: open_clip's own values where nothing is declared: those of OpenAI's CLIP.
CLIP_PREPROCESS: Mapping[str, Any] = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
    "fill_color": 0,
}
#: Names of the weights that OpenAI published as TorchScript.
OPENAI = "openai"


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
    known = architectures()
    if arch not in known:
        raise EncoderError(
            f"open_clip knows no architecture '{arch}'" + did_you_mean(_nearest(arch, known))
        )
    return read_json(known[arch])


@cache
def architectures() -> dict[str, Path]:
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
    known = tags_of(arch)
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


def tags_of(arch: str) -> dict[str, dict[str, Any]]:
    """All tags of an architecture; none for one that has no published weights."""
    tags: dict[str, dict[str, Any]] = _all_tags().get(arch, {})
    return tags


def _all_tags() -> dict[str, Any]:
    known: dict[str, Any] = cached_json("open_clip", version("open_clip_torch"), _tags)
    return known


def preprocess_of(declared: Mapping[str, Any]) -> dict[str, Any]:
    """The values that differ from CLIP's, of all that is declared."""
    given = {key: declared[key] for key in PREPROCESS if declared.get(key) is not None}
    plain = {key: list(v) if isinstance(v, (list, tuple)) else v for key, v in given.items()}
    return {key: value for key, value in plain.items() if value != CLIP_PREPROCESS[key]}


def digest_in(tag: Mapping[str, Any]) -> str | None:
    """The sha256 of the published file, or the first 8 digits of it, where its address has it."""
    address = str(tag.get("url") or "")
    found = re.search(r"/([0-9a-f]{64})/[^/]+$", address) or re.search(
        r"-([0-9a-f]{8})\.pth?$", address
    )
    return found[1] if found else None


def openai_archives() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(sha256, architecture with its activation, tag) of each TorchScript file of OpenAI."""
    for arch, tags in _all_tags().items():
        tag = tags.get(OPENAI)
        sha256 = digest_in(tag) if tag else None
        if tag and sha256 and len(sha256) == 64 and arch.endswith("-quickgelu"):
            yield sha256, arch, tag


def _nearest(arch: str, known: Mapping[str, Path]) -> str | None:
    lower = {name.lower(): name for name in known}  # names mix upper and lower case
    return lower.get(nearest(arch, lower) or "")
