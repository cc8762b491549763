"""The visual tower of an open_clip model, up to its features; the projection is taken off it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from harness.core.errors import EncoderError
from harness.encoders._open_clip_source import OpenClipSource
from harness.encoders._pixels import Pixels

if TYPE_CHECKING:
    import torch
    from PIL import Image


class OpenClipImage:
    """The visual tower. `module` ends at the features; the projection is kept apart from it."""

    def __init__(self, model: Any, source: OpenClipSource) -> None:
        self.module = model.visual
        self._preprocess = source.preprocess
        self._size = model.visual.image_size
        self._weight_DF, self._bias_D = _take_projection(
            self.module, int(source.config["embed_dim"])
        )
        self._transforms: dict[int, Pixels] = {}

    def resize(self, resolution: int) -> None:
        """Make the tower ready for pictures of another size.

        Raises EncoderError for a tower that knows one size only.
        """
        if (resolution, resolution) == _pair(self._size):
            return
        _resize(self.module, resolution)
        self._size = resolution

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """One picture as (3, R, R): open_clip's own transform of these weights, at R."""
        return self._transform(resolution).whole(image)

    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        """A picture of R x R pixels as (3, R, R)."""
        return self.preprocess(image, image.width)

    def pixels(self, image: Image.Image, resolution: int) -> torch.Tensor:
        """`preprocess` up to its normalisation: (3, R, R), uint8."""
        return self._transform(resolution).pixels(image)

    def pixels_as_cut(self, image: Image.Image) -> torch.Tensor:
        """`as_tensor` up to its normalisation."""
        return self.pixels(image, image.width)

    def normalise(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """The normalisation of these weights."""
        return self._transform(x_BCHW.shape[-1]).normalise(x_BCHW)

    def _transform(self, resolution: int) -> Pixels:
        if resolution not in self._transforms:
            from open_clip.transform import PreprocessCfg, image_transform_v2

            config = PreprocessCfg(**{**self._preprocess, "size": resolution})
            self._transforms[resolution] = Pixels(image_transform_v2(config, is_train=False))
        return self._transforms[resolution]

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        """h_BF, what the last linear layer reads."""
        output = self.module(x_BCHW)
        # CoCa's tower returns its tokens beside the pooled features.
        h_BF: torch.Tensor = output[0] if isinstance(output, tuple) else output
        return h_BF

    def projection(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Weight (D, F), and bias (D,) or None."""
        return self._weight_DF, self._bias_D


def _take_projection(visual: Any, dim: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Take the last linear layer off a tower: (weight (D, F), bias or None).

    The identity where a tower does not end in a linear layer.
    """
    import torch
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.timm_model import TimmModel

    if isinstance(visual, ModifiedResNet):
        last = visual.attnpool.c_proj
        visual.attnpool = _pool_without_projection(visual.attnpool)
        return last.weight.detach().clone(), last.bias.detach().clone()
    if isinstance(visual, TimmModel) and isinstance(
        last := getattr(visual.head, "proj", None), torch.nn.Linear
    ):
        visual.head.proj = torch.nn.Identity()
        bias = None if last.bias is None else last.bias.detach().clone()
        return last.weight.detach().clone(), bias
    if isinstance(getattr(visual, "proj", None), torch.nn.Parameter):
        weight_DF = visual.proj.detach().T.contiguous().clone()
        visual.proj = None
        return weight_DF, None
    return torch.eye(dim), None


def _pool_without_projection(pool: Any) -> Any:
    """CLIP's attention pooling up to, and without, its c_proj.

    Only the mean token is a query: the library computes the outputs of the others and drops them.
    """
    import torch
    from torch.nn import functional as F

    class AttentionPool(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.positional_embedding = pool.positional_embedding
            self.q_proj, self.k_proj, self.v_proj = pool.q_proj, pool.k_proj, pool.v_proj
            self.num_heads = pool.num_heads

        def forward(self, x_BFHW: torch.Tensor) -> torch.Tensor:
            x_BTF = x_BFHW.flatten(2).transpose(1, 2)
            x_BTF = torch.cat([x_BTF.mean(dim=1, keepdim=True), x_BTF], dim=1)
            x_BTF = x_BTF + self.positional_embedding
            q, k, v = (
                linear(part).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
                for linear, part in (
                    (self.q_proj, x_BTF[:, :1]),
                    (self.k_proj, x_BTF),
                    (self.v_proj, x_BTF),
                )
            )
            h_BF: torch.Tensor = F.scaled_dot_product_attention(q, k, v).flatten(1)
            return h_BF

    return AttentionPool()


def _resize(visual: Any, resolution: int) -> None:
    """Fit a tower to another picture size, as open_clip would when it loads the weights.

    Raises EncoderError for a CLIP ResNet.
    """
    import torch
    from open_clip.model import resize_pos_embed
    from open_clip.modified_resnet import ModifiedResNet
    from open_clip.timm_model import TimmModel

    if isinstance(visual, ModifiedResNet):
        raise EncoderError(
            f"this ResNet reads pictures of {visual.image_size} only: open_clip does not resize "
            "the positional embeddings of its attention pooling"
        )
    if isinstance(visual, TimmModel):
        visual.set_input_size(resolution)
        return
    patch = _pair(visual.patch_size)
    grid = (resolution // patch[0], resolution // patch[1])
    # open_clip interpolates the embeddings of a checkpoint for a model: both are imitated here.
    model = SimpleNamespace(visual=SimpleNamespace(grid_size=grid))
    checkpoint = {"visual.positional_embedding": visual.positional_embedding.detach()}
    resize_pos_embed(checkpoint, model)
    visual.positional_embedding = torch.nn.Parameter(checkpoint["visual.positional_embedding"])
    visual.image_size, visual.grid_size = (resolution, resolution), grid


def _pair(size: Any) -> tuple[int, int]:
    """(height, width) of a size that may be one number."""
    return (int(size), int(size)) if isinstance(size, int) else (int(size[0]), int(size[1]))
