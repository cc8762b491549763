"""Text encoders of transformers, for the key text_encoder: `hf_text:NAME_OR_FOLDER`.

Any model whose output has a last_hidden_state: BERT, DistilBERT, RoBERTa, MPNet, MiniLM, ...
`pooling: mean` averages over a text's tokens, `cls` takes the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from harness.core.errors import EncoderError
from harness.core.facts import EncoderFacts
from harness.core.hashing import digest
from harness.core.text_form import LATIN, TextForm
from harness.encoders import _adapters, _folder
from harness.encoders._text import TunableTextTower, drop, token_embedding
from harness.encoders._token_layout import layout_of, reads_from_the_left, words_of
from harness.encoders._weights import read_json

if TYPE_CHECKING:
    import torch

READS = ("texts",)
TAKES_CONTEXT = True
#: Names under which a config.json keeps the width of the last hidden state.
WIDTHS = ("hidden_size", "dim", "d_model", "n_embd")
#: Raised when embeddings of the same weights would come out otherwise.
REVISION = "hf_text 1"
#: Parts of a model that the last hidden state does not pass through.
UNUSED = ("pooler.", "cls.", "lm_head.")
#: Sizes of BERT's English vocabularies, without and with capitals.
ENGLISH_WORDS = (30522, 30527, 28996)
#: Tokenizers that take off accents where they write lower case, as BERT's does.
LIKE_BERT = ("Bert", "DistilBert", "MPNet", "Electra", "MobileBert")


#: Tokenizers that have other tokens for a word behind a space than for one that begins a text.
WITH_SPACES = ("Roberta", "GPT2", "Bart", "Longformer", "GPTNeo", "Gemma", "Qwen2")


class Options(BaseModel):
    """pooling: mean over the tokens of a text, or the first token's output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pooling: Literal["mean", "cls"] = "mean"


def facts(argument: str, options: Options) -> EncoderFacts:
    """Width from config.json; there is no image side, so its widths are 0.

    Raises EncoderError for a folder that is missing or incomplete.
    """
    folder = _folder.locate(argument)
    config = read_json(folder / "config.json")
    width = next((int(config[name]) for name in WIDTHS if isinstance(config.get(name), int)), None)
    if width is None:
        raise EncoderError(f"{argument}: config.json names no width ({', '.join(WIDTHS)})")
    saved = _folder.checkpoints(folder)
    read = [_folder.content(folder, saved, REVISION), options.pooling]
    if _folder.tokenizer_class(folder).startswith(WITH_SPACES):
        read.append("continued")  # behind a learned context, class names are words behind a space
    weights = digest(read, 64)
    return EncoderFacts(
        weights=weights,
        backbone=weights,
        dim=width,
        feature_dim=0,
        resolution=0,
        logit_scale=1.0,
        text_dim=width,
        text_form=_text_form(folder, config),
        text_adapters=_adapters.of_text_model(config),
    )


def build_text(argument: str, options: Options) -> HfText:
    """Raises EncoderError for a folder that is incomplete, or weights that do not fit."""
    from transformers import AutoModel

    folder = _folder.locate(argument)
    model = _folder.load(folder, AutoModel, UNUSED)
    return HfText(model, _folder.tokenizer(folder), options.pooling)


def fetch(argument: str, options: Options) -> bool:
    """Bring the repository into the hub cache; False for a folder, which is there already."""
    return _folder.fetch(argument)


def _text_form(folder: Path, config: Mapping[str, Any]) -> TextForm:
    """How a tokenizer like BERT's reads texts; of others nothing is claimed."""
    script = LATIN if config.get("vocab_size") in ENGLISH_WORDS else None
    if not _folder.tokenizer_class(folder).startswith(LIKE_BERT):
        return TextForm(script=script)
    settings = read_json(folder / "tokenizer_config.json")
    lower = bool(settings.get("do_lower_case", True))
    strips = settings.get("strip_accents")
    no_accents = lower if strips is None else bool(strips)
    return TextForm(lower=lower, no_accents=no_accents, spaces=True, script=script)


class HfText(TunableTextTower):
    """A text model with its tokenizer and pooling."""

    def __init__(self, model: Any, tokenizer: Any, pooling: str) -> None:
        model = model.get_encoder() if model.config.is_encoder_decoder else model
        if "add_pooling_layer" in signature(type(model).__init__).parameters:
            drop(model, "pooler")  # the last hidden state does not pass through it
        longest = getattr(model.config, "max_position_embeddings", None) or 512
        length = min(longest, tokenizer.model_max_length)
        self._tokenizer, self._pooling = reads_from_the_left(tokenizer), pooling
        self._settings = {
            "padding": tokenizer.pad_token_id is not None, "truncation": True, "max_length": length,
        }  # fmt: skip
        super().__init__(model, layout_of(tokenizer, self._settings, length, full=False))

    def _tokens(self, texts: list[str]) -> dict[str, torch.Tensor]:
        return dict(self._tokenizer(texts, return_tensors="pt", **self._settings))

    def _words(self, text: str) -> list[int]:
        return words_of(self._tokenizer, self._settings, text)

    def _embedding(self) -> Any:
        return token_embedding(self.module)

    def _read(self, module: Any, tokens: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Padding takes no part in the mean."""
        hidden_NLD: torch.Tensor = module(**tokens).last_hidden_state
        if self._pooling == "cls":
            return hidden_NLD[:, 0]
        mask_NL1 = tokens["attention_mask"][..., None].to(hidden_NLD.dtype)
        mean_ND: torch.Tensor = (hidden_NLD * mask_NL1).sum(dim=1) / mask_NL1.sum(dim=1)
        return mean_ND
