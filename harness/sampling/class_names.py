"""When two class names say the same: 'Golden_Retrievers' and 'golden retriever'.

Names are compared by a key in which case, accents, punctuation, spaces and the English plural make
no difference. The key is for comparing, not for reading: 'cookies' and 'cookie' have the key
'cooky'. It compares names, not meanings: 'car' and 'automobile' differ.

Where a rule can err it takes two names for one ('glasses' and 'glass'): a class that is named too
much, or left out of training, does less harm than one that is tested as unseen and was not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

#: Plurals that no rule makes.
_IRREGULAR = {
    "women": "woman", "children": "child", "people": "person", "teeth": "tooth", "feet": "foot",
    "geese": "goose", "mice": "mouse", "lice": "louse", "dice": "die", "oxen": "ox",
    "lives": "life", "elves": "elf", "cacti": "cactus", "fungi": "fungus", "octopi": "octopus",
    "hippopotami": "hippopotamus", "nuclei": "nucleus", "alumni": "alumnus", "larvae": "larva",
    "algae": "alga", "antennae": "antenna", "bacteria": "bacterium", "matrices": "matrix",
    "vertices": "vertex", "oases": "oasis", "radii": "radius", "vertebrae": "vertebra",
}  # fmt: skip
#: Ends of plurals in -ves whose singular ends in -f or -fe; other -ves are 'glove', 'olive'.
_IN_F = {
    "knives": "knife", "wives": "wife", "leaves": "leaf", "wolves": "wolf", "shelves": "shelf",
    "halves": "half", "calves": "calf", "loaves": "loaf", "thieves": "thief", "scarves": "scarf",
    "hooves": "hoof", "dwarves": "dwarf", "selves": "self",
}  # fmt: skip
#: Words in -s that are singular and have no ending that says so.
_SINGULAR = frozenset({
    "alias", "asbestos", "atlas", "bias", "biceps", "canvas", "chaos", "christmas", "corps",
    "cosmos", "forceps", "lens", "madras", "mars", "news", "pancreas", "rhinoceros", "series",
    "species", "thermos", "triceps",
})  # fmt: skip
#: Plurals in -us and -is; other words that end so are singular, as 'bus' and 'tennis'.
_PLURAL = frozenset({
    "alibis", "bayous", "bikinis", "caribous", "chilis", "corgis", "emus", "gnus", "gurus",
    "kiwis", "kudus", "martinis", "menus", "okapis", "paninis", "rabbis", "safaris", "salamis",
    "saris", "skis", "taxis", "tsunamis", "tutus", "yetis", "zebus", "zucchinis",
})  # fmt: skip
#: Words in -men that are no men.
_NOT_MEN = frozenset({
    "abdomen", "acumen", "albumen", "amen", "bitumen", "cyclamen", "dolmen", "hymen", "lumen",
    "omen", "ramen", "regimen", "semen", "specimen", "stamen", "yemen",
})  # fmt: skip


@dataclass(frozen=True)
class SameName:
    """A class that is tested, and the name under which it was trained on."""

    tested: str
    trained: str

    def __str__(self) -> str:
        if self.tested == self.trained:
            return self.tested
        return f"{self.tested} (trained on as '{self.trained}')"


def same_names(trained: Sequence[str], tested: Sequence[str]) -> tuple[SameName, ...]:
    """The tested classes that were trained on, in their order."""
    by_key: dict[str, str] = {}
    for name in trained:
        by_key.setdefault(name_key(name), name)
    spelt_alike = set(trained)  # given rather than another name with the same key
    return tuple(
        SameName(name, name if name in spelt_alike else by_key[key])
        for name in tested
        if (key := name_key(name)) in by_key
    )


def name_key(name: str) -> str:
    """Equal for names that say the same."""
    words = re.split(r"[^\w+#]+|_+", _plain_letters(name))
    return "".join(_singular(word) for word in words) or name.casefold().strip()


def _plain_letters(name: str) -> str:
    """In lower case, without apostrophes, and Latin letters without their accents."""
    letters = unicodedata.normalize("NFKD", name)
    letters = re.sub(r"(?<=[A-Za-z])[\u0300-\u036f]+", "", letters)
    plain = unicodedata.normalize("NFC", letters).casefold()
    return re.sub(r"['\u2019`]", "", plain).replace("&", " and ")


def _singular(word: str) -> str:
    """The singular of an English word, with the endings of plurals in -es and -ies unified."""
    if word in _IRREGULAR:
        word = _IRREGULAR[word]
    elif word.endswith("ves"):
        ending = next((e for e in _IN_F if word.endswith(e)), None)
        word = word[:-1] if ending is None else word.removesuffix(ending) + _IN_F[ending]
    elif word.endswith("men") and len(word) > 3 and word not in _NOT_MEN:
        word = word[:-3] + "man"
    elif word == "men":
        word = "man"
    elif _is_plural(word):
        word = word[:-1]
    if len(word) > 3 and word.endswith("ie"):
        return word[:-2] + "y"  # 'flie' of 'flies'; 'cookie' as well, so that 'cookies' equals it
    # 'buse' of 'buses', 'glasse', 'boxe', 'peache', 'tomatoe'; 'house' and 'shoe' as well.
    return word[:-1] if re.search(r"(s|x|z|ch|sh|o)e$", word) else word


def _is_plural(word: str) -> bool:
    """Whether a word in -s is its singular with an s."""
    if not word.endswith("s") or word in _SINGULAR:
        return False
    if word in _PLURAL:
        return True
    if len(word) <= 3:  # 'gas' and 'bus', but 'tvs'
        return len(word) == 3 and not re.search(r"[aeiouy]", word)
    return not word.endswith(("ss", "us", "is"))
