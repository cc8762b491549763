"""How a tokenizer lays out a text: start, words, end and padding, and where a context goes.

N texts, L tokens, M context vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from harness.core.errors import EncoderError

#: An ordinary word, to see what a tokenizer puts around one.
WORD = "a"


@dataclass(frozen=True)
class TokenRows:
    """Token ids and attention mask (N, L), and the places (N, M) of the context in each row."""

    ids: list[list[int]]
    masks: list[list[int]]
    places: list[list[int]]


@dataclass(frozen=True)
class TokenLayout:
    """How a tokenizer lays out a text: before, words, after, padding."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    pad: int
    length: int  # tokens that the tower reads at most
    filler: int  # an ordinary token: no start, end or padding
    full: bool  # filled up to `length` always
    left: bool = False  # padded at the left

    def around(self, vectors: int = 0, closing: Sequence[int] = ()) -> int:
        """The tokens of a text that are not of its words."""
        return len(self.before) + vectors + len(closing) + len(self.after)

    def rows(
        self,
        words: Sequence[Sequence[int]],
        sides: tuple[int, int] = (0, 0),
        closing: Sequence[int] = (),
    ) -> TokenRows:
        """Rows of start, fillers, words, fillers, closing, end; so many fillers on the two sides of
        the words. Words that do not fit are cut at the end.

        Raises EncoderError if not one word fits.
        """
        around = self.around(sum(sides), closing)
        if around >= self.length:
            raise EncoderError(
                f"a context of {sum(sides)} vectors leaves no room for a text: the text tower "
                f"reads {self.length} tokens"
            )
        shortened = [list(each[: self.length - around]) for each in words]
        total = self.length if self.full else around + max(len(each) for each in shortened)
        rows = TokenRows([], [], [])
        for each in shortened:
            self._add(rows, each, sides, closing, total)
        return rows

    def _add(
        self,
        rows: TokenRows,
        words: Sequence[int],
        sides: tuple[int, int],
        closing: Sequence[int],
        total: int,
    ) -> None:
        first, second = sides
        fillers = [self.filler] * first, [self.filler] * second
        tokens = [*self.before, *fillers[0], *words, *fillers[1], *closing, *self.after]
        padding = total - len(tokens)
        pads, none, one = [self.pad] * padding, [0] * padding, [1] * len(tokens)
        rows.ids.append([*pads, *tokens] if self.left else [*tokens, *pads])
        rows.masks.append([*none, *one] if self.left else [*one, *none])
        start = len(self.before) + padding * self.left
        behind = start + first + len(words)
        rows.places.append([*range(start, start + first), *range(behind, behind + second)])


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
    special = _without_padding(encoded, "special_tokens_mask")
    start = len(list(takewhile(bool, special)))
    end = len(list(takewhile(bool, reversed(special))))
    return TokenLayout(
        before=tuple(ids[:start]),
        after=tuple(ids[len(ids) - end :]),
        pad=tokenizer.pad_token_id or 0,
        length=length,
        filler=ids[start],
        full=full,
        left=tokenizer.padding_side == "left",
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


def _without_padding(encoded: Mapping[str, list[int]], part: str = "input_ids") -> list[int]:
    """The token ids of a text, or another list beside them, where the text is not padding."""
    pairs = zip(encoded[part], encoded["attention_mask"], strict=True)
    return [value for value, mask in pairs if mask]
