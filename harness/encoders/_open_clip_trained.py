"""How the weights of a file were trained: activation (GELU or QuickGELU) and preprocessing.

A state_dict holds neither, and both change every embedding a little. They are taken from the first
of these that tells them:

1. the task: `like: TAG` or `like: ARCH/TAG`, and `quick_gelu` for the activation alone;
2. the config that ARCH names, where it is a file of one's own, or ARCH-quickgelu;
3. the file itself: metadata of a safetensors file, or entries beside the state_dict;
4. open_clip_config.json in its folder, where it describes this architecture;
5. the published weights that the file is, by its sha256;
6. the weights that open_clip knows of ARCH, where all of them agree.

What none of them tells is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import EncoderError
from harness.encoders._open_clip_fit import traits_of_config
from harness.encoders._open_clip_library import (
    PREPROCESS,
    config_of,
    digest_in,
    preprocess_of,
    tag_of,
    tags_of,
)
from harness.encoders._weights import CheckpointHeader, read_json

QUICK = "-quickgelu"
CONFIG = "open_clip_config.json"
_RESIZE = ("shortest", "longest", "squash")
_INTERPOLATION = ("bicubic", "bilinear")
_NAMES = {True: "QuickGELU", False: "GELU"}


@dataclass(frozen=True)
class Stated:
    """What a task says of a file."""

    like: str | None = None
    quick_gelu: bool | None = None


@dataclass(frozen=True)
class Trained:
    """How weights were trained; None where a source does not tell it. `preprocess` has what is
    declared, `where` is the source as the beginning of a sentence.
    """

    quick_gelu: bool | None
    preprocess: Mapping[str, Any] | None
    where: str = ""


@dataclass(frozen=True)
class Settled:
    """How weights were trained. `preprocess` has what the transform needs to be told."""

    quick_gelu: bool
    preprocess: Mapping[str, Any]


def how_trained(
    arch: str, config: Mapping[str, Any], saved: CheckpointHeader, stated: Stated
) -> Settled:
    """Raises EncoderError for sources that contradict each other or cannot be read, and for what
    must be asked for.
    """
    named = _named(arch, stated)
    told = [*_told(arch, config, saved)]
    quick = _activation(arch, [*named, *told], saved.path, stated)
    guess = _of_all(arch, config, quick)
    preprocess = next(
        (s.preprocess for s in (*named, *told, guess) if s.preprocess is not None), None
    )
    quick = guess.quick_gelu if quick is None else quick
    if quick is None or preprocess is None:
        raise _question(arch, saved.path, quick, preprocess)
    # Of a config of one's own every entry is kept, whatever it says.
    kept = preprocess if arch.endswith(".json") else preprocess_of(preprocess)
    return Settled(quick, {key: kept[key] for key in PREPROCESS if key in kept})


def _activation(arch: str, sources: list[Trained], file: Path, stated: Stated) -> bool | None:
    """Whether it is QuickGELU; None if no source tells it."""
    if stated.quick_gelu is False and arch.endswith(QUICK):
        raise EncoderError(f"quick_gelu: false contradicts the architecture {arch}: leave one out")
    if stated.quick_gelu is not None:
        return stated.quick_gelu
    said = [source for source in sources if source.quick_gelu is not None]
    if other := next((s for s in said if s.quick_gelu != said[0].quick_gelu), None):
        raise EncoderError(
            f"{file}: {said[0].where} says {_NAMES[bool(said[0].quick_gelu)]} and "
            f"{other.where} says {_NAMES[bool(other.quick_gelu)]}: give the encoder "
            "quick_gelu: true or false"
        )
    return said[0].quick_gelu if said else None


# --- the sources ----------------------------------------------------------------------------------


def _named(arch: str, stated: Stated) -> list[Trained]:
    """What a task names: `like`, and an architecture with its activation in its name."""
    sources = []
    if stated.like is not None:
        sources.append(_of_tag(*_like(arch, stated.like), f"like: {stated.like}"))
    if arch.endswith(QUICK):
        sources.append(Trained(True, None, f"the name {arch}"))
    return sources


def _told(arch: str, config: Mapping[str, Any], saved: CheckpointHeader) -> Iterator[Trained]:
    """What the config and the file say, the surest first."""
    if arch.endswith(".json"):
        yield _of_config(read_json(Path(arch)), arch)
    yield _of_says(saved.says, f"{saved.path.name} itself", complete=False)
    yield from _beside(config, saved.path, arch)
    tags = {name: tag for a in {arch, arch.removesuffix(QUICK)} for name, tag in tags_of(a).items()}
    for name, tag in tags.items():
        published = digest_in(tag)
        if published is not None and saved.hash.startswith(published):
            yield _of_tag(arch, tag, f"its sha256, that of {name},")


def _of_all(arch: str, config: Mapping[str, Any], quick: bool | None) -> Trained:
    """What all weights of an architecture have in common: of those with the activation, where it
    is known. A config of one's own means what open_clip makes of it: GELU, CLIP's preprocessing.
    """
    if arch.endswith(".json"):
        return Trained(False, {})
    known = [_of_tag(arch, tag, "") for tag in tags_of(arch).values()]
    known = [source for source in known if quick is None or source.quick_gelu == quick] or known
    activations = {source.quick_gelu for source in known}
    if config["vision_cfg"].get("timm_model_name") and config["text_cfg"].get("hf_model_name"):
        activations = {False}  # neither tower is one of open_clip's own, which alone have it
    preprocess = [preprocess_of(source.preprocess or {}) for source in known]
    same = preprocess and all(each == preprocess[0] for each in preprocess)
    return Trained(
        activations.pop() if len(activations) == 1 else None, preprocess[0] if same else None
    )


def _of_config(data: Mapping[str, Any], where: str) -> Trained:
    """A config of one's own: what is not in it is not told."""
    model = data.get("model_cfg", data)
    quick = model.get("quick_gelu")
    declared = data.get("preprocess_cfg")
    return Trained(quick, _checked(declared, where) if declared else None, where)


