"""Pictures in folders, and the data set that reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from harness.data import folder
from harness.data._image_files import ImageFiles


def picture(path: Path, colour: tuple[int, ...] = (200, 10, 10), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (20, 12), colour).save(path)


def read(root: Path, **options: Any) -> ImageFiles:
    return folder.open_dataset(str(root), folder.Options(**options))
