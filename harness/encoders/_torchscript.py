"""OpenAI's TorchScript archives to safetensors. Only `fetch --convert` calls this.

Such an archive holds code, and reading it runs a part of that. So it is read only by its sha256,
which OpenAI has in the address of each file (or which the user states for another archive), in a
process of its own, which checks the digest of the very bytes that it reads. Everywhere else weights
are safetensors, or what torch reads with weights_only.

The process is this module: `python -m harness.encoders._torchscript FILE OUT SHA256 METADATA`.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.core.errors import EncoderError, OutputError
from harness.core.files import write_atomically
from harness.encoders._checkpoint_kinds import is_torchscript

#: Entries of OpenAI's state_dict that are settings, not weights.
_SETTINGS = ("input_resolution", "context_length", "vocab_size")
SOURCE = "source_sha256"
ARCHITECTURE = "open_clip_architecture"
#: How the process ends if the archive cannot be read, with one line that says why.
_UNREADABLE = 3


def convert(file: Path, out: Path | None, stated: str | None) -> tuple[Path, str | None]:
    """Write the weights of an archive as safetensors: (the file, its architecture if it is known).

    `out` is FILE with the suffix .safetensors unless it is given; `stated` is the sha256 that the
    user vouches for. A file that was made of the same archive before is left as it is.

    Raises EncoderError for a file that is no archive, or whose digest is neither known nor stated;
    OutputError for another file in the place of `out`.
    """
    if not file.is_file():
        raise EncoderError(f"there is no file {file}")
    if not is_torchscript(file):
        raise EncoderError(
            f"{file} is no TorchScript archive: a state_dict needs no conversion, write "
            "open_clip:ARCH@FILE"
        )
    with file.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    metadata = {"format": "pt", SOURCE: sha256, **trusted(file, sha256, stated)}
    out = out or file.with_suffix(".safetensors")
    if not _is_made(out, sha256):
        _in_own_process(file, out, sha256, metadata)
    return out, metadata.get(ARCHITECTURE)


def trusted(file: Path, sha256: str, stated: str | None) -> dict[str, str]:
    """What is known of an archive by its digest, as metadata for the weights.

    Raises EncoderError for a digest that is neither one of OpenAI's nor the stated one.
    """
    from harness.encoders._open_clip_library import PREPROCESS, openai_archives

    if stated is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", stated):
        raise EncoderError(f"--sha256: {stated} is no sha256: it has 64 hexadecimal digits")
    if stated is not None and stated.lower() != sha256:
        raise EncoderError(
            f"{file} has the sha256 {sha256[:12]}..., not {stated[:12]}...: it is damaged or "
            "another file"
        )
    known = {digest: (arch, tag) for digest, arch, tag in openai_archives()}
    if sha256 in known:
        arch, tag = known[sha256]
        preprocess = {key: tag[key] for key in PREPROCESS if key in tag}
        quick = json.dumps(bool(tag.get("quick_gelu")))
        return {
            ARCHITECTURE: arch, "quick_gelu": quick, "preprocess_cfg": json.dumps(preprocess),
        }  # fmt: skip
    if stated is None:
        raise EncoderError(
            f"{file} is none of the {len(known)} archives that OpenAI published, by its sha256 "
            f"({sha256[:12]}...): it may be damaged or hold other code; if it comes from where you "
            "trust it, give --sha256 with the digest that its publisher names"
        )
    return {}


def _is_made(out: Path, sha256: str) -> bool:
    from safetensors import SafetensorError

    from harness.core.safetensors_file import read_safetensors_header

    if not out.exists():
        return False
    try:
        made_of = read_safetensors_header(out).metadata.get(SOURCE)
    except (SafetensorError, OSError):
        made_of = None
    if made_of != sha256:
        raise OutputError(f"{out} exists and was not made of this archive: name another --out")
    return True


def _in_own_process(file: Path, out: Path, sha256: str, metadata: dict[str, str]) -> None:
    command = [sys.executable, "-W", "ignore", "-m", __spec__.name]
    ended = subprocess.run(
        [*command, str(file), str(out), sha256, json.dumps(metadata)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        raise EncoderError(f"{file} was not converted: {lines[-1][:300]}")


# --- in the process of its own --------------------------------------------------------------------


def _child(file: Path, out: Path, sha256: str, metadata: dict[str, str]) -> int:
    import io

    import torch
    from safetensors.torch import save

    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        return _fails("the file has changed while it was read")
    try:
        model = torch.jit.load(io.BytesIO(data), map_location="cpu")
    except RuntimeError as error:
        return _fails(" ".join(str(error).split())[:200])
    tensors = {
        name: tensor.detach().contiguous().clone()
        for name, tensor in model.state_dict().items()
        if name not in _SETTINGS
    }
    metadata.setdefault("quick_gelu", json.dumps(_is_quick(model)))
    if metadata["quick_gelu"] == "null":  # the archive does not tell it
        del metadata["quick_gelu"]
    write_atomically(out, lambda handle: handle.write(save(tensors, metadata)))
    return 0


def _is_quick(model: Any) -> bool | None:
    """Whether its modules are called QuickGELU or GELU, by their class."""
    names = {module.original_name for module in model.modules()}
    return True if "QuickGELU" in names else False if "GELU" in names else None


def _fails(why: str) -> int:
    sys.stderr.write(why + "\n")
    return _UNREADABLE


if __name__ == "__main__":
    _file, _out, _sha256, _metadata = sys.argv[1:]
    raise SystemExit(_child(Path(_file), Path(_out), _sha256, json.loads(_metadata)))