def _of_says(says: Mapping[str, Any], where: str, *, complete: bool) -> Trained:
    """`complete`: a config as open_clip writes it, where what is missing has its default."""
    quick = says.get("quick_gelu")
    if quick is None and "model_cfg" in says:
        quick = bool(says["model_cfg"].get("quick_gelu"))
    declared = says.get("preprocess_cfg", {} if complete else None)
    return Trained(quick, None if declared is None else _checked(declared, where), where)


def _beside(config: Mapping[str, Any], file: Path, arch: str) -> Iterator[Trained]:
    """open_clip_config.json in the file's folder, if it is not the config itself and describes
    the same architecture: a folder may hold files of several.
    """
    path = file.parent / CONFIG
    if not path.is_file() or path.resolve() == Path(arch).resolve():
        return
    says = read_json(path)
    model = says.get("model_cfg")
    parts = {"embed_dim", "vision_cfg", "text_cfg"}
    if isinstance(model, dict) and parts <= model.keys() and _same(model, config):
        yield _of_says(says, str(path), complete=True)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    trunk = "timm_model_name"
    return traits_of_config(one) == traits_of_config(other) and (
        one["vision_cfg"].get(trunk) == other["vision_cfg"].get(trunk)
    )


def _of_tag(arch: str, tag: Mapping[str, Any], where: str) -> Trained:
    quick = bool(tag.get("quick_gelu") or config_of(arch).get("quick_gelu"))
    return Trained(quick, {key: tag[key] for key in PREPROCESS if key in tag}, where)


def _like(arch: str, like: str) -> tuple[str, dict[str, Any]]:
    """(architecture, tag) that `TAG` or `ARCH/TAG` names.

    Raises EncoderError for one that open_clip does not know.
    """
    other, slash, tag = like.rpartition("/")
    if not slash and arch.endswith(".json"):
        raise EncoderError(f"like: {like}: {arch} is no architecture of open_clip: write ARCH/TAG")
    named = other.replace("/", "-") if slash else arch
    return named, tag_of(named, tag)


# --- what is refused, and what is asked -----------------------------------------------------------


def _checked(declared: Any, where: str) -> dict[str, Any]:
    """A preprocess_cfg that can be applied.

    Raises EncoderError for one that is none.
    """
    if not isinstance(declared, Mapping):
        raise EncoderError(f"{where}: preprocess_cfg is no mapping")
    for key, value in declared.items():
        if value is None or key in ("size", "mode"):
            continue
        if key not in PREPROCESS:
            raise EncoderError(
                f"{where}: preprocess_cfg: there is no {key}; allowed: size, mode, "
                + ", ".join(PREPROCESS)
            )
        if not _is_possible(key, value):
            raise EncoderError(f"{where}: preprocess_cfg: {key}: {value} is not {_WANTED[key]}")
    return {key: value for key, value in declared.items() if value is not None}


_WANTED = {
    "mean": "three numbers from 0 to 1",
    "std": "three numbers above 0, up to 1",
    "interpolation": " or ".join(_INTERPOLATION),
    "resize_mode": " or ".join(_RESIZE),
    "fill_color": "a whole number from 0 to 255",
}


def _is_possible(key: str, value: Any) -> bool:
    if key in ("mean", "std"):
        numbers = isinstance(value, (list, tuple)) and len(value) == 3
        return numbers and all(
            isinstance(x, (int, float)) and (key == "mean" or x > 0) and 0 <= x <= 1 for x in value
        )
    if key == "fill_color":
        return isinstance(value, int) and 0 <= value <= 255
    return value in (_RESIZE if key == "resize_mode" else _INTERPOLATION)


def _question(
    arch: str, file: Path, quick: bool | None, preprocess: Mapping[str, Any] | None
) -> EncoderError:
    tags = sorted(tags_of(arch))
    unknown = [
        word
        for word, missing in (
            ("GELU or QuickGELU", quick is None),
            ("mean, std and resizing", preprocess is None),
        )
        if missing
    ]
    why = f"and the weights that open_clip knows of {arch} differ in it" if tags else (
        f"and open_clip knows no weights of {arch}"
    )  # fmt: skip
    allowed = ", ".join(tags) if tags else "ARCH/TAG, as ViT-B-32/laion2b_s34b_b79k"
    alone = " (or quick_gelu: true or false)" if preprocess is not None else ""
    return EncoderError(
        f"{file} does not say how it was trained ({' and '.join(unknown)}), {why}: write "
        f"encoder: {{name: open_clip:{arch}@{file}, like: TAG}}{alone}; TAG: {allowed}"
    )
