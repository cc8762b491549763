"""T-Trans: a transformer over the embeddings of the frames (the paper's Table 2).

Learned frame positions are added, then come 6 pre-LN blocks (self-attention over all frames, an
MLP of width 4 D with QuickGELU, LayerNorm eps 1e-12, no final norm, no dropout); their input
without the positions is added again, and the mean over the frames is taken.

The start is that of the authors' public code (whwu95/Text4Vis, modules/video_clip.py): positions
and the matrices of linear layers N(0, 0.02), their biases 0, norms 1 and 0. One matrix is no linear
layer there: attention's joint query, key and value matrix, Xavier uniform as torch starts it. The
authors take the number of heads from the text tower, its width / 64; a module that sees embeddings
only takes D / 64, the same for CLIP's ViTs and twice as many for its ResNet-50.

Added to embeddings of a standard deviation of 0.5, positions of 0.02 take long to have an effect:
in a few hundred steps the frames stay a set, as they are for tap. A short training needs a larger
`position_std`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.facts import CellFacts
from harness.core.protocols.temporal import TemporalInputs

if TYPE_CHECKING:
    import torch

PLACE = "embedding"
HEAD_WIDTH, STD, EPS = 64, 0.02, 1e-12


class Options(BaseModel):
    """layers: blocks; position_std: of the frame positions at the start. The defaults are the
    reference's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: int = Field(default=6, ge=1, le=48)
    position_std: float = Field(default=STD, gt=0, le=10)


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Random blocks mean nothing before they are trained."""
    if cell.tuning in ("none", "head"):
        return (
            f"t_trans begins at random and is not trained: tuning is {cell.tuning}, not projection"
        )
    return None


def build(inputs: TemporalInputs, options: Options) -> torch.nn.Module:
    """A module from z_BTD to z_BD; T is `inputs.frames`, other clips raise CellError."""
    import torch

    class FrameTransformer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            positions_TD = torch.empty(inputs.frames, inputs.dim)
            self.positions_TD = torch.nn.Parameter(positions_TD)
            self.blocks = torch.nn.Sequential(*(_block(inputs.dim) for _ in range(options.layers)))

        def forward(self, z_BTD: torch.Tensor) -> torch.Tensor:
            if z_BTD.shape[1] != len(self.positions_TD):
                raise CellError(
                    f"t_trans was made for {len(self.positions_TD)} frames and cannot read a "
                    f"clip of {z_BTD.shape[1]}"
                )
            mixed_BTD = self.blocks(z_BTD + self.positions_TD)
            pooled_BD: torch.Tensor = (mixed_BTD.to(z_BTD.dtype) + z_BTD).mean(dim=1)
            return pooled_BD

    module = FrameTransformer()
    _draw(module, inputs.generator)
    with torch.no_grad():  # scaled after the draw: the same positions for every position_std
        module.positions_TD.mul_(options.position_std / STD)
    return module


def heads(dim: int) -> int:
    """The largest number of heads, at most one for 64 dimensions, that divides D."""
    return next(h for h in range(max(1, dim // HEAD_WIDTH), 0, -1) if dim % h == 0)


def _block(dim: int) -> torch.nn.Module:
    """A pre-LN block without values: torch would draw them from the global stream."""
    import torch

    block = torch.nn.TransformerEncoderLayer(
        dim, heads(dim), dim_feedforward=4 * dim, dropout=0.0, activation=quick_gelu,
        layer_norm_eps=EPS, batch_first=True, norm_first=True, device="meta",
    )  # fmt: skip
    return block.to_empty(device="cpu")


def quick_gelu(x: torch.Tensor) -> torch.Tensor:
    """CLIP's approximation of GELU."""
    return x * (1.702 * x).sigmoid()


def _draw(module: torch.nn.Module, generator: torch.Generator) -> None:
    """The initial values that the docstring of this file describes, in a fixed order."""
    import torch

    with torch.no_grad():
        for name, value in module.named_parameters():
            if name.endswith("bias"):
                value.zero_()
            elif ".norm" in name:
                value.fill_(1.0)
            elif name.endswith("in_proj_weight"):
                bound = (6 / sum(value.shape)) ** 0.5
                value.uniform_(-bound, bound, generator=generator)
            else:
                value.normal_(0.0, STD, generator=generator)
