"""A banner over the figures of a report whose rows were chosen on the test set."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.report.model.table import Table
from harness.report.render.markdown import Figure
from harness.report.text.watermark import BANNER, chosen_on_test

_RED = "#B00020"
_SIZE, _SIDE = 28, 20  # of the letters and beside them, in pixels


def stamped(figures: Sequence[Figure], table: Table) -> list[Figure]:
    """The figures, each with a banner over it where rows were chosen on the test set."""
    if not chosen_on_test(table):
        return list(figures)
    return [replace(f, png=_with_banner(f.png), caption=f"{BANNER}. {f.caption}") for f in figures]


def _with_banner(png: bytes) -> bytes:
    import matplotlib as mpl
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    file = Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans-Bold.ttf"
    size = _SIZE
    while (font := ImageFont.truetype(file, size)).getlength(BANNER) > picture.width - 2 * _SIDE:
        size -= 2
    height = 2 * size
    out = Image.new("RGB", (picture.width, picture.height + height), "white")
    out.paste(picture, (0, height))
    ImageDraw.Draw(out).text(
        (picture.width / 2, height / 2), BANNER, fill=_RED, font=font, anchor="mm"
    )
    data = io.BytesIO()
    out.save(data, format="png")
    return data.getvalue()
