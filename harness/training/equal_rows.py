"""Rows of a matrix that are equal, or so close that no classifier tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.listing import MOST_NAMED
from harness.core.text_findings import EqualRows, Pairs

if TYPE_CHECKING:
    import torch

#: Rows with a larger cosine are close.
CLOSE = 0.999
#: Rows of length 1 that are no further apart differ by rounding alone.
ROUNDING = 1e-5
#: Rows that are compared with all earlier ones at once: 512 x 21,000 cosines are 43 MB.
BLOCK = 512
#: Close rows of which the distance is computed, for each row.
LOOKED_AT = 8


def equal_rows(w_CD: torch.Tensor) -> EqualRows:
    """For every row an earlier row that it equals, else one that it is close to."""
    import torch
    from torch.nn import functional as F

    with torch.no_grad():
        w_CD = F.normalize(w_CD.detach().float().cpu(), dim=-1)
        equal = _same_bits(w_CD)
        close: dict[int, int] = {}
        for start in range(0, len(w_CD), BLOCK):
            rows_BD = w_CD[start : start + BLOCK]
            hit_BC = rows_BD @ w_CD[: start + len(rows_BD)].T > CLOSE
            # Only earlier rows: those of the block itself are below its diagonal.
            hit_BC = hit_BC.tril(diagonal=start - 1)
            for i in torch.nonzero(hit_BC.any(dim=1))[:, 0].tolist():
                row = start + i
                if row in equal:
                    continue
                earlier_K = torch.nonzero(hit_BC[i])[:LOOKED_AT, 0]
                apart_K = (w_CD[earlier_K].double() - w_CD[row].double()).norm(dim=-1)
                same = torch.nonzero(apart_K <= ROUNDING)
                (equal if len(same) else close)[row] = int(
                    earlier_K[same[0, 0]] if len(same) else earlier_K[0]
                )
    return EqualRows(_first(equal), len(equal), _first(close), len(close))


def _first(earlier: dict[int, int]) -> Pairs:
    return tuple((earlier[row], row) for row in sorted(earlier)[:MOST_NAMED])


def _same_bits(w_CD: torch.Tensor) -> dict[int, int]:
    """Row -> the first row of the same bits, for all that are not the first."""
    first: dict[bytes, int] = {}
    known = [first.setdefault(row.tobytes(), c) for c, row in enumerate(w_CD.numpy())]
    return {c: earlier for c, earlier in enumerate(known) if earlier != c}
