"""The pool of image and text encoders with their weights, each loaded once per process.

The key has the content hash of the weights, so a file that was replaced is loaded again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from harness.core.cells import Choice
from harness.core.conform import conform
from harness.core.hashes import file_hash
from harness.core.hashing import digest
from harness.core.protocols.encoder import EncoderPlugin, ImageEncoder, TextEncoder, TunableText
from harness.plan.catalogue import Chosen
from harness.plan.resolve import Setup
from harness.training import cost
from harness.training.cost import EncoderCost
from harness.training.model import Projection
from harness.training.weights import Weights, load_weights, put_into

#: Most encoders that a process keeps; the cells of a batch share one or two.
MOST_KEPT = 8


@dataclass(frozen=True)
class EncoderKey:
    """An image encoder at one resolution, with the saved weights that it starts from."""

    choice: Choice
    weights: str  # content hash
    resolution: int
    init: Path | None
    init_hash: str | None
    encoder: Chosen[EncoderPlugin] = field(compare=False)


def encoder_key(setup: Setup) -> EncoderKey:
    """The image encoder of a cell."""
    init_hash = file_hash(setup.init) if setup.init else None
    return EncoderKey(
        setup.encoder.choice,
        setup.facts.weights,
        setup.resolution,
        setup.init,
        init_hash,
        setup.encoder,
    )


class LoadedEncoder:
    """An image encoder, loaded at first use, on the CPU: what runs it on a GPU takes it there for
    that time. It must not be changed: copy it to tune it.
    """

    def __init__(self, key: EncoderKey) -> None:
        self._key = key

    @cached_property
    def image(self) -> ImageEncoder:
        """The encoder, with the backbone of the saved weights if they have one."""
        key, encoder = self._key, self._key.encoder
        built = encoder.plugin.build_image(encoder.argument, encoder.options)
        image = conform(ImageEncoder, built, f"the encoder '{encoder.choice}'")
        image.resize(key.resolution)
        if self.weights is not None and self.weights.module is not None and key.init is not None:
            put_into(image.module, self.weights.module, key.init, "encoder")
        return image

    @cached_property
    def projection(self) -> Projection:
        """The projection of the saved weights, else the pretrained one."""
        if self.weights is not None:
            return self.weights.projection
        return Projection(*self.image.projection())

    @cached_property
    def weights(self) -> Weights | None:
        """The saved weights that it starts from."""
        key = self._key
        return _saved(key.init, key.init_hash) if key.init is not None else None

    @cached_property
    def cost(self) -> EncoderCost | None:
        """The cost of one image; None if the encoder cannot be counted or has no module."""
        try:
            return cost.encoder_cost(self.image, self._key.resolution)
        except (RuntimeError, NotImplementedError, AttributeError, TypeError, ValueError):
            return None  # an encoder that cannot be counted can still run


@lru_cache(maxsize=2)
def _saved(path: Path, init_hash: str | None) -> Weights:
    """The weights in a file of this content, read once."""
    return load_weights(path)


@lru_cache(maxsize=MOST_KEPT)
def load_encoder(key: EncoderKey) -> LoadedEncoder:
    """The encoder of a key, loaded once."""
    return LoadedEncoder(key)


@dataclass(frozen=True)
class TextEncoderKey:
    """A text encoder by the content of its weights."""

    choice: Choice
    weights: str
    encoder: Chosen[EncoderPlugin] = field(compare=False)
    init: Path | None = None  # its saved weights, if it was trained
    init_hash: str | None = None


def text_encoder_key(setup: Setup, *, trained: bool) -> TextEncoderKey:
    """The text encoder of a cell; with `trained` as the file of `init` holds it."""
    chosen = setup.text_encoder
    if not trained or setup.init is None:
        return TextEncoderKey(chosen.choice, setup.text_weights, chosen)
    init_hash = file_hash(setup.init)
    weights = digest([setup.text_weights, init_hash], 64)
    return TextEncoderKey(chosen.choice, weights, chosen, setup.init, init_hash)


@lru_cache(maxsize=MOST_KEPT)
def load_text_encoder(key: TextEncoderKey) -> TextEncoder:
    """The text encoder of a key, loaded once. It must not be changed: copy it to train it."""
    encoder = key.encoder
    built: Any = encoder.plugin.build_text(encoder.argument, encoder.options)
    protocol = TunableText if encoder.plugin.TAKES_CONTEXT else TextEncoder
    text = conform(protocol, built, f"the text encoder '{encoder.choice}'")
    if key.init is not None:
        tower = conform(TunableText, built, f"the text encoder '{encoder.choice}'")
        put_into(tower.module, _saved(key.init, key.init_hash).text, key.init, "text tower")
    return text
