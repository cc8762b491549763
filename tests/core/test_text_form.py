"""The form of texts: as the towers' own libraries clean them."""

from __future__ import annotations

import pytest
from open_clip.tokenizer import canonicalize_text, get_clean_fn

from harness.core.text_form import CANONICAL, CLIP, LATIN, TextForm

TEXTS = (
    "A Red, car!", "blue  BOAT\t", "red_car", "it's (a) {cat}", "", " ?! ", "CAF\u00c9",
    "n01440764", "\u0627\u0644\u0642\u0637",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_it_cleans_as_the_library_does(text: str) -> None:
    assert CANONICAL.clean(text) == canonicalize_text(text)
    assert CLIP.clean(text) == get_clean_fn("lower")(text)
    assert TextForm(spaces=True).clean(text) == get_clean_fn("whitespace")(text)


def test_nothing_is_changed_where_nothing_is_known() -> None:
    assert [TextForm().clean(text) for text in TEXTS] == list(TEXTS)


def test_accents_are_taken_off_as_bert_does() -> None:
    from transformers import BertTokenizerFast

    form = TextForm(lower=True, no_accents=True, spaces=True)
    normalizer = BertTokenizerFast().backend_tokenizer.normalizer
    for text in ("Caf\u00e9", "na\u00efve \u00dcber", "\u00e5ngstr\u00f6m"):
        assert form.clean(text) == normalizer.normalize_str(text)


def test_a_text_of_another_script_cannot_be_read() -> None:
    latin = TextForm(script=LATIN)
    assert latin.can_read("caf\u00e9 12")
    assert latin.can_read("12 !")  # no letters, no claim
    assert not latin.can_read("\u732b")
    assert not latin.can_read("\u0627\u0644\u0642\u0637")
    assert latin.can_read("a picture of a \u732b")  # most of it is
    assert TextForm().can_read("\u732b")
