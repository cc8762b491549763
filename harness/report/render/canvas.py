"""An empty Matplotlib figure, and the PNG of a drawn one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

DPI = 150


def canvas(width: float, height: float) -> MatplotlibFigure:
    """An empty figure; sizes in inches. Without pyplot, which would keep it and set a backend."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as MatplotlibFigure

    figure = MatplotlibFigure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def png(figure: MatplotlibFigure) -> bytes:
    """The PNG. No program name or time is written to it, so equal figures have equal bytes."""
    # The layout makes space for a colour bar and then for names: the first pass may cut names off.
    figure.draw_without_rendering()
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None}, facecolor="white")
    return out.getvalue()
