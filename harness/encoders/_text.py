"""What the text towers of all families share: encoding, with or without a learned context.

N texts, L tokens, M context vectors, E width of a token embedding, D width of the output.

The context (Eq. 7; CoOp) enters where the tokens are embedded: M filler tokens are put into a text,
and a copy of the module that shares every parameter reads the vectors in place of their embeddings.
So positions, masks and the pooling at the end token are the tower's own, and a tower that several
cells share is never changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError
from harness.core.text_context import TextContext
from harness.encoders._context_embedding import with_context
from harness.encoders._token_layout import WORD, TokenLayout

if TYPE_CHECKING:
    import torch


def token_embedding(model: Any) -> Any:
    """Where a model of transformers embeds its tokens.

    Raises EncoderError for a model that does not say.
    """
    try:
        return model.get_input_embeddings()
    except NotImplementedError as error:
        raise EncoderError(
            f"{type(model).__name__} does not say where it embeds tokens: it takes no context"
        ) from error


class TunableTextTower(ABC):
    """A text tower that can be trained, or trained through. Families define how it reads texts.

    deepcopy gives an independent tower. Without a layout it takes no context.
    """

    def __init__(self, module: Any, layout: TokenLayout | None) -> None:
        self.module, self._layout = module, layout

    @abstractmethod
    def _tokens(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """Texts as the family's own tokenizer prepares them."""

    @abstractmethod
    def _words(self, text: str) -> list[int]:
        """Token ids of a text, with nothing around them."""

    @abstractmethod
    def _embedding(self) -> Any:
        """The part of `module` that embeds tokens."""

    @abstractmethod
    def _read(self, module: Any, tokens: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Tokens (N, L) to embeddings (N, D)."""

    @property
    def context_dim(self) -> int:
        """E."""
        return int(self._embedding().embedding_dim)

    def encode(self, texts: Sequence[str], context: TextContext | None = None) -> torch.Tensor:
        """(N, D) with a graph, all texts in one batch, on the device of `module`.

        With a context, its M vectors are put between the start token, where there is one, and the
        words, or where its form says. What becomes too long is cut at its end; the end token is
        kept, and so are vectors behind the name and the closing behind them.

        Raises EncoderError for a context that leaves no room for a text or is of another shape, and
        for a tokenizer with a layout of its own.
        """
        import torch

        if context is None:
            return self._read(self.module, self._on_device(self._tokens(list(texts))))
        if self._layout is None:
            raise EncoderError(
                "the tokenizer of this text tower lays out texts in a way of its own: it takes no "
                "context"
            )
        self._check_shape(context.vectors, len(texts))
        words, closing = self._parts(texts, context)
        rows = self._layout.rows(words, context.sides, closing)
        tokens = self._on_device(
            {
                "input_ids": torch.tensor(rows.ids),
                "attention_mask": torch.tensor(rows.masks),
                "places": torch.tensor(rows.places),
            }
        )
        places_NM = tokens.pop("places")
        module = with_context(self.module, self._embedding(), context.vectors, places_NM)
        return self._read(module, tokens)

    def _check_shape(self, vectors: torch.Tensor, n_texts: int) -> None:
        shape = tuple(vectors.shape)
        if len(shape) not in (2, 3) or shape[-1] != self.context_dim:
            raise EncoderError(
                f"a context of shape {shape} does not fit token embeddings of width "
                f"{self.context_dim}"
            )
        if len(shape) == 3 and shape[0] != n_texts:
            raise EncoderError(f"a context of shape {shape} is not that of {n_texts} texts")

    def cut_short(self, texts: Sequence[str], context: TextContext | None = None) -> list[bool]:
        """Which texts, with the vectors of a context, have more tokens than the tower reads.
        False for all where the tokenizer has a layout of its own.
        """
        if self._layout is None:
            return [False] * len(texts)
        if context is None:
            words, around = [self._words(text) for text in texts], self._layout.around()
        else:
            words, closing = self._parts(texts, context)
            around = self._layout.around(context.length, closing)
        return [around + len(each) > self._layout.length for each in words]

    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """(N, D), not normalised. One text at a time: a batch would change the last bits."""
        import torch

        with torch.inference_mode():
            return torch.cat([self.encode([text]) for text in texts]).clone()

    def token_vectors(self, text: str) -> torch.Tensor:
        """(K, E), the embeddings of a text's K tokens, without start, end and positions."""
        import torch

        ids = self._on_device({"ids": torch.tensor(self._words(text))})["ids"]
        x_KE: torch.Tensor = self._embedding()(ids).detach().clone()
        return x_KE

    def _parts(
        self, texts: Sequence[str], context: TextContext
    ) -> tuple[list[list[int]], list[int]]:
        """Token ids of the words of every text, and of the closing where vectors come before it."""
        first, second = context.sides
        closing = context.form.closing if second else ""
        names = [text.removesuffix(closing) for text in texts]
        words = self._continued(names) if first else [self._words(name) for name in names]
        return words, self._continued([closing], "")[0] if closing else []

    def _continued(self, texts: Sequence[str], gap: str = " ") -> list[list[int]]:
        """Token ids of texts that are not the start of a sentence: some tokenizers have other
        tokens for a word behind a space.
        """
        first = self._words(WORD)
        behind = [self._words(f"{WORD}{gap}{text}") for text in texts]
        return [
            ids[len(first) :] if ids[: len(first)] == first else self._words(text)
            for ids, text in zip(behind, texts, strict=True)
        ]

    def _on_device(self, tokens: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        device = next(self.module.parameters()).device
        return {name: each.to(device) for name, each in tokens.items()}


def drop(model: Any, *names: str) -> None:
    """Take off parts of a model that its text side does not use."""
    for name in names:
        if hasattr(model, name):
            setattr(model, name, None)
