"""Grey pictures of more than 8 bits: scaled by the range that they declare, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.errors import DataError
from harness.data._images import open_rgb

from .tiffs import MOST, PLANES, SAMPLE_FORMAT, packed_12, tiff

GREY = [0, 1000, 2048, 4095]  # of 12 bits
SCALED = [0, 62, 128, 255]
VALUES_HW = np.array([GREY])
TIMES_16 = VALUES_HW * 16
COLOURS_HWC = np.stack([TIMES_16, TIMES_16[:, ::-1], TIMES_16 * 0], axis=-1)


def first_row(path: Path) -> Any:
    return np.asarray(open_rgb(path))[0, :, 0].tolist()


READ: dict[str, tuple[bytes, list[int]]] = {
    "12 bits": (tiff(VALUES_HW, 12, strip=packed_12(GREY)), SCALED),
    "12 bits in 16, declared": (tiff(VALUES_HW.astype("<u2"), 16, tags={MOST: 4095}), SCALED),
    "16 bits": (tiff(TIMES_16.astype("<u2"), 16), SCALED),
    "16 bits, big-endian": (tiff(TIMES_16.astype(">u2"), 16, order=">"), SCALED),
    "white is zero": (
        tiff(TIMES_16.astype("<u2"), 16, photometric=0), [255, 193, 127, 0],
    ),
    # 3000 is what happens to occur: it is no range.
    "the largest value": (tiff(VALUES_HW.astype("<u2"), 16, tags={MOST: 3000}), [0, 4, 8, 16]),
    "int16, declared": (
        tiff(VALUES_HW.astype("<i2"), 16, tags={SAMPLE_FORMAT: 2, MOST: 4095}), SCALED,
    ),
    "int32, declared": (
        tiff(VALUES_HW.astype("<i4"), 32, tags={SAMPLE_FORMAT: 2, MOST: 4095}), SCALED,
    ),
    "uint32, declared": (tiff(TIMES_16.astype("<u4"), 32, tags={MOST: 65535}), SCALED),
    "16 bits of colour": (tiff(COLOURS_HWC.astype("<u2"), 16, photometric=2, samples=3), SCALED),
    "1 bit": (tiff(VALUES_HW, 1, strip=bytes([0b01010000])), [0, 255, 0, 255]),
    "4 bits": (tiff(VALUES_HW, 4, strip=bytes([0x0F, 0x73])), [0, 255, 119, 51]),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_is_declared_is_scaled(tmp_path: Path, name: str) -> None:
    content, right = READ[name]
    (tmp_path / "x.tif").write_bytes(content)
    assert first_row(tmp_path / "x.tif") == pytest.approx(right, abs=1)


REFUSED: dict[str, tuple[bytes, str]] = {
    "int16": (tiff(VALUES_HW.astype("<i2"), 16, tags={SAMPLE_FORMAT: 2}), "signed .* of 16 bits"),
    "int32": (tiff(VALUES_HW.astype("<i4"), 32, tags={SAMPLE_FORMAT: 2}), "signed .* of 32 bits"),
    "uint32": (tiff(VALUES_HW.astype("<u4"), 32), "whole numbers of 32 bits"),
    "above the range": (
        tiff(VALUES_HW.astype("<u2"), 16, tags={MOST: 2047}), "to 4095; its range ends at 2047",
    ),
    "int8": (
        tiff(np.array([[0, -1]], dtype="i1"), 8, tags={SAMPLE_FORMAT: 2}), "signed numbers",
    ),
    "float32": (tiff(VALUES_HW.astype("<f4"), 32, tags={SAMPLE_FORMAT: 3}), "floating-point"),
    "float64": (tiff(VALUES_HW.astype("<f8"), 64, tags={SAMPLE_FORMAT: 3}), "not a picture"),
    "colours of 12 bits in 16": (
        tiff((COLOURS_HWC // 16).astype("<u2"), 16, photometric=2, samples=3, tags={MOST: 4095}),
        "colours from 0 to 4095",
    ),
    "channels of 16 bits apart": (
        tiff(VALUES_HW, 16, photometric=2, samples=3, tags={PLANES: 2},
             strip=np.moveaxis(COLOURS_HWC, -1, 0).astype("<u2").tobytes()),
        "one after the other",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_is_refused(tmp_path: Path, name: str) -> None:
    content, said = REFUSED[name]
    (tmp_path / "x.tif").write_bytes(content)
    with pytest.raises(DataError, match=rf"picture .*x\.tif .*{said}"):
        open_rgb(tmp_path / "x.tif")


def test_whole_numbers_of_another_format_are_refused(tmp_path: Path) -> None:
    cards = ("SIMPLE  =", "T"), ("BITPIX  =", "32"), ("NAXIS   =", "2"), ("NAXIS1  =", "1"), (
        "NAXIS2  =", "1")  # fmt: skip
    header = "".join(f"{key} {value:>20}".ljust(80) for key, value in cards) + "END".ljust(80)
    (tmp_path / "x.fits").write_bytes(header.ljust(2880).encode() + bytes([0, 0, 0, 200]))
    with pytest.raises(DataError, match=r"x\.fits \(FITS\) holds whole numbers"):
        open_rgb(tmp_path / "x.fits")


def test_a_range_of_a_pgm_is_scaled(tmp_path: Path) -> None:
    (tmp_path / "x.pgm").write_bytes(b"P5\n4 1\n4095\n" + VALUES_HW.astype(">u2").tobytes())
    assert first_row(tmp_path / "x.pgm") == SCALED


def test_a_declared_range_is_known_after_a_picture_was_turned(tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(
        tiff(VALUES_HW.astype("<u2"), 16, tags={MOST: 4095, 274: 3})  # upside down
    )
    assert first_row(tmp_path / "x.tif") == SCALED[::-1]
