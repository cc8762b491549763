"""What the text towers of all families share: encoding, with or without a learned context.

N texts, L tokens, M context vectors, E width of a token embedding, D width of the output.

The context (Eq. 7; CoOp) enters where the tokens are embedded: M filler tokens are put before a
text, and a copy of the module that shares every parameter reads the vectors in place of their
embeddings. So positions, masks and the pooling at the end token are the tower's own, and a tower
that several cells share is never changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError

if TYPE_CHECKING:
    import torch

#: An ordinary word, to see what a tokenizer puts around one.
WORD = "a"


@dataclass(frozen=True)
class TokenLayout:
    """How a tokenizer lays out a text: before, words, after, padding."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    pad: int
    length: int  # tokens that the tower reads at most
    filler: int  # an ordinary token: no start, end or padding
    full: bool  # filled up to `length` always

    def rows(
        self, words: Sequence[Sequence[int]], context: int
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Token ids and attention mask (N, L), with `context` fillers before the words. Words that
        do not fit are cut at the end.

        Raises EncoderError if not one word fits.
        """
        around = context + len(self.before) + len(self.after)
        if around >= self.length:
            raise EncoderError(
                f"a context of {context} vectors leaves no room for a text: the text tower reads "
                f"{self.length} tokens"
            )
        shortened = [list(each[: self.length - around]) for each in words]
        total = self.length if self.full else around + max(len(each) for each in shortened)
        ids, masks = [], []
        for each in shortened:
            tokens = [*self.before, *[self.filler] * context, *each, *self.after]
            padding = total - len(tokens)
            ids.append([*tokens, *[self.pad] * padding])
            masks.append([1] * len(tokens) + [0] * padding)
        return ids, masks


def layout_of(
    tokenizer: Any, settings: Mapping[str, Any], length: int, *, full: bool
) -> TokenLayout:
    """The layout of a tokenizer of transformers, taken from what it puts around one word.

    `settings` are those of every call: a fast tokenizer keeps them, and threads share it.
    """
    encoded = tokenizer(
        WORD, return_special_tokens_mask=True, return_attention_mask=True, **settings
    )
    ids = _without_padding(encoded)
    special = encoded["special_tokens_mask"][: len(ids)]
    start = len(list(takewhile(bool, special)))
    end = len(list(takewhile(bool, reversed(special))))
    return TokenLayout(
        before=tuple(ids[:start]),
        after=tuple(ids[len(ids) - end :]),
        pad=tokenizer.pad_token_id or 0,
        length=length,
        filler=ids[start],
        full=full,
    )


def reads_from_the_left(tokenizer: Any) -> Any:
    """A tokenizer of transformers that pads and cuts at the right, whatever its folder says.

    Towers with absolute positions were trained on texts that begin at the first one, and a context
    is put behind the start token. Padding takes no part in an embedding, so a tokenizer that names
    none pads with its end token.
    """
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    if tokenizer.pad_token_id is None and (tokenizer.eos_token or tokenizer.unk_token):
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def words_of(tokenizer: Any, settings: Mapping[str, Any], text: str) -> list[int]:
    """Token ids of a text without what a tokenizer of transformers puts around it."""
    encoded = tokenizer(text, add_special_tokens=False, return_attention_mask=True, **settings)
    return _without_padding(encoded)


def _without_padding(encoded: Mapping[str, list[int]]) -> list[int]:
    """The token ids of a text that is not padding."""
    pairs = zip(encoded["input_ids"], encoded["attention_mask"], strict=True)
    return [token for token, mask in pairs if mask]


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

    def encode(self, texts: Sequence[str], context_ME: torch.Tensor | None = None) -> torch.Tensor:
        """(N, D) with a graph, all texts in one batch, on the device of `module`.

        With a context, its M vectors are put between the start token, where there is one, and the
        words. What becomes too long is cut at its end; the end token is kept.

        Raises EncoderError for a context that leaves no room for a text or is of another width, and
        for a tokenizer with a layout of its own.
        """
        import torch

        if context_ME is None:
            return self._read(self.module, self._on_device(self._tokens(list(texts))))
        if self._layout is None:
            raise EncoderError(
                "the tokenizer of this text tower lays out texts in a way of its own: it takes no "
                "context"
            )
        if context_ME.ndim != 2 or context_ME.shape[1] != self.context_dim:
            raise EncoderError(
                f"a context of shape {tuple(context_ME.shape)} does not fit token embeddings of "
                f"width {self.context_dim}"
            )
        words = self._continued(texts)
        ids, masks = self._layout.rows(words, len(context_ME))
        tokens = {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(masks)}
        embedding = self._embedding()
        with_context = _context_embedding()(embedding, context_ME, len(self._layout.before))
        module = _replaced(self.module, embedding, with_context)
        return self._read(module, self._on_device(tokens))

    def cut_short(self, texts: Sequence[str], context: int = 0) -> list[bool]:
        """Which texts, behind a context of so many vectors, have more tokens than the tower reads.
        False for all where the tokenizer has a layout of its own.
        """
        if self._layout is None:
            return [False] * len(texts)
        around = context + len(self._layout.before) + len(self._layout.after)
        words = self._continued(texts) if context else [self._words(text) for text in texts]
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

    def _continued(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts that stand behind a context, which is not the start of a sentence:
        some tokenizers have other tokens for a word behind a space.
        """
        first = self._words(WORD)
        behind = [self._words(f"{WORD} {text}") for text in texts]
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


@cache
def _context_embedding() -> Any:
    """The class of embeddings that read the context; a function, so that torch is loaded late."""
    import torch

    class ContextEmbedding(torch.nn.Module):
        """Embeds tokens (N, L) to (N, L, E), with the context in place of its fillers."""

        def __init__(self, inner: Any, context_ME: torch.Tensor, start: int) -> None:
            super().__init__()
            self.inner, self.context_ME, self.start = inner, context_ME, start

        def forward(self, ids_NL: torch.Tensor) -> torch.Tensor:
            x_NLE = self.inner(ids_NL)
            context_NME = self.context_ME.to(x_NLE).expand(len(x_NLE), -1, -1)
            end = self.start + context_NME.shape[1]
            return torch.cat([x_NLE[:, : self.start], context_NME, x_NLE[:, end:]], dim=1)

    return ContextEmbedding


def _replaced(module: Any, old: Any, new: Any) -> Any:
    """`module` with `new` wherever it holds `old`; it shares all parameters, and is not changed."""
    if module is old:
        return new
    parts = {
        name: None if part is None else _replaced(part, old, new)
        for name, part in module._modules.items()
    }
    if all(parts[name] is part for name, part in module._modules.items()):
        return module
    changed = copy(module)  # shallow: parameters, buffers and hooks are those of `module`
    changed._modules = parts
    return changed
