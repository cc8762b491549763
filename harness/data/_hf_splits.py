"""The splits of a folder of pictures that the datasets library reads.

The library takes every folder and every file whose name begins with train, test, eval, ... for a
split, at any depth: a class `train` or `test tube`, a picture `test_1.png`. Here the folders at the
top decide, as for `folder:`, and all of it is the split `train` where they are classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.data._listing import folders_in, is_folder, suffix_of, visible
from harness.data._split_folders import Wanted, split_names

#: Names of splits as the library knows them, in lower case; the first is what it calls the split.
LIBRARY_SPELLINGS = {
    "train": ("train", "training"),
    "test": ("test", "testing", "eval", "evaluation"),
    "validation": ("validation", "valid", "val", "dev"),
}
#: Files that are read as tables: their names say which split they are.
TABLES = (".parquet", ".arrow", ".csv", ".tsv", ".json", ".jsonl", ".zip", ".tar", ".gz", ".txt")
#: Tables that describe the pictures beside them.
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


def picture_splits(root: Path, shown: str) -> Mapping[str, str] | None:
    """Split -> pattern of its files. None where the library finds the splits itself: in tables and
    archives, or as a README.md with metadata says.

    Raises DataError for two folders of one split.
    """
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    if _has_metadata(root / "README.md") or not _holds_pictures(root):
        return None
    wanted = Wanted(frozenset(ImageFolder.EXTENSIONS), "pictures", shown)
    splits = split_names(root, wanted, LIBRARY_SPELLINGS)
    if not splits:
        return {"train": "**"}
    return {split: f"{_literal(folder.name)}/**" for split, folder in splits.items()}


def _has_metadata(readme: Path) -> bool:
    """Whether a README begins with YAML, which may say where the splits are."""
    try:
        with readme.open("rb") as handle:
            return handle.read(3) == b"---"
    except OSError:
        return False


def _holds_pictures(root: Path) -> bool:
    """Whether there are folders, and no table or archive at the top or in a folder below it."""
    folders = folders_in(root)
    top = [e for folder in (root, *folders) for e in visible(folder) if not is_folder(e)]
    return bool(folders) and not any(
        suffix_of(entry.name) in TABLES and entry.name not in METADATA
        and not entry.name.lower().startswith(("readme", "license"))
        for entry in top
    )  # fmt: skip


def _literal(name: str) -> str:
    """A name in a pattern, in which brackets and asterisks have a meaning."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
