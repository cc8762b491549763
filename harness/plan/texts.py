"""Notes on class texts: what their strings alone say about how a text encoder reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from harness.core.cells import Cell
from harness.core.listing import paired, quoted
from harness.core.perils import EQUAL_TEXTS
from harness.core.text_findings import remembered, text_address
from harness.core.text_form import TextForm
from harness.plan.resolve import Setup

_NUMBER = re.compile(r"[\d\s.,:+-]*\d[\d\s.,:+-]*")
_WNID = re.compile(r"n\d{8}")


def reads_texts(cell: Cell, setup: Setup) -> bool:
    """Whether a text encoder reads the class texts of a cell."""
    return cell.prompt is not None and "text" in setup.uses


def class_lists(setup: Setup) -> tuple[tuple[str, ...], ...]:
    """The lists of classes whose texts a cell may read, each once."""
    return tuple(dict.fromkeys((setup.trained.names, setup.tested.names)))


def text_notes(cell: Cell, setup: Setup) -> Iterator[str]:
    """Notes on the class texts of a cell; none if it reads no texts."""
    if not reads_texts(cell, setup):
        return
    form, encoder = setup.facts.text_form, str(setup.text_encoder.choice)
    if form.says:
        yield f"{encoder} {form.says}."
    for names in class_lists(setup):
        texts = setup.prompt.plugin.evaluation_texts(names, setup.prompt.options)
        flat = tuple("\n".join(of_class) for of_class in texts)
        yield from _equal(encoder, form, names, flat, EQUAL_TEXTS in cell.allow)
        yield from _unread(encoder, form, names)


def found_notes(cell: Cell, setup: Setup) -> Iterator[str]:
    """What an earlier run found about the class texts of a cell."""
    if not reads_texts(cell, setup):
        return
    encoder = setup.text_encoder.choice
    for names in class_lists(setup):
        texts = setup.prompt.plugin.evaluation_texts(names, setup.prompt.options)
        found = remembered(text_address(setup.text_weights, setup.prompt.choice, texts))
        if found is None:
            continue
        for what, pairs, count in (
            ("equal embeddings", found.rows.equal, found.rows.n_equal),
            ("embeddings of a cosine above 0.999", found.rows.close, found.rows.n_close),
        ):
            if count:
                told = paired([(names[a], names[b]) for a, b in pairs], count)
                yield f"an earlier run found that {encoder} gives {what} to {told}"
        if found.n_cut:
            cut = quoted([names[c] for c in found.cut])
            yield f"an earlier run found that {encoder} cuts {found.n_cut} class texts: {cut}"


@lru_cache(maxsize=64)
def _equal(
    encoder: str, form: TextForm, names: tuple[str, ...], texts: tuple[str, ...], allowed: bool
) -> tuple[str, ...]:
    """Classes whose texts are the same when they are cleaned."""
    first: dict[str, int] = {}
    pairs = []
    for c, text in enumerate(texts):
        cleaned = "\n".join(form.clean(each) for each in text.split("\n"))
        known = first.setdefault(cleaned, c)
        if known != c:
            pairs.append((names[known], names[c]))
    if not pairs:
        return ()
    end = "" if allowed else f"; cells that begin with them fail, unless allow: [{EQUAL_TEXTS}]"
    return (f"{encoder} reads the texts of {paired(pairs)} as the same{end}.",)


@lru_cache(maxsize=64)
def _unread(encoder: str, form: TextForm, names: tuple[str, ...]) -> tuple[str, ...]:
    """Class names that a text encoder reads, and yet does not understand."""

    def some(what: str, chosen: Callable[[str], object]) -> Iterable[str]:
        found = [name for name in names if chosen(name)]
        if found:
            yield f"{len(found)} of {len(names)} class names {what} ({quoted(found)})."

    known = "for a text encoder they do not say what the class is"
    return (
        *some(f"are numbers: {known}", _NUMBER.fullmatch),
        *some(f"are WordNet ids: {known}", lambda name: _WNID.fullmatch(name.strip())),
        *some(
            f"are not in {form.script} script, in which {encoder} was trained",
            lambda name: not form.can_read(name),
        ),
        *some(f"are empty when {encoder} has cleaned them", lambda name: not form.clean(name)),
    )
