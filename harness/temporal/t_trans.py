"""T-Trans: a transformer over the embeddings of the frames (the paper's Table 2).

Learned frame positions are added, then come 6 pre-LN blocks (self-attention over all frames, an
MLP of width 4 D with QuickGELU, LayerNorm eps 1e-12, no final norm, no dropout); their input
without the positions is added again, and the mean over the frames is taken.

The start is that of the authors' public code (whwu95/Text4Vis, modules/video_clip.py): positions
and the matrices of linear layers N(0, 0.02), their biases 0, norms 1 and 0. One matrix is no linear
layer there: attention's joint query, key and value matrix, Xavier uniform as torch starts it. The
authors take the number of heads from the text tower, its width / 64; a module that sees embeddings
only takes D / 64, the same for CLIP's ViTs and twice as many for its ResNet-50; `heads: text_width`
takes theirs. They have 77 positions, of which the first T are used (`positions: 77`).

Added to embeddings of a standard deviation of 0.5, positions of 0.02 take long to have an effect:
in a few hundred steps the frames stay a set, as they are for tap. A short training needs a larger
`position_std`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.facts import CellFacts
from harness.core.protocols.temporal import TemporalInputs

if TYPE_CHECKING:
    import torch

PLACE = "embedding"
HEAD_WIDTH, STD, EPS = 64, 0.02, 1e-12


class Options(BaseModel):
    """layers: blocks; position_std: of the frame positions at the start; heads: a number, or
    text_width for one head for 64 dimensions of the encoder's text tower, by default one for 64 of
    the embedding; positions: how many there are, by default one a frame.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: int = Field(default=6, ge=1, le=48)
    position_std: float = Field(default=STD, gt=0, le=10)
    heads: int | Literal["text_width"] | None = Field(default=None, union_mode="left_to_right")
    positions: int | None = Field(default=None, ge=1, le=10_000)

    @field_validator("heads")
    @classmethod
    def _at_least_one(cls, value: int | str | None) -> int | str | None:
        if isinstance(value, int) and value < 1:
            raise ValueError("must be at least 1, or text_width")
        return value


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Random blocks mean nothing before they are trained."""
    was_trained = "temporal" in facts.restored
    if cell.tuning in ("none", "head", "prompt") and not was_trained:
        return (
            f"t_trans begins at random and is not trained: tuning is {cell.tuning}, not projection"
        )
    options = Options(**dict(cell.temporal.options if cell.temporal else ()))
    if options.positions is not None and (cell.frames or 1) > options.positions:
        return f"t_trans has {options.positions} positions, fewer than {cell.frames} frames"
    dim, width = facts.encoder.dim, facts.encoder.text_width
    if options.heads == "text_width" and width is None:
        return "t_trans: heads: text_width needs an encoder whose text tower has a known width"
    if options.heads is not None and dim % head_count(dim, options.heads, width):
        n = head_count(dim, options.heads, width)
        return f"t_trans: {n} heads do not divide the {dim} dimensions of the embeddings"
    return None


def build(inputs: TemporalInputs, options: Options) -> torch.nn.Module:
    """A module from z_BTD to z_BD; T is `inputs.frames`, or with the option positions at most that
    many. Other clips raise CellError.
    """
    import torch

    n_heads = head_count(inputs.dim, options.heads, inputs.text_width)

    class FrameTransformer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            positions_TD = torch.empty(options.positions or inputs.frames, inputs.dim)
            self.positions_TD = torch.nn.Parameter(positions_TD)
            self.blocks = torch.nn.Sequential(
                *(_block(inputs.dim, n_heads) for _ in range(options.layers))
            )

        def forward(self, z_BTD: torch.Tensor) -> torch.Tensor:
            t, known = z_BTD.shape[1], len(self.positions_TD)
            if t > known or (t < known and options.positions is None):
                raise CellError(
                    f"t_trans was made for {known} frames and cannot read a clip of {t}"
                )
            mixed_BTD = self.blocks(z_BTD + self.positions_TD[:t])
            pooled_BD: torch.Tensor = (mixed_BTD.to(z_BTD.dtype) + z_BTD).mean(dim=1)
            return pooled_BD

    module = FrameTransformer()
    _draw(module, inputs.generator)
    with torch.no_grad():  # scaled after the draw: the same positions for every position_std
        module.positions_TD.mul_(options.position_std / STD)
    return module


def head_count(dim: int, asked: int | str | None, text_width: int | None) -> int:
    """The number of heads for embeddings of width D; `asked` as in the options.

    Raises CellError for `text_width` where that is not known.
    """
    if asked == "text_width":
        if text_width is None:
            raise CellError("t_trans: heads: text_width: the width of the text tower is not known")
        return max(1, text_width // HEAD_WIDTH)
    return heads(dim) if asked is None else int(asked)


def heads(dim: int) -> int:
    """The largest number of heads, at most one for 64 dimensions, that divides D."""
    return next(h for h in range(max(1, dim // HEAD_WIDTH), 0, -1) if dim % h == 0)


def _block(dim: int, n_heads: int) -> torch.nn.Module:
    """A pre-LN block without values: torch would draw them from the global stream."""
    import torch

    block = torch.nn.TransformerEncoderLayer(
        dim, n_heads, dim_feedforward=4 * dim, dropout=0.0, activation=quick_gelu,
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
