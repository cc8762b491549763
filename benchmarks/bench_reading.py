"""How long a training waits for its clips, and what reading one costs.

    make bench

48 mp4 clips of 300 frames at 340 x 256, of which every access reads 8 and crops them alike
(crop_flip); batches of 8. The step of a device is stood in for by a pause. The baseline of the cost
is a plain loop with PyAV: it decodes to the last wanted frame, then crops and resizes the same
frames.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.clips import write_clips
from harness.core.protocols.encoder import ImageEncoder
from harness.data import video
from harness.encoders._pixels import Undivided
from harness.training.augmentation import draw
from harness.training.loader import default_workers, read_ahead
from harness.training.pictures import Pictures
from harness.training.training_views import Sampling, TrainingViews

CLIPS, FRAMES, SIZE, WANTED, BATCH = 48, 300, (340, 256), 8, 8
RESOLUTION = 224
#: Seconds of a step of a device.
STEP = 0.8
#: Of the time, waiting for data; and CPU of a clip as a multiple of the plain loop.
MOST_WAITING, MOST_CPU = 0.2, 1.5


@pytest.fixture(scope="session")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainingViews]:
    """The training views of the clips, of which the cache has room for nothing."""
    root = tmp_path_factory.mktemp("clips")
    write_clips(root, CLIPS, FRAMES, SIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HARNESS_FRAMES_GB", "0")
        data = video.open_dataset(str(root), video.Options())
        items = [*data.train.ids, *data.test.ids]
        opened = data.for_training(items)
        for item in items:
            opened.length(item)  # the index pass is made once, not at every access
        pictures = Pictures(opened, _Pixels(), RESOLUTION)
        yield TrainingViews(pictures, items, Sampling(0, WANTED, "crop_flip"))


def bench_waiting(benchmark: BenchmarkFixture, views: TrainingViews) -> None:
    """Two epochs without their first batch, for which nothing could be read ahead."""
    requests = [
        (epoch, list(range(start, start + BATCH)))
        for epoch in range(2)
        for start in range(0, CLIPS, BATCH)
    ]
    waited: list[float] = []

    def train() -> None:
        batches = read_ahead(views.read, requests, workers=default_workers())
        next(batches)
        while True:
            began = time.perf_counter()
            if next(batches, None) is None:
                return
            waited.append(time.perf_counter() - began)
            time.sleep(STEP)

    benchmark.pedantic(train, rounds=1)
    share = sum(waited) / (sum(waited) + STEP * len(waited))
    benchmark.extra_info |= {"waiting": share, "workers": default_workers()}
    benchmark.extra_info |= {"step": STEP, "target": MOST_WAITING}


def bench_cpu_of_a_clip(benchmark: BenchmarkFixture, views: TrainingViews) -> None:
    """Seconds of a core, of both: the harness and the plain loop in turn."""
    seconds = {"harness": 0.0, "plain": 0.0}

    def both() -> None:
        for number in range(CLIPS):
            for name, read in (("harness", views.read), ("plain", lambda r: _plain(views, r))):
                began = _cpu()
                read((5, [number]))
                seconds[name] += _cpu() - began

    benchmark.pedantic(both, rounds=1)
    benchmark.extra_info |= {name: value / CLIPS for name, value in seconds.items()}
    benchmark.extra_info |= {"target": MOST_CPU}


class _Pixels(Undivided, ImageEncoder):
    """An encoder that only cuts: what a frame costs before any encoder."""

    def preprocess(self, image: Image.Image, resolution: int) -> Any:
        import torch

        return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()

    def as_tensor(self, image: Image.Image) -> Any:
        return self.preprocess(image, image.width)

    def features(self, x_BCHW: Any) -> Any:
        raise NotImplementedError

    def projection(self) -> Any:
        raise NotImplementedError


def _plain(views: TrainingViews, request: tuple[int, list[int]]) -> np.ndarray[Any, Any]:
    """(8, R, R, 3): the same frames and the same crop, by PyAV and Pillow alone."""
    epoch, (number,) = request
    wanted = {view.frame for view in views._views(epoch, number)}
    data: Any = views.pictures.dataset
    path = Path(data.root) / views.items[number]
    change = draw("crop_flip", SIZE, views._stream("augment", epoch, number))
    pictures = []
    with av.open(str(path)) as container:
        container.streams.video[0].thread_count = 1
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                pictures.append(np.array(change(frame.to_image(), RESOLUTION)))
                if len(pictures) == len(wanted):
                    break
    return np.stack(pictures)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime
