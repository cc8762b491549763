"""A figure of a report: its file name, its caption and its bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A PNG. `name` is its file name in the folder of the task; a notebook shows it as it is."""

    name: str
    caption: str
    png: bytes

    @property
    def alt(self) -> str:
        """The first sentence of the caption, for readers who do not see the picture."""
        return self.caption.partition(". ")[0].removesuffix(".")

    def _repr_png_(self) -> bytes:
        """What IPython displays."""
        return self.png
