"""Precomputed features in the three forms that are read, written by the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

N, F, D = 12, 6, 4
NAMES = ("cat", "barn owl", "dog")


def arrays(**changes: Any) -> dict[str, Any]:
    """Three classes, two training and two test samples each; None leaves an array out."""
    rng = np.random.default_rng(0)
    values = {
        "features": rng.normal(size=(N, F)).astype(np.float32),
        "labels": np.tile([0, 1, 2], 4),
        "split": np.repeat(["train", "test"], 6),
        "class_names": np.array(NAMES),
        "text_features": rng.normal(size=(3, F)).astype(np.float32),
        "logit_scale": np.float32(50),
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def npz(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "f.npz"
    np.savez(path, **arrays(**changes))
    return path


def as_folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    root.mkdir()
    for name, value in arrays(class_names=None).items():
        np.save(root / f"{name}.npy", value)
    (root / "class_names.txt").write_text("\n".join(NAMES), encoding="utf-8")
    (root / "README.md").write_text("not an array", encoding="utf-8")
    return root


def as_safetensors(tmp_path: Path) -> Path:
    from safetensors.numpy import save_file

    values = arrays()
    values["logit_scale"] = np.array([50], dtype=np.float32)
    texts = {name: json.dumps(values.pop(name).tolist()) for name in ("split", "class_names")}
    save_file(values, tmp_path / "f.safetensors", metadata=texts | {"format": "np"})
    return tmp_path / "f.safetensors"
