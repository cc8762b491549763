"""The seconds that features and text embeddings took: for Records, and for later estimates."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Sequence

from harness.core import rates
from harness.core.cells import Choice
from harness.core.extracted import Extracted
from harness.core.facts import EncoderFacts
from harness.plan.needs import encode_key, read_keys, view_key
from harness.sampling.views import Views
from harness.training.device import device
from harness.training.features import FeatureStore


class SecondsSpent:
    """By what was computed, until a Record has them. Threads may share it."""

    def __init__(self) -> None:
        self._features: dict[Hashable, float] = {}
        self._texts: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def add_features(self, key: Hashable, seconds: float) -> None:
        with self._lock:
            self._features[key] = self._features.get(key, 0.0) + seconds

    def add_texts(self, key: Hashable, seconds: float) -> None:
        with self._lock:
            self._texts[key] = self._texts.get(key, 0.0) + seconds

    def claim(self, features: Iterable[Hashable], texts: Hashable) -> dict[str, float]:
        """features_s and texts_s for the field `cost` of a Record, where there are any. Of several
        cells that share them the first that asks has them.
        """
        with self._lock:
            seconds = {
                "features_s": sum(self._features.pop(key, 0.0) for key in set(features)),
                "texts_s": self._texts.pop(texts, 0.0),
            }
        return {name: value for name, value in seconds.items() if value}


def remember_rates(
    dataset: Choice, facts: EncoderFacts, resolution: int, precision: str, store: FeatureStore
) -> None:
    """Keep in the cache what reading and encoding an image took."""
    spent = store.spent
    for key in read_keys(dataset):
        rates.remember(rates.READ, key, spent.images, spent.read)
    where = encode_key(facts, resolution, device().type, precision)
    rates.remember(rates.ENCODE, where, spent.images, spent.encode)


def remember_extracted(
    dataset: Choice, store: FeatureStore, frames: int | None, view: Views, items: Sequence[str]
) -> None:
    """Keep in the cache that these items have features."""
    Extracted(dataset, store.folder, frames, view_key(view)).remember(items)
