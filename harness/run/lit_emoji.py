"""The LiT layer of embedded/lit-emoji: one linear layer from image features to text space.

Both encoders are frozen; only the layer is trained, by cross-entropy of the scaled cosine between
the mapped features of an emoji and the embeddings of the 868 aligned class names. The benchmark and
development classes are not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.cells import Choice
from harness.core.facts import EncoderFacts
from harness.core.protocols.dataset import Dataset
from harness.core.seeding import torch_stream
from harness.data import emoji
from harness.encoders import embedded
from harness.plan.catalogue import Catalogue
from harness.sampling.sets import draw_test
from harness.training.features import FeatureStore, Progress
from harness.training.threads import one_core_pool

if TYPE_CHECKING:
    import torch

EPOCHS, BATCH, LR, WEIGHT_DECAY, DROPOUT = 6, 512, 1e-3, 0.1, 0.3


def rebuild_lit_emoji(target: Path, progress: Progress | None = None) -> dict[str, float]:
    """Train the layer and write it to `target` as float16 safetensors.

    Returns its zero-shot top-1 (fractions) on the development classes' test drawings.
    """
    import torch
    from safetensors.torch import save_file
    from torch.nn import functional as F

    data = Catalogue().dataset(Choice("emoji"))
    aligned = list(data.part("aligned"))
    position = {c: i for i, c in enumerate(aligned)}
    items, labels = [], []
    for split in (data.train, data.test):
        for item, c in zip(split.ids, split.labels.tolist(), strict=True):
            if c in position:
                items.append(item)
                labels.append(position[c])
    store = _store(data)
    h_NF, y_N = store.get(items, progress), torch.tensor(labels)
    tower = embedded.load_text_tower()
    names = [data.classes[c] for c in aligned]
    with one_core_pool(1) as pool:  # sums shared among threads would differ in the last bits
        text_CD = pool.submit(tower.embed, names).result()
        mean_D = text_CD.mean(dim=0)
        w_CD = F.normalize(text_CD - mean_D, dim=-1)
        layer = pool.submit(_train, h_NF, y_N, w_CD).result()
    saved = {"weight": layer.weight, "bias": layer.bias, "text_mean": mean_D}
    tensors = {k: v.detach().to(torch.float16).contiguous() for k, v in saved.items()}
    save_file(tensors, target, metadata={"class_split": emoji.split()["sha256"]})
    return {"development_top1": _zero_shot(store, data, tower, tensors)}


def _train(h_NF: torch.Tensor, y_N: torch.Tensor, w_CD: torch.Tensor) -> torch.nn.Linear:
    import torch
    from torch.nn import functional as F

    stream = torch_stream(0, "align", "lit-emoji")
    layer = torch.nn.Linear(h_NF.shape[1], w_CD.shape[1])
    with torch.no_grad():
        bound = h_NF.shape[1] ** -0.5
        for tensor in (layer.weight, layer.bias):
            tensor.uniform_(-bound, bound, generator=stream)
    optimiser = torch.optim.AdamW(layer.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(h_NF), generator=stream).split(BATCH):
            keep_BF = torch.rand(len(batch), h_NF.shape[1], generator=stream) >= DROPOUT
            z_BD = layer(h_NF[batch] * keep_BF / (1 - DROPOUT))
            logits_BC = embedded.LOGIT_SCALE * F.normalize(z_BD, dim=-1) @ w_CD.T
            optimiser.zero_grad()
            F.cross_entropy(logits_BC, y_N[batch]).backward()
            optimiser.step()
    return layer


def _zero_shot(
    store: FeatureStore,
    data: Dataset,
    tower: embedded.TextTower,
    tensors: Mapping[str, torch.Tensor],
) -> float:
    from torch.nn import functional as F

    test = draw_test(data, list(data.part("development")))
    z_ND = F.linear(store.get(test.items), tensors["weight"].float(), tensors["bias"].float())
    w_CD = tower.embed(test.class_names) - tensors["text_mean"].float()
    predicted_N = (F.normalize(z_ND, dim=-1) @ F.normalize(w_CD, dim=-1).T).argmax(dim=1).numpy()
    return float((predicted_N == test.labels).mean())


def _store(data: Dataset) -> FeatureStore:
    backbone = embedded.backbone_hash()
    facts = EncoderFacts(
        backbone, backbone, embedded.DIM, embedded.FEATURE_DIM, embedded.RESOLUTION,
        embedded.LOGIT_SCALE,
    )  # fmt: skip
    return FeatureStore(data, facts, _backbone, embedded.RESOLUTION)


def _backbone() -> embedded.LitEmojiImage:
    """The encoder for its features; the layer after them is trained here."""
    return embedded.LitEmojiImage(embedded.load_backbone())
