"""Pictures of what a model makes while it trains."""

from __future__ import annotations

import io
import pathlib

import numpy as np
from PIL import Image

from keras3dgan.files import replacing
from keras3dgan.report import figures
from keras3dgan.training.options import Samples


def draw(samples: Samples, path: pathlib.Path) -> None:
    """Writes samples as a PNG, and into the run's TensorBoard events beside it where there are some."""
    drawn = figures.png(figures.shapes([*samples.rows.values()], [*samples.rows], threshold=samples.threshold))
    with replacing(path) as temporary:
        temporary.write_bytes(drawn)
    events = path.parent.parent / "events"
    if events.is_dir():
        _log_image(events, drawn, int(path.stem.split("-")[1]))


def _log_image(events: pathlib.Path, png: bytes, epoch: int) -> None:
    import tensorflow as tf  # only where TensorBoard has made the folder

    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    with tf.summary.create_file_writer(str(events / "samples")).as_default(step=epoch):
        tf.summary.image("samples", picture[None])
