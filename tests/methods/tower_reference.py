"""Trainings of small towers written out from the formulas, to compare cells with.

Full batches in the order of the support set, so a step does not depend on the order of samples.
N samples, C classes, D width of the joint space, A (r, F) and B (D, r) of an adapter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from harness.core.protocols.plugin import NoOptions
from harness.encoders import hf_clip, open_clip
from harness.plan.resolve import ResolvedCell

Texts = Callable[[Sequence[str]], torch.Tensor]


def fresh(reference: str) -> tuple[Any, Any]:
    """The image and the text encoder of `open_clip:...` or `hf_clip:...`, as they are on disk."""
    family, _, argument = reference.partition(":")
    if family == "open_clip":
        options = open_clip.Options()
        return open_clip.build_image(argument, options), open_clip.build_text(argument, options)
    return hf_clip.build_image(argument, NoOptions()), hf_clip.build_text(argument, NoOptions())


def norms_of(module: Any) -> list[torch.Tensor]:
    kinds = (nn.LayerNorm, nn.BatchNorm2d)
    return [t for m in module.modules() if isinstance(m, kinds) for t in m.parameters()]


@dataclass
class Reference:
    """Both towers of a cell as they are on disk, its pictures, its labels and its logit scale."""

    cell: ResolvedCell
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.image, self.text = fresh(self.cell.cell.encoder.name)
        for module in (self.image.module, self.text.module):
            module.requires_grad_(requires_grad=False)
        weight_DF, bias_D = self.image.projection()
        self.p_DF = weight_DF.detach().clone()
        self.b_D = None if bias_D is None else bias_D.detach().clone()
        self.scale = self.cell.setup.facts.logit_scale
        support, setup = self.cell.support, self.cell.setup
        assert support is not None
        self.names = setup.trained.names
        self.x_NCHW = self.pictures(setup.dataset, support.items)
        self.y_N = torch.tensor(support.labels)
        self.tested_NCHW = self.pictures(setup.test_dataset, self.cell.test.items)
        self.tested_y_N = torch.tensor(self.cell.test.labels)
        #: Changes of the towers' tensors, by name.
        self.of_image: Mapping[str, torch.Tensor] = {}
        self.of_text: Mapping[str, torch.Tensor] = {}

    def pictures(self, data: Any, items: Sequence[str]) -> torch.Tensor:
        size = self.cell.setup.resolution
        return torch.stack([self.image.preprocess(data.image(item), size) for item in items])

    def embed(self, x_NCHW: torch.Tensor) -> torch.Tensor:
        """z_ND of length 1."""
        state = {f"module.{name}": tensor for name, tensor in self.of_image.items()}
        h_NF: torch.Tensor = functional_call(_Features(self.image), state, (x_NCHW,))
        return F.normalize(F.linear(h_NF, self.p_DF, self.b_D), dim=-1)

    def texts(self, names: Sequence[str]) -> torch.Tensor:
        """w_CD of length 1, of the class names."""
        state = {f"module.{name}": tensor for name, tensor in self.of_text.items()}
        w_CD: torch.Tensor = functional_call(_Texts(self.text), state, (list(names),))
        return F.normalize(w_CD, dim=-1)

    def train(
        self,
        optimiser: torch.optim.Optimizer,
        steps: int,
        loss: Callable[[], torch.Tensor],
        first: int = 0,
    ) -> None:
        """Steps at a rate that falls to 0 by a cosine, from `first` steps of warm-up on."""
        rates = [group["lr"] for group in optimiser.param_groups]
        for t in range(steps):
            done = (t - first) / max(steps - first, 1)
            factor = t / first if t < first else (1 + math.cos(math.pi * done)) / 2
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            optimiser.zero_grad()
            value = loss()
            value.backward()
            optimiser.step()
            self.losses.append(value.item())

    def cross_entropy(self, rows: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Of the scaled cosines with these rows, of length 1."""
        logits_NC = self.scale * self.embed(self.x_NCHW) @ rows().T
        return F.cross_entropy(logits_NC, self.y_N)

    def probabilities(self, w_CD: torch.Tensor) -> torch.Tensor:
        """Of the true classes of the test samples."""
        with torch.no_grad():
            logits_NC = self.scale * self.embed(self.tested_NCHW) @ F.normalize(w_CD, dim=-1).T
        return logits_NC.softmax(dim=1)[torch.arange(len(self.tested_y_N)), self.tested_y_N]


class _Features(nn.Module):
    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.module, self._encoder = encoder.module, encoder

    def forward(self, x_NCHW: torch.Tensor) -> Any:
        return self._encoder.features(x_NCHW)


class _Texts(nn.Module):
    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.module, self._encoder = encoder.module, encoder

    def forward(self, names: list[str]) -> Any:
        return self._encoder.encode(names)
