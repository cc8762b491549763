"""Image encoders of timm: `timm:NAME` or `timm:NAME@FILE`. No text tower: name a text_encoder.

Features are timm's pooled features before its classifier, and the projection is the identity.
Weights come from the local hub cache, or from a checkpoint FILE (state_dict or safetensors); a
classifier in it is left out. Pictures are prepared as the weights declare it (mean, std,
interpolation, crop).
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.cache import cached_json
from harness.core.errors import EncoderError
from harness.core.facts import EncoderFacts
from harness.core.hashing import digest
from harness.core.protocols.plugin import NoOptions
from harness.encoders import _adapters, _hub
from harness.encoders._checkpoint_kinds import one_file, refuse_nan
from harness.encoders._pixels import Pixels
from harness.encoders._timm_tags import check_activation, check_preparation
from harness.encoders._weights import read_header, state_dict

if TYPE_CHECKING:
    import torch
    from PIL import Image

READS = ("pictures",)
TAKES_CONTEXT = False
#: CLIP's scale before training: nobody has trained this tower against a text.
LOGIT_SCALE = 1 / 0.07
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
#: Raised when features of the same weights would come out otherwise.
REVISION = "timm 1"
#: What is known of a model and changes none of its features.
NOT_IN_HASH = ("tower", "crop", "adapters")


def facts(argument: str, options: NoOptions) -> EncoderFacts:
    """Widths as timm knows them, cached by timm's version; a hash of the weights.

    Raises EncoderError for a model or file that does not exist, or a file that cannot be read.
    """
    name, known, file = _source(argument)
    saved = read_header(file)
    widths = {key: value for key, value in known.items() if key not in NOT_IN_HASH}
    content = digest([REVISION, name, widths, saved.hash], 64)
    return EncoderFacts(
        weights=content,
        backbone=content,
        dim=known["features"],
        feature_dim=known["features"],
        resolution=known["resolution"],
        logit_scale=LOGIT_SCALE,
        fixed_resolution=known["fixed"],
        tower=known["tower"],
        crop_share=known["crop"],
        image_adapters=known["adapters"],
    )


def build_image(argument: str, options: NoOptions) -> TimmImage:
    """Raises EncoderError for a model or file that does not exist, or weights that do not fit."""
    name, _, file = _source(argument)
    return TimmImage(_load(name, file))


def fetch(argument: str, options: NoOptions) -> bool:
    """Bring the weights of NAME into the hub cache; False for a FILE, which is there already."""
    name, _, file = argument.partition("@")
    if file:
        return False
    _hub.download(_repository(name, _known(name)), WEIGHTS)
    return True


class TimmImage:
    """`module` computes the pooled features."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self._transforms: dict[tuple[int, bool], Pixels] = {}

    def resize(self, resolution: int) -> None:
        """Make a transformer ready for pictures of another size; other models take any."""
        if resolution != self.module.pretrained_cfg["input_size"][-1] and hasattr(
            self.module, "set_input_size"
        ):
            self.module.set_input_size(img_size=resolution)

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as (3, R, R): timm's evaluation transform of these weights, at R."""
        return self._transform(resolution).whole(image)

    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        """A picture of R x R pixels as (3, R, R); timm would enlarge it and cut its margin off."""
        return self._transform(image.width, whole=True).whole(image)

    def pixels(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """`preprocess` up to its normalisation: (3, R, R), uint8."""
        return self._transform(resolution).pixels(image)

    def pixels_as_cut(self, image: Image.Image) -> torch.Tensor:
        """`as_tensor` up to its normalisation."""
        return self._transform(image.width, whole=True).pixels(image)

    def normalise(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """The normalisation of these weights."""
        return self._transform(x_BCHW.shape[-1]).normalise(x_BCHW)

    def _transform(self, resolution: int, *, whole: bool = False) -> Pixels:
        if (resolution, whole) not in self._transforms:
            from timm.data import create_transform, resolve_data_config

            declared = resolve_data_config({}, model=self.module, use_test_size=False)
            declared["input_size"] = (3, resolution, resolution)
            declared |= {"crop_pct": 1.0} if whole else {}
            made = create_transform(**declared, is_training=False)
            self._transforms[resolution, whole] = Pixels(made)
        return self._transforms[resolution, whole]

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """h_BF, pooled."""
        h_BF: torch.Tensor = self.module(x_BCHW)
        return h_BF

    def projection(self) -> tuple[torch.Tensor, None]:
        """The identity (F, F)."""
        import torch

        return torch.eye(_width(self.module)), None


def _source(argument: str) -> tuple[str, dict[str, Any], Path]:
    """(name, what timm knows of it, file of the weights).

    Raises EncoderError for a name that says nothing, or weights that are not here.
    """
    name, at, file = argument.partition("@")
    if not name or (at and not file):
        raise EncoderError(f"'timm:{argument}' names no model: write timm:NAME or timm:NAME@FILE")
    known = _known(name)
    check_activation(name)
    if file:
        path = one_file(Path(file), WEIGHTS)
        if not path.is_file():
            raise EncoderError(f"there is no file {path}")
        check_preparation(name, file)
        return name, known, path
    return name, known, _hub.hub_file(_repository(name, known), WEIGHTS)


def _known(name: str) -> dict[str, Any]:
    key = f"{version('timm')} {name} with its tower, crop and adapters"
    known: dict[str, Any] = cached_json("timm", key, lambda: _look_up(name))
    return known


def _look_up(name: str) -> dict[str, Any]:
    """What timm says of a model, without its weights.

    Raises EncoderError for a name that timm does not know.
    """
    from timm.data import DEFAULT_CROP_PCT

    model = _adapters.skeleton(name)
    declared = model.pretrained_cfg
    return {
        "features": _width(model),
        "resolution": int(declared["input_size"][-1]),
        "fixed": bool(declared.get("fixed_input_size")) and not hasattr(model, "set_input_size"),
        "hub": declared.get("hf_hub_id"),
        "tower": _tower(model),
        "adapters": _adapters.of_timm_model(model),
        "crop": float(declared.get("crop_pct") or DEFAULT_CROP_PCT),
    }


def _tower(model: Any) -> str:
    """What modules over time can be put into: vit | resnet | other."""
    from timm.models.efficientnet import EfficientNet
    from timm.models.resnet import ResNet
    from timm.models.vision_transformer import VisionTransformer

    if isinstance(model, VisionTransformer) and model.cls_token is not None:
        return "vit"
    return "resnet" if isinstance(model, (ResNet, EfficientNet)) else "other"


def _width(model: Any) -> int:
    """Width of the pooled features; a head with hidden layers has another than the trunk."""
    return int(getattr(model, "head_hidden_size", None) or model.num_features)


def _repository(name: str, known: dict[str, Any]) -> str:
    if not known["hub"]:
        raise EncoderError(f"timm has no weights for '{name}': write timm:{name}@FILE")
    return str(known["hub"])


def _load(name: str, file: Path) -> Any:
    """The model with its weights and without its classifier.

    Raises EncoderError if they do not fit. The classifier is built in the size that the file has
    and taken off afterwards: built without one, timm would load what fits and leave the rest as it
    was drawn, with no more than a line in its log.
    """
    import timm

    tensors = state_dict(file)  # damage is one sentence here, before timm reads the file
    refuse_nan(file, tensors.items())
    declared = timm.get_pretrained_cfg(name)
    last = declared.classifier if declared else None
    weight = tensors.get(f"{last if isinstance(last, str) else (last or ('',))[0]}.weight")
    size_in_file = 0 if weight is None else len(weight)
    # timm renames the tensors of a file in its authors' form while it reads it. Such a file has no
    # classifier under timm's name: then the size that timm declares is the one to try.
    sizes = dict.fromkeys((size_in_file, declared.num_classes if declared else size_in_file))
    problem: Exception | None = None
    for size in sizes:
        try:
            model = timm.create_model(
                name,
                pretrained=True,
                num_classes=size,
                pretrained_cfg_overlay={"file": str(file), "num_classes": size},
            )
        except (RuntimeError, KeyError, ValueError, AttributeError) as error:
            problem = problem or error
            continue
        model.reset_classifier(0)
        return model.eval()
    words = " ".join(str(problem).split())
    raise EncoderError(f"{file} is no checkpoint of timm's {name}: {words[:200]}") from problem
