"""The text tower of an open_clip model, with its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError
from harness.core.text_form import CANONICAL, CLIP, LATIN, TextForm
from harness.encoders._open_clip_source import OpenClipSource, with_local_files
from harness.encoders._text import TunableTextTower, drop, token_embedding
from harness.encoders._token_layout import WORD, TokenLayout, layout_of, words_of

if TYPE_CHECKING:
    import torch


#: The names of open_clip's ways of cleaning a text, and what they do.
CLEANING: Mapping[str, tuple[TextForm, str]] = {
    "lower": (replace(CLIP, script=None), "lower case"),
    "canonicalize": (CANONICAL, "lower case without punctuation"),
    "whitespace": (TextForm(spaces=True), "capitals and punctuation are kept"),
}
#: The size of the vocabulary of English texts that SigLIP has.
SIGLIP_WORDS = 32000


class OpenClipText(TunableTextTower):
    """CLIP's own text transformer, or a text model of transformers inside open_clip."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        if hasattr(model, "text"):
            module = model.text
        else:  # the text tower of CLIP is no module of its own
            drop(model, "visual", "logit_scale", "logit_bias")
            module = model
        self._tokenizer = tokenizer
        self._settings = {
            "padding": "max_length", "truncation": True, "max_length": tokenizer.context_length,
        }  # fmt: skip
        super().__init__(module, self._laid_out())

    def _tokens(self, texts: list[str]) -> dict[str, torch.Tensor]:
        return {"input_ids": self._tokenizer(texts)}

    def _words(self, text: str) -> list[int]:
        inner = getattr(self._tokenizer, "tokenizer", None)
        if inner is None:
            return list(self._tokenizer.encode(text))
        return words_of(inner, self._settings, self._tokenizer.clean_fn(text))

    def _laid_out(self) -> TokenLayout | None:
        """How its tokens are laid out; None for a tokenizer that does it in a way of its own."""
        length, inner = self._tokenizer.context_length, getattr(self._tokenizer, "tokenizer", None)
        if inner is None:
            # CLIP's own tokenizer, which fills up with zeros.
            start, end = (self._tokenizer.sot_token_id,), (self._tokenizer.eot_token_id,)
            return TokenLayout(start, end, 0, length, self._tokenizer.encode(WORD)[0], full=True)
        if self._tokenizer.tokenizer_mode or inner.truncation_side == "left":
            return None
        layout = layout_of(inner, self._settings, length, full=True)
        if not self._tokenizer.strip_sep_token:
            return layout
        # CLIPA: open_clip sets the end token to zero again, wherever it is.
        return replace(layout, after=tuple(i * (i != inner.sep_token_id) for i in layout.after))

    def _embedding(self) -> Any:
        if hasattr(self.module, "token_embedding"):
            return self.module.token_embedding
        return token_embedding(self.module.transformer)

    def _read(self, module: Any, tokens: Mapping[str, torch.Tensor]) -> torch.Tensor:
        read = module.encode_text if hasattr(module, "encode_text") else module
        output = read(tokens["input_ids"])
        # CoCa's tower returns its tokens beside the embedding.
        z_ND: torch.Tensor = output[0] if isinstance(output, tuple) else output
        return z_ND


def text_form_of(text: Mapping[str, Any]) -> TextForm:
    """open_clip's own form of the texts of a text config.

    Raises EncoderError for a way of cleaning that open_clip does not know, and for tokens that are
    left out at random.
    """
    more, named = dict(text.get("tokenizer_kwargs") or {}), bool(text.get("hf_tokenizer_name"))
    clean = str(more.get("clean") or ("whitespace" if named else "lower"))
    if clean not in CLEANING:
        raise EncoderError(f"tokenizer_kwargs.clean: {clean}; allowed: {', '.join(CLEANING)}")
    if more.get("reduction_mask"):
        raise EncoderError(
            "tokenizer_kwargs.reduction_mask draws the tokens of long texts at random: take it "
            "out of the config, and long texts are cut at their end"
        )
    form, words = CLEANING[clean]
    english = not named or (clean == "canonicalize" and text.get("vocab_size") == SIGLIP_WORDS)
    length = int(text.get("context_length") or 77)
    says = f"reads texts in open_clip's own form: {words}, at most {length} tokens"
    return replace(form, script=LATIN if english else None, says=says)


def tokenizer_of(source: OpenClipSource) -> Any:
    """The tokenizer that the text config names, or CLIP's own: what open_clip.get_tokenizer gives
    for its architecture.
    """
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    text = with_local_files(dict(source.config["text_cfg"]))
    length = int(text.get("context_length") or 77)
    more = dict(text.get("tokenizer_kwargs") or {})
    if text.get("hf_tokenizer_name"):
        mode = text.get("tokenizer_mode")
        return HFTokenizer(
            text["hf_tokenizer_name"], context_length=length, tokenizer_mode=mode, **more
        )
    return SimpleTokenizer(context_length=length, **more)
