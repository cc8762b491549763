"""Text for TeX: from outside, printed as it is; and from Markdown, with its bold and its escapes.

What comes out is ASCII, so that pdflatex prints it whatever its fonts and its encoding are.
"""

from __future__ import annotations

import html
import re
import unicodedata

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "·": r"$\cdot$", "–": "--", "—": "---", "−": "$-$", "±": r"$\pm$", "×": r"$\times$",
    "÷": r"$\div$", "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "≈": r"$\approx$",
    "→": r"$\rightarrow$", "←": r"$\leftarrow$", "↓": r"$\downarrow$", "↑": r"$\uparrow$",
    "∞": r"$\infty$", "√": r"$\surd$", "∈": r"$\in$", "∑": r"$\sum$", "°": r"$^{\circ}$",
    "†": r"$^{\dagger}$", "‡": r"$^{\ddagger}$", "§": r"\S{}", "¶": r"\P{}", "…": r"\dots{}",
    "•": r"$\bullet$", "µ": r"$\mu$", "²": "$^{2}$", "³": "$^{3}$", "¹": "$^{1}$",
    "‘": "`", "’": "'", "“": "``", "”": "''", "\u00a0": "~", "\u2009": r"\,",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "å": r"\aa{}", "Å": r"\AA{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
}  # fmt: skip
#: Capitals for which TeX has a sign; the others look like Latin ones.
_CAPITALS = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi",
             "Omega")  # fmt: skip
_LIKE_LATIN = {"Eta": "H", "Nu": "N", "Rho": "P", "Chi": "X", "omicron": "o"}
_GREEK = re.compile("GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)")
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
}  # fmt: skip
#: Signs that TeX makes one of where they follow each other.
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=`)(?=`)|(?<=')(?=')|(?<=[?!])(?=`)")
_MARKDOWN = re.compile(r"(\*\*|`[^`]*`)|\\([!-/:-@\[-`{-~])|(&\w+;|&#\d+;)|(.)", re.DOTALL)


def escape(text: str) -> str:
    """Text from outside, as TeX that prints it as it is. Letters that pdflatex has no sign for, as
    Chinese ones, are named by their code: [U+4E2D].
    """
    parts = _LIGATURE.split(unicodedata.normalize("NFC", text))
    return "{}".join("".join(map(_character, part)) for part in parts)


def from_markdown(text: str) -> str:
    """A paragraph of a report as TeX: without Markdown's backslashes and entities."""
    out, plain, bold = [], "", False
    for mark, escaped, entity, other in _MARKDOWN.findall(text):
        if not mark:
            plain += escaped or html.unescape(entity) or other
            continue
        out.append(escape(plain))
        plain = ""
        if mark == "**":
            bold = not bold
            out.append(r"\textbf{" if bold else "}")
        else:
            out.append(rf"\texttt{{{escape(mark[1:-1])}}}")
    return "".join([*out, escape(plain), "}" * bold])


def _character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character.isascii():
        return character if character.isprintable() else " "
    if (accented := _accented(character)) or (accented := _greek(character)):
        return accented
    return f"{{[}}U+{ord(character):04X}]"


def _accented(character: str) -> str:
    """An accented letter as a command; nothing for what TeX has no accent for."""
    letter, *marks = list(unicodedata.normalize("NFD", character))
    if len(marks) != 1 or marks[0] not in _ACCENTS or not letter.isascii():
        return ""
    return f"\\{_ACCENTS[marks[0]]}{{{letter}}}"


def _greek(character: str) -> str:
    """A Greek letter as a sign of mathematics; nothing for other letters."""
    found = _GREEK.fullmatch(unicodedata.name(character, ""))
    if found is None:
        return ""
    name = found[2].replace("LAMDA", "LAMBDA").lower()
    if found[1] == "SMALL":
        return f"${_LIKE_LATIN[name]}$" if name in _LIKE_LATIN else f"$\\{name}$"
    name = name.capitalize()
    return f"$\\{name}$" if name in _CAPITALS else f"${_LIKE_LATIN.get(name, name[0])}$"
