"""Small data sets in the formats that researchers bring, written by the tests."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from PIL import Image

NAMES = ("red_car", "blue_boat", "green_bus")
SPACED = ("red car", "blue boat", "green bus")
COLOURS = ((200, 20, 20), (20, 20, 200), (20, 180, 20))
SPLITS = {"train": 3, "test": 2}


def picture(label: int, number: int) -> Image.Image:
    """Of the class's colour, and no two the same."""
    noise = np.random.default_rng([label, number]).integers(0, 40, (24, 24, 3))
    return Image.fromarray(np.clip(noise + COLOURS[label], 0, 255).astype(np.uint8))


def encoded(label: int, number: int) -> bytes:
    buffer = io.BytesIO()
    picture(label, number).save(buffer, "PNG")
    return buffer.getvalue()


def numbers(split: str) -> range:
    return range(SPLITS["train"]) if split == "train" else range(100, 100 + SPLITS["test"])


def rows(split: str) -> list[tuple[int, int]]:
    """(label, number) of every picture."""
    return [(label, n) for n in numbers(split) for label in range(len(NAMES))]


def table(
    split: str, *, kind: str = "class", names: Sequence[str] = NAMES,
    image: str = "image", label: str = "label", pictures: Mapping[int, bytes] | None = None,
) -> datasets.Dataset:  # fmt: skip
    """One split. `kind` of the labels: class, string or int; `pictures` replaces some by row."""
    values: list[Any] = [c if kind != "string" else names[c] for c, _ in rows(split)]
    contents = [encoded(*row) for row in rows(split)]
    for n, content in (pictures or {}).items():
        contents[n] = content
    what = {
        "class": datasets.ClassLabel(names=list(names)),
        "string": datasets.Value("string"),
        "int": datasets.Value("int64"),
    }[kind]
    return datasets.Dataset.from_dict(
        {image: [{"bytes": content, "path": None} for content in contents], label: values},
        features=datasets.Features({image: datasets.Image(), label: what}),
    )


def parquet(
    root: Path, splits: Sequence[str] = ("train", "test"), *,
    pictures: Mapping[int, bytes] | None = None, **options: Any,
) -> Path:  # fmt: skip
    """`pictures` replaces some of the training pictures by row."""
    root.mkdir(parents=True, exist_ok=True)
    for split in splits:
        options["pictures"] = pictures if split == "train" else None
        table("test" if split == "validation" else split, **options).to_parquet(
            str(root / f"{split}-00000-of-00001.parquet")
        )
    return root


def saved(root: Path, **tables: datasets.Dataset) -> Path:
    splits = tables or {split: table(split) for split in SPLITS}
    datasets.DatasetDict(splits).save_to_disk(str(root))
    return root


def class_folders(root: Path, splits: Sequence[str] = ("train", "test")) -> Path:
    for split in splits:
        for label, n in rows(split):
            path = root / split / NAMES[label] / f"{n}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(label, n))
    return root


def hub_cache(cache: Path, name: str, config: str = "default") -> None:
    """What the datasets library leaves in its cache of a data set `name` of the hub."""
    from datasets.packaged_modules.parquet.parquet import Parquet

    files = {
        s: [str(parquet(cache / "source", [s]) / f"{s}-00000-of-00001.parquet")] for s in SPLITS
    }
    short = name.rpartition("/")[2]
    builder = Parquet(
        cache_dir=str(cache / "made"), dataset_name=short, hash="0123", config_name=config,
        data_files=files,
    )  # fmt: skip
    builder.download_and_prepare()
    place = cache / name.replace("/", "___") / config / "0.0.0" / "0123"
    place.parent.mkdir(parents=True)
    Path(builder.cache_dir).rename(place)


def coop(root: Path, name: str = "oxford_pets", **changes: Any) -> Path:
    """A folder of CoOp's layout with a split_zhou_*.json; `changes` replaces parts of it."""
    from harness.data.coop import _layout

    layout = _layout()[name]
    split: dict[str, Any] = {"val": [["val/9.png", 0, NAMES[0]]]}
    for part in SPLITS:
        split[part] = []
        for label, n in rows(part):
            file = f"{part}/{label}_{n}.png"
            path = root / name / layout["images"] / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(label, n))
            split[part].append([file, label, NAMES[label]])
    (root / name / layout["split"]).write_text(json.dumps(split | changes), encoding="utf-8")
    return root / name
