"""The banner over the figures of a report whose rows were chosen on the test set."""

from __future__ import annotations

import io

from PIL import Image

from harness.report.model.figure import Figure
from harness.report.render.banner import with_banner
from harness.report.text.watermark import BANNER


def test_it_is_above_the_figure_and_changes_nothing_below() -> None:
    data = io.BytesIO()
    Image.effect_noise((900, 200), 50).convert("RGB").save(data, format="png")
    plain = Figure("accuracy.png", "Accuracy.", data.getvalue())
    stamped = with_banner(plain)
    before = Image.open(io.BytesIO(plain.png)).convert("RGB")
    after = Image.open(io.BytesIO(stamped.png))
    band = after.height - before.height
    assert band > 20
    assert after.crop((0, band, *after.size)).tobytes() == before.tobytes()
    colours = after.crop((0, 0, after.width, band)).getcolors(100_000)
    assert colours is not None
    assert (176, 0, 32) in {colour for _, colour in colours}
    assert stamped.caption == f"{BANNER}. Accuracy."


def test_it_fits_a_narrow_figure() -> None:
    data = io.BytesIO()
    Image.new("RGB", (300, 100), "white").save(data, format="png")
    stamped = Image.open(io.BytesIO(with_banner(Figure("a.png", "A.", data.getvalue())).png))
    assert stamped.width == 300
    edge = stamped.crop((0, 0, 4, stamped.height)).getcolors()
    assert edge is not None
    assert [colour for _, colour in edge] == [(255, 255, 255)]
