"""Weights that installed packages carry: found without importing the package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.core.errors import EncoderError


def package_folder(module: str, distribution: str, encoder: str) -> Path:
    """The folder of an installed package.

    Raises EncoderError, naming the encoder that reads it and the distribution to install, if it is
    missing.
    """
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(
            f"encoder '{encoder}' reads the package {distribution}: pip install {distribution}"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def load_in_timm_order(file: Path, name: str) -> Any:
    """A model of timm with the tensors of `file` and without its classifier.

    The packages name their tensors otherwise than timm; the order is the same, one to one.

    Raises EncoderError if they do not fit.
    """
    import timm
    import torch

    saved = torch.load(file, weights_only=True, map_location="cpu")
    model = timm.create_model(name, pretrained=False)
    expected = model.state_dict()
    # Equal shapes leave little room for a wrong order; the tests look at predictions.
    if [t.shape for t in saved.values()] != [t.shape for t in expected.values()]:
        raise EncoderError(f"{file.name} does not fit timm's {name}")
    model.load_state_dict(dict(zip(expected, saved.values(), strict=True)))
    model.reset_classifier(0)
    return model.eval()
