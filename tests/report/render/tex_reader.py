"""A small strict reader of the LaTeX that reports write: it refuses what pdflatex would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r"(\\(?:[A-Za-z]+|.))|([{}&$%^_#~])|([^\\{}&$%^_#~]+)", re.DOTALL)
COMMANDS = {
    "begin", "end", "caption", "centering", "resizebox", "ifdim", "width",
    "linewidth", "else", "fi", "toprule", "midrule", "bottomrule", "multicolumn", "textbf",
    "texttt", "smallskip", "parbox", "raggedright", "raggedleft", "strut", "allowbreak",
    "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar",
    "cdot", "uparrow", "downarrow", "dagger", "times", "Delta",
}  # fmt: skip
#: Commands of one sign that stand for a sign, set an accent or end a line.
SIGNS = set("&%$#_{}\\'")


@dataclass
class Tabular:
    """Columns as its argument has them, and rows of cells."""

    columns: str
    rows: list[list[str]] = field(default_factory=list)


def read(text: str) -> list[Tabular]:
    """The tables of a file, in which every row has as many cells as there are columns.

    Fails for braces or environments that are not closed, for commands that are not known, and for
    special signs or others than ASCII in the text; names of labels are no text.
    """
    assert text.isascii(), [c for c in text if not c.isascii()]
    body = "\n".join(line for line in text.splitlines() if not line.startswith("% "))
    body = re.sub(r"\\(?:label|ref)\{[A-Za-z0-9_.:-]+\}", "", body)
    _check(body.replace("{!}{%\n", "{!}{"))
    found = re.findall(r"\\begin\{tabular\}\{([lr]+)\}\n(.*?)\n\\end\{tabular\}\}", body, re.DOTALL)
    assert len(found) == body.count(r"\begin{tabular}") > 0
    return [_tabular(columns, rows) for columns, rows in found]


def _check(body: str) -> None:
    braces, is_math = 0, False
    environments: list[str] = []
    for match in TOKEN.finditer(body):
        command, special, _ = match.groups()
        if command is not None:
            name = command[1:]
            assert name in COMMANDS or name in SIGNS, command
            if name in ("begin", "end"):
                argument = re.match(r"\{(\w+)\}", body[match.end() :])
                assert argument is not None
                assert name == "begin" or environments.pop() == argument[1]
                environments += [argument[1]] if name == "begin" else []
        elif special == "$":
            is_math = not is_math
        elif special in ("^", "_"):
            assert is_math, body[match.start() - 30 : match.end()]
        elif special is not None:
            assert special in "{}&~", body[match.start() - 30 : match.end()]
            braces += {"{": 1, "}": -1}.get(special, 0)
            assert braces >= 0
            assert special != "&" or environments[-1:] == ["tabular"]
    assert (braces, environments, is_math) == (0, [], False)


def _tabular(columns: str, text: str) -> Tabular:
    found = Tabular(columns)
    for line in text.split("\n"):
        if line in (r"\toprule", r"\midrule", r"\bottomrule"):
            continue
        assert line.endswith(r" \\"), line
        assert not line.startswith(("[", "*")), "an argument of the \\\\ before it"
        cells = re.split(r"(?<!\\) & ", line.removesuffix(r" \\"))
        spans = [re.match(r"\\multicolumn\{(\d+)\}", cell) for cell in cells]
        assert sum(int(s[1]) if s else 1 for s in spans) == len(columns), line
        found.rows.append(cells)
    return found
