"""Encoders of pictures and of texts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from harness.core.facts import EncoderFacts
from harness.core.protocols.plugin import OptionsT_contra, Plugin
from harness.core.text_context import TextContext

if TYPE_CHECKING:
    import torch
    from PIL import Image


class ImageEncoder(Protocol):
    """Pictures to backbone features h_BF, and a linear projection of these to z_BD."""

    @property
    def module(self) -> torch.nn.Module | None:
        """What `features` runs, which `tuning: all` trains; None if nothing can be trained."""
        return None

    @abstractmethod
    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as (3, H, W)."""
        ...

    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        """A picture of R x R pixels as (3, R, R), neither resized nor cropped."""
        return self.preprocess(image, image.width)

    def pixels(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """`preprocess` up to what `normalise` does to many pictures at once: (3, R, R), uint8.

        An encoder that cannot be divided so gives all that `preprocess` gives.
        """
        return self.preprocess(image, resolution)

    def pixels_as_cut(self, image: Image.Image) -> torch.Tensor:
        """`as_tensor` up to what `normalise` does."""
        return self.as_tensor(image)

    def normalise(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """What `features` takes, of pixels, on their device; number for number what `preprocess`
        makes of the picture.
        """
        return x_BCHW

    @abstractmethod
    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """Backbone features h_BF, before the projection."""
        ...

    @abstractmethod
    def projection(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Weight (D, F), and bias (D,) or None."""
        ...

    def resize(self, resolution: int) -> None:
        """Prepare for pictures of another size: towers with position embeddings must."""


class TextEncoder(Protocol):
    """Texts to embeddings."""

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, D) embeddings, not normalised, without a graph; one text at a time."""
        ...

    def cut_short(self, texts: Sequence[str], context: TextContext | None = None) -> Sequence[bool]:
        """Which texts lose words, with a learned context or without one, because the tower reads
        fewer tokens. All False where it cannot tell.
        """
        return [False] * len(texts)


class TunableText(TextEncoder, Protocol):
    """A text tower that can be trained, or trained through. deepcopy gives an own copy."""

    @property
    def module(self) -> torch.nn.Module:
        """All its parameters."""
        ...

    @property
    def context_dim(self) -> int:
        """E, the width of its token embeddings."""
        ...

    def token_vectors(self, text: str) -> torch.Tensor:
        """(K, E), the embeddings of a text's K tokens, without start and end."""
        ...

    def encode(self, texts: Sequence[str], context: TextContext | None = None) -> torch.Tensor:
        """(N, D) with a graph, all texts in one batch, on the device of `module`.

        With a context, M vectors are between the start token and the tokens of each text (Eq. 7;
        CoOp), or where its form says. A text that becomes too long is cut: by default at its end;
        with vectors behind the name, the name is cut at its end, and the vectors and the closing
        are kept. The end token is always kept.
        """
        ...


class EncoderPlugin(Plugin, Protocol[OptionsT_contra]):
    """A family of encoders: `family:ARGUMENT` or `family/ARGUMENT` in a task."""

    REQUIRED_FOR: ClassVar[Mapping[tuple[str, str], str]] = {
        ("READS", "pictures"): "build_image",
        ("READS", "texts"): "build_text",
    }

    #: What it encodes: pictures, texts, or both.
    READS: Sequence[str] = ("pictures", "texts")
    #: Whether its text tower can be trained, or trained through: it then is a `TunableText`.
    TAKES_CONTEXT: bool = False
    #: A preset of tasks/recipes/ for each value of `tuning`, for tasks that name no recipe; without
    #: one their recipe is the paper's.
    RECIPES: Mapping[str, str] = {}

    @abstractmethod
    def facts(self, argument: str, options: OptionsT_contra) -> EncoderFacts:
        """Widths and content hashes; loads no weights and no torch.

        Raises EncoderError for weights that are missing or cannot be read.
        """
        ...

    def build_image(self, argument: str, options: OptionsT_contra) -> ImageEncoder:
        """The image encoder with its weights."""
        raise NotImplementedError

    def build_text(self, argument: str, options: OptionsT_contra) -> TextEncoder:
        """The text encoder with its weights."""
        raise NotImplementedError

    def fetch(self, argument: str, options: OptionsT_contra) -> Any:
        """Bring the weights from the network; False where there is nothing to bring."""
        return False
