"""What a text tower makes of a text before it looks tokens up, and what it was trained to read."""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
LATIN = "Latin"


@dataclass(frozen=True)
class TextForm:
    """How a text tower reads texts. The defaults claim nothing: a text is read as it is.

    `says` is what a reader of a report should know of it, as the end of a sentence that begins with
    the name of the encoder.
    """

    lower: bool = False
    no_punctuation: bool = False  # an underscore becomes a space
    no_accents: bool = False
    spaces: bool = False  # a run of white space is one space, and none is around a text
    script: str | None = None  # that of the texts that it was trained on; None: no claim
    says: str = ""

    def clean(self, text: str) -> str:
        """The text as the tower reads it."""
        if self.lower:
            text = text.lower()
        if self.no_accents:
            decomposed = unicodedata.normalize("NFD", text)
            text = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
        if self.no_punctuation:
            text = text.replace("_", " ").translate(_NO_PUNCTUATION)
        return " ".join(text.split()) if self.spaces else text

    def can_read(self, text: str) -> bool:
        """Whether at least half of the letters are of the tower's script; a text without letters,
        and any text where no script is claimed, can be read.
        """
        if self.script is None:
            return True
        letters = [c for c in text if c.isalpha()]
        own = sum(unicodedata.name(c, "").startswith(self.script.upper()) for c in letters)
        return 2 * own >= len(letters)


#: Nothing is claimed of how a tower reads texts.
AS_IT_IS = TextForm()
#: SigLIP, as big_vision canonicalises the texts of its zero-shot evaluation:
#: big_vision/evaluators/proj/image_text/prompt_engineering.py.
CANONICAL = TextForm(lower=True, no_punctuation=True, spaces=True)
#: CLIP's own tokenizer: lower case, and one space between words.
CLIP = TextForm(lower=True, spaces=True, script=LATIN)
