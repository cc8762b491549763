"""A banner over a figure: its rows were chosen on the test set."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from harness.report.model.figure import Figure
from harness.report.text.watermark import BANNER

_RED = "#B00020"
_SIZE, _SIDE = 28, 20  # of the letters and beside them, in pixels


def with_banner(figure: Figure) -> Figure:
    """The figure with the banner above it and at the head of its caption."""
    return replace(figure, png=_stamped(figure.png), caption=f"{BANNER}. {figure.caption}")


def _stamped(png: bytes) -> bytes:
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
